#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ask_owners.py SOCKET FD: whose the file is that we were started with as that descriptor, as the daemon on that bus says.

busctl as Debian 12 has it passes no descriptors.
"""

import os
import socket
import struct
import sys

SIGNALS = 4
ERROR = 3


def padded(data: bytes, to: int) -> bytes:
    return data + bytes(-len(data) % to)


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<I", len(raw)) + raw + b"\0"


def field(code: int, kind: str, value: bytes) -> bytes:
    return bytes((code, 1)) + kind.encode() + b"\0" + value


def call(serial: int, destination: str, path: str, interface: str, member: str, *more: bytes, body: bytes = b"") -> bytes:
    names = ((1, "o", path), (2, "s", interface), (3, "s", member), (6, "s", destination))
    fields = b""
    for one in (*(field(code, kind, text(name)) for code, kind, name in names), *more):
        fields = padded(fields, 8) + one
    head = struct.pack("<cBBBIII", b"l", 1, 0, 1, len(body), serial, len(fields))
    return padded(head + fields, 8) + body


class Bus:
    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._read = self._socket.makefile("rb")
        self._say(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode())
        self._say(b"NEGOTIATE_UNIX_FD")
        self._socket.sendall(b"BEGIN\r\n")
        own = "org.freedesktop.DBus"
        self._socket.sendall(call(1, own, "/org/freedesktop/DBus", own, "Hello"))
        self._answer()

    def _say(self, line: bytes) -> None:
        self._socket.sendall(line + b"\r\n")
        said = self._read.readline()
        if not said.startswith((b"OK", b"AGREE_UNIX_FD")):
            raise ConnectionError(said)

    def _answer(self) -> bytes:
        """The body of the next message that is no signal."""
        while True:
            head = self._read.read(16)
            kind, length, fields = head[1], *struct.unpack_from("<I4xI", head, 4)
            self._read.read(fields + -fields % 8)
            body = self._read.read(length)
            if kind == ERROR:
                raise RuntimeError(body[4:].decode(errors="replace"))
            if kind != SIGNALS:
                return body

    def owners(self, fd: int) -> str:
        more = (field(8, "g", b"\1h\0"), field(9, "u", struct.pack("<I", 1)))
        message = call(2, "org.eghostbuster1", "/org/eghostbuster1", "org.eghostbuster1.Manager", "Owners", *more,
                       body=struct.pack("<I", 0))
        socket.send_fds(self._socket, [message], [fd])
        return self._answer()[4:-1].decode()


print(Bus(sys.argv[1]).owners(int(sys.argv[2])), flush=True)
