#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A process that takes a lock, in one of the ways in which locks are taken, and some that only look like one.

It says in one line of JSON who it is and what it has made, and ends, with everybody it has started, when its standard
input does. With --when-asked it says that of what is there already, and acts at the first line that it is given.
"""

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import signal
import sys
import threading
from collections.abc import Callable

import orphan
import unseen_calls

CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def make_file(path: str, text: str) -> int:
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640)
    os.write(fd, text.encode())
    return fd


def by_open(path: str, text: str) -> None:
    os.close(make_file(path, text))


def by_link(path: str, text: str) -> None:
    """As of old, where O_EXCL could not be trusted."""
    own = f"{path}.{os.getpid()}"
    os.close(make_file(own, text))
    os.link(own, path)
    os.unlink(own)


def by_flock(path: str, _: str) -> None:
    """The file is there so that it can be locked. Its descriptor stays open."""
    fcntl.flock(os.open(path, os.O_CREAT | os.O_RDWR, 0o640), fcntl.LOCK_EX)


def by_open_and_flock(path: str, text: str) -> None:
    """A file that is there before it is locked."""
    fd = make_file(path, text)
    fcntl.flock(fd, fcntl.LOCK_EX)
    os.close(fd)


def in_vain(path: str, _: str) -> None:
    """A contender."""
    try:
        make_file(path, "")
    except FileExistsError:
        return
    raise AssertionError(f"{path} was free")


def held(path: str, _: str) -> None:
    """One of somebody else, that is open here."""
    os.open(path, os.O_RDONLY)


def inside(path: str, _: str) -> None:
    """A directory of somebody else, that is worked in."""
    os.chdir(path)


def by_one_unseen(caller: str, flags: int, removes: bool = False) -> Callable[[str, str], None]:
    def act(path: str, text: str) -> None:
        calls = unseen_calls.CALLERS[caller]()
        if removes:
            calls.unlink(path)
        fd = calls.open(path, os.O_WRONLY | flags)
        os.write(fd, text.encode())
        os.close(fd)
    return act


WAYS: dict[str, Callable[[str, str], None]] = {
    "open": by_open,
    "open-held": make_file,
    "mkdir": lambda path, _: os.mkdir(path),
    "symlink": lambda path, text: os.symlink(text or f"{os.uname().nodename}-{os.getpid()}", path),
    "link": by_link,
    "flock": by_flock,
    "open-flock": by_open_and_flock,
    "in-vain": in_vain,
    "held": held,
    "inside": inside,
}
for caller in unseen_calls.CALLERS:
    WAYS[f"open-by-{caller}"] = by_one_unseen(caller, os.O_CREAT | os.O_EXCL)
    WAYS[f"anew-by-{caller}"] = by_one_unseen(caller, os.O_CREAT | os.O_EXCL, removes=True)
    WAYS[f"over-by-{caller}"] = by_one_unseen(caller, os.O_TRUNC)


def stay() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass


def fork_one_that_stays() -> int:
    pid = os.fork()
    if pid == 0:
        stay()
        os._exit(0)
    return pid


def enter_new_mounts(folder: str) -> None:
    """A file system of its own at that folder."""
    checked(libc.unshare(CLONE_NEWNS), "unshare")
    checked(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount")
    checked(libc.mount(b"egb-locker", folder.encode(), b"tmpfs", 0, b""), "mount")


def take(arguments: argparse.Namespace) -> None:
    text = arguments.write.replace("PID", str(os.getpid()))
    WAYS[arguments.way](arguments.path, text)


def take_in_a_thread(arguments: argparse.Namespace) -> None:
    thread = threading.Thread(target=take, args=(arguments,))
    thread.start()
    thread.join()


def tell(arguments: argparse.Namespace, pid: int, **more: int) -> None:
    found = os.lstat(arguments.path)
    print(json.dumps({"pid": pid, "inode": found.st_ino, **more}), flush=True)


def enter_new_pids() -> None:
    checked(libc.unshare(CLONE_NEWPID), "unshare")


def leave_to_an_orphan(arguments: argparse.Namespace) -> None:
    """As PID 1 of a pid namespace, or in a mount namespace that we keep."""
    more = {}
    if arguments.new_mounts:
        enter_new_mounts(arguments.new_mounts)
        more["keeper"] = os.getpid()
    pid = orphan.start(lambda: take(arguments), enter_new_pids if arguments.container else lambda: None)
    tell(arguments, pid, **more)
    stay()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("path")
    parser.add_argument("--write", default="", help="its content; PID stands for its own")
    parser.add_argument("--thread", action="store_true", help="a thread takes it, and ends")
    parser.add_argument("--heir", action="store_true", help="forks another process afterwards")
    parser.add_argument("--when-asked", action="store_true", help="first waits for a line")
    parser.add_argument("--new-mounts", metavar="FOLDER", help="in a mount namespace with a file system at FOLDER")
    parser.add_argument("--container", action="store_true", help="as PID 1 of a container")
    arguments = parser.parse_args()
    if arguments.container or arguments.new_mounts:
        leave_to_an_orphan(arguments)
        return
    if arguments.when_asked:
        tell(arguments, os.getpid())
        sys.stdin.readline()
    more = {}
    (take_in_a_thread if arguments.thread else take)(arguments)
    if arguments.heir:
        more["heir"] = fork_one_that_stays()
    tell(arguments, os.getpid(), **more)
    stay()


main()
