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
import resource
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


def enter_network_of(pid: int) -> None:
    with open(f"/proc/{pid}/ns/net", encoding="ascii") as network:
        if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def allow_many_files() -> None:
    """As many as may be had: for programs that use select(2), the usual limit is lower than that."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def forget(family: str, count: int) -> list[tuple[socket.socket, tuple]]:
    """Connections that the peer has closed and we have not, each with the peer's address."""
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
                connection, address = listener.accept()
            # The end of the stream: from here on the socket is in CLOSE_WAIT.
            while connection.recv(1):
                pass
            held.append((connection, address))
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", choices=FAMILIES, default="ipv4")
    parser.add_argument("--count", type=int, default=1)
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--new-network", action="store_true", help="in a network namespace of its own")
    network.add_argument("--network", type=int, metavar="PID", help="in the network namespace of that process")
    arguments = parser.parse_args()
    allow_many_files()
    if arguments.new_network:
        enter_new_network()
    if arguments.network:
        enter_network_of(arguments.network)
    held = forget(arguments.family, arguments.count)
    told = {
        "pid": os.getpid(),
        "netns": os.stat("/proc/self/ns/net").st_ino,
        "sockets": [{"fd": end.fileno(), "local": end.getsockname()[:2], "peer": peer[:2]} for end, peer in held],
    }
    print(json.dumps(told), flush=True)
    sys.stdin.read()


main()
