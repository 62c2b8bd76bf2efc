#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A parent that does not wait for its children, and some that only look like one.

It says in one line of JSON who is who, and ends, with everybody it has started, when its standard input does.
"""

import argparse
import ctypes
import json
import os
import signal
import sys
import threading
import time

CLONE_NEWPID = 0x20000000
PR_SET_PDEATHSIG = 1
SYS_EXIT = {"x86_64": 60, "aarch64": 93}[os.uname().machine]

libc = ctypes.CDLL(None, use_errno=True)


def forget_a_child(status: int) -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(status)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it has died, and that it has stays to be told
    return pid


def lose_the_first_thread() -> int:
    """A process whose first thread has ended: /proc calls it a zombie, and it lives on."""
    pid = os.fork()
    if pid == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        threading.Thread(target=time.sleep, args=(600,)).start()
        libc.syscall(SYS_EXIT, 0)
    while ") Z " not in open(f"/proc/{pid}/stat").read():
        time.sleep(0.01)
    return pid


def stay() -> None:
    sys.stdin.read()


def in_a_container() -> None:
    """PID 1 of a pid namespace, that has never heard of orphans."""
    if libc.unshare(CLONE_NEWPID) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        forget_a_child(4)
        os.write(writer, b"!")
        signal.pause()
    os.read(reader, 1)
    print(json.dumps({"pid": pid}), flush=True)
    stay()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zombies", type=int, default=1)
    parser.add_argument("--thread", action="store_true", help="with a child whose first thread has ended instead")
    parser.add_argument("--container", action="store_true", help="as PID 1 of a container")
    parser.add_argument("--missed", action="store_true", help="one that waits when it is told, and was not")
    arguments = parser.parse_args()
    if arguments.container:
        in_a_container()
        return
    if arguments.thread:
        child = lose_the_first_thread()
        print(json.dumps({"pid": os.getpid(), "children": [child]}), flush=True)
        stay()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return
    children = [forget_a_child(3) for _ in range(arguments.zombies)]
    if arguments.missed:
        signal.signal(signal.SIGCHLD, lambda *_: [os.waitpid(child, os.WNOHANG) for child in children])
    print(json.dumps({"pid": os.getpid(), "children": children}), flush=True)
    stay()


main()
