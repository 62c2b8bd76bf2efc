#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A process that forgets sockets: the ghost of the demonstration and of the booted tests.

It accepts connections whose peers leave, and never closes its own ends, which stay in CLOSE_WAIT. It says in one
line of JSON what it holds, answers orders (states, say, finish, close), and ends when its standard input does.
"""

import argparse
import ctypes
import fcntl
import json
import os
import pathlib
import random
import resource
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
TCP_REPAIR = 19

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


def enter_network_of(pid: int) -> None:
    with open(f"/proc/{pid}/ns/net", encoding="ascii") as network:
        if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def allow_many_files() -> None:
    """As many as may be had: for programs that use select(2), the usual limit is lower than that."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def hang_up(peer: socket.socket) -> None:
    """As every client does that is done."""
    peer.close()


def half_close(peer: socket.socket) -> None:
    """Nothing more to say, but willing to listen: legal, and alive."""
    peer.shutdown(socket.SHUT_WR)


def crash(peer: socket.socket) -> None:
    """Half-closed, and then gone without a word, as when a machine loses its power."""
    peer.shutdown(socket.SHUT_WR)
    time.sleep(0.01)  # until the FIN has been acknowledged
    peer.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    peer.close()


PEERS = {"closed": hang_up, "half": half_close, "crashed": crash}


class Forgotten(NamedTuple):
    """A connection whose peer has left and we have not."""

    ours: socket.socket
    peer: socket.socket
    address: tuple # the peer's, which cannot be asked for any more once the kernel has ended the connection


def forget(family: str, count: int, leave: Callable[[socket.socket], None], ports: list[int]) -> list[Forgotten]:
    listen_family, listen_address, peer_family, peer_address = FAMILIES[family]
    listen_port, peer_port = ports
    held = []
    with socket.socket(listen_family) as listener:
        if family == "mapped":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((listen_address, listen_port))
        listener.listen(64)
        port = listener.getsockname()[1]
        for _ in range(count):
            peer = socket.socket(peer_family)
            if peer_port:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                peer.bind((peer_address, peer_port))
            peer.connect((peer_address, port))
            connection, address = listener.accept()
            leave(peer)
            # The end of the stream: from here on the socket is in CLOSE_WAIT.
            while connection.recv(1):
                pass
            held.append(Forgotten(connection, peer, address))
    return held


def fill(connection: socket.socket, data: bytes) -> int:
    """Sends as much as goes without a reader."""
    connection.setblocking(False)
    sent = 0
    try:
        while sent < len(data):
            sent += connection.send(data[sent:])
    except BlockingIOError:
        pass
    connection.setblocking(True)
    return sent


def finish(connection: socket.socket, peer: socket.socket, data: bytes, sent: int) -> bool:
    """Sends the rest while the peer reads, and says whether it has got everything as it was."""
    sender = threading.Thread(target=lambda: (connection.sendall(data[sent:]), connection.shutdown(socket.SHUT_WR)))
    sender.start()
    got = bytearray()
    while block := peer.recv(65536):
        got += block
    sender.join()
    return bytes(got) == data


def state_of(connection: socket.socket) -> int:
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def answer(order: str, held: list[Forgotten], sent: list[int], data: bytes) -> object:
    """What the tests ask for, a line each."""
    match order:
        case "states":
            return [state_of(one.ours) for one in held]
        case "say":
            return [one.ours.sendall(b"!") is None and one.peer.recv(1) == b"!" for one in held]
        case "finish":
            return [finish(one.ours, one.peer, data, already) for one, already in zip(held, sent, strict=True)]
        case "close":
            for one in held:
                one.ours.close()
            return True
    raise ValueError(order)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", choices=FAMILIES, default="ipv4")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--peer", choices=PEERS, default="closed", help="how the peers leave")
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--new-network", action="store_true", help="in a network namespace of its own")
    network.add_argument("--network", type=int, metavar="PID", help="in the network namespace of that process")
    parser.add_argument("--comm", help="the name that the process goes by")
    parser.add_argument("--download", type=int, default=0, help="bytes to send; begun at once, and paused by the peer")
    parser.add_argument("--late", action="store_true", help="the download is not begun before it is to be finished")
    parser.add_argument("--ports", type=int, nargs=2, default=[0, 0], metavar=("OURS", "PEER"), help="0: any")
    arguments = parser.parse_args()
    if arguments.comm:
        pathlib.Path("/proc/self/comm").write_text(arguments.comm)
    allow_many_files()
    if arguments.new_network:
        enter_new_network()
    if arguments.network:
        enter_network_of(arguments.network)
    held = forget(arguments.family, arguments.count, PEERS[arguments.peer], arguments.ports)
    data = random.Random(1).randbytes(arguments.download)
    sent = [0 if arguments.late else fill(one.ours, data) for one in held]
    told = {
        "pid": os.getpid(),
        "netns": os.stat("/proc/self/ns/net").st_ino,
        "sockets": [
            {"fd": one.ours.fileno(), "local": one.ours.getsockname()[:2], "peer": one.address[:2]} for one in held
        ],
    }
    print(json.dumps(told), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(line.strip(), held, sent, data)), flush=True)


main()
