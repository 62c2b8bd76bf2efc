#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A process that forgets sockets: the ghost of the demonstration and of the booted tests.

It accepts connections whose peers hang up at once, and never closes its own ends, which stay in CLOSE_WAIT. It
says in one line of JSON what it holds, and ends when its standard input does.
"""

import argparse
import ctypes
import fcntl
import json
import os
import socket
import struct
import sys

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1

# Family of the listener, its address, and the address that the peer connects to.
FAMILIES = {
    "ipv4": (socket.AF_INET, "127.0.0.1", socket.AF_INET, "127.0.0.1"),
    "ipv6": (socket.AF_INET6, "::1", socket.AF_INET6, "::1"),
    "mapped": (socket.AF_INET6, "::", socket.AF_INET, "127.0.0.1"),
}


def enter_new_network() -> None:
    """A network namespace that nobody has a name for, with a loopback that is up."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


def forget(family: str, count: int) -> list[socket.socket]:
    """Connections that the peer has closed and we have not."""
    listen_family, listen_address, peer_family, peer_address = FAMILIES[family]
    held = []
    with socket.socket(listen_family) as listener:
        if family == "mapped":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((listen_address, 0))
        listener.listen(64)
        port = listener.getsockname()[1]
        for _ in range(count):
            with socket.socket(peer_family) as peer:
                peer.connect((peer_address, port))
                connection, _ = listener.accept()
            # The end of the stream: from here on the socket is in CLOSE_WAIT.
            while connection.recv(1):
                pass
            held.append(connection)
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", choices=FAMILIES, default="ipv4")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--new-network", action="store_true", help="in a network namespace of its own")
    arguments = parser.parse_args()
    if arguments.new_network:
        enter_new_network()
    held = forget(arguments.family, arguments.count)
    told = {
        "pid": os.getpid(),
        "netns": os.stat("/proc/self/ns/net").st_ino,
        "sockets": [{"fd": end.fileno(), "local": end.getsockname()[:2], "peer": end.getpeername()[:2]} for end in held],
    }
    print(json.dumps(told), flush=True)
    sys.stdin.read()


main()
