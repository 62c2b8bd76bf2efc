#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lock_race.py FOLDER ROUNDS SECONDS [SUFFIX]: owners are killed, and others take their locks at whatever moment.

In each round somebody takes a lock and is killed. Another waits until about the moment at which the daemon acts, and
takes the lock for himself, as one does who knows that its owner is dead: by one of WAYS. From then on that lock must be
there: for a while it is looked at all the time, and a third tries to take it, too; and at last it is looked at once
more. When the daemon acts depends on what else it has to do, so that is learned from round to round. Many rounds run at
once; an owner has a lock for each of the ways. It ends after so many rounds or seconds, and says in one line of JSON
what it has seen.
"""

import collections
import contextlib
import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence

import orphan

AT_ONCE = 8
# After a death, until the daemon acts: what is supposed at first, and at most.
SUPPOSED = 0.03
LATEST = 1.0
WATCHED_FOR = 0.03
# A lock that is claimed by mistake is put back: that takes less than this.
LAST_LOOK_AFTER = 0.2
FIGURES = ("rounds", "taken_from_the_dead", "taken_after_the_daemon", "away_for_a_moment", "two_owners", "lost")


def owner() -> bytes:
    """What is in a lock, so that the daemon knows whose it is."""
    return str(os.getpid()).encode()


def inode_of(path: str) -> int:
    try:
        return os.lstat(path).st_ino
    except FileNotFoundError:
        return 0


def write_to(fd: int) -> int:
    os.write(fd, owner())
    inode = os.fstat(fd).st_ino
    os.close(fd)
    return inode


def write_anew(path: str) -> int:
    return write_to(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def point_anew(path: str) -> int:
    os.symlink(owner(), path.encode())
    return inode_of(path)


def make_folder(path: str) -> int:
    os.mkdir(path)
    return inode_of(path)


def gone(remove: Callable[[str], None], path: str) -> bool:
    """Whether it was there until now."""
    try:
        remove(path)
        return True
    except FileNotFoundError:
        return False


# Each returns the inode of what is his own now, and whether there was something until then.
Taken = tuple[int, bool]


def anew(take: Callable[[str], int], remove: Callable[[str], None]) -> Callable[[str], Taken]:
    def take_over(path: str) -> Taken:
        was_there = gone(remove, path)
        return take(path), was_there
    return take_over


def with_own(path: str, put_in_place: Callable[[str], bool]) -> Taken:
    own = f"{path}.{os.getpid()}"
    gone(os.unlink, own)
    inode = write_anew(own)
    was_there = put_in_place(own)
    gone(os.unlink, own)
    return inode, was_there


def by_link(path: str) -> Taken:
    def put_in_place(own: str) -> bool:
        was_there = gone(os.unlink, path)
        os.link(own, path)
        return was_there
    return with_own(path, put_in_place)


def by_rename(path: str) -> Taken:
    def put_in_place(own: str) -> bool:
        was_there = os.path.lexists(path)
        os.rename(own, path)
        return was_there
    return with_own(path, put_in_place)


def in_place(path: str) -> Taken:
    try:
        return write_to(os.open(path, os.O_WRONLY | os.O_TRUNC)), True
    except FileNotFoundError:
        return write_anew(path), False


Way = tuple[Callable[[str], int], Callable[[str], Taken], Callable[[str], None]]

# How the first takes it, how another takes it from him, and how it is let go.
WAYS: tuple[Way, ...] = (
    (write_anew, anew(write_anew, os.unlink), os.unlink),
    (write_anew, by_link, os.unlink),
    (write_anew, by_rename, os.unlink),
    (write_anew, in_place, os.unlink),
    (point_anew, anew(point_anew, os.unlink), os.unlink),
    (make_folder, anew(make_folder, os.rmdir), os.rmdir),
)


class Moment:
    """At which the daemon acts: as often before as after, if this is right."""

    def __init__(self) -> None:
        self._after = SUPPOSED

    def guess(self) -> float:
        return random.uniform(0.7, 1.3) * self._after

    def learn(self, too_early: bool) -> None:
        self._after = min(self._after * (1.1 if too_early else 0.9), LATEST)


class Lock:
    def __init__(self, path: str, way: Way, moment: Moment) -> None:
        self.path = path
        self.take, self.take_over, self.let_go = way
        self.moment = moment
        self.inode = 0
        self.was_away = False


def owner_that_is_killed(locks: list[Lock]) -> float:
    """When it was dead."""
    def take() -> None:
        for lock in locks:
            lock.take(lock.path)

    pid = orphan.start(take)
    process = os.pidfd_open(pid)
    time.sleep(random.uniform(0, 0.02))
    signal.pidfd_send_signal(process, signal.SIGKILL)
    select.select([process], [], [])
    os.close(process)
    return time.monotonic()


class Racer:
    def __init__(self, folder: str, suffix: str) -> None:
        self.folder, self.suffix = folder, suffix
        self.moments = [Moment() for _ in WAYS]
        self.told = collections.Counter(dict.fromkeys(FIGURES, 0))
        self.watched: list[tuple[float, Lock]] = []

    def rounds(self, numbers: Sequence[int]) -> None:
        """One for each of the ways."""
        locks = [Lock(os.path.join(self.folder, f"{number}{self.suffix}"), way, moment)
                 for number, way, moment in zip(numbers, WAYS, self.moments)]
        died = owner_that_is_killed(locks)
        for after, lock in sorted(((lock.moment.guess(), lock) for lock in locks), key=lambda each: each[0]):
            time.sleep(max(0.0, died + after - time.monotonic()))
            self.take_over(lock)
        end = time.monotonic() + WATCHED_FOR
        while time.monotonic() < end:
            for lock in locks:
                self.try_to_take_too(lock)
            time.sleep(0.0005)
        self.told["rounds"] += len(locks)
        self.told["away_for_a_moment"] += sum(lock.was_away for lock in locks)
        self.watched += [(end + LAST_LOOK_AFTER, lock) for lock in locks]

    def take_over(self, lock: Lock) -> None:
        lock.inode, was_there = self.insist(lock)
        lock.moment.learn(too_early=was_there)
        self.told["taken_from_the_dead" if was_there else "taken_after_the_daemon"] += 1

    def insist(self, lock: Lock) -> Taken:
        """What the daemon has claimed may come back in between."""
        while True:
            with contextlib.suppress(FileExistsError):
                return lock.take_over(lock.path)

    def try_to_take_too(self, lock: Lock) -> None:
        lock.was_away = lock.was_away or inode_of(lock.path) != lock.inode
        try:
            lock.take(lock.path)
            self.told["two_owners"] += 1
        except FileExistsError:
            pass

    def look_for_the_last_time(self, by: float) -> None:
        while self.watched and self.watched[0][0] <= by:
            _, lock = self.watched.pop(0)
            if inode_of(lock.path) != lock.inode:
                self.told["lost"] += 1
                print(f"lost: {lock.path}", file=sys.stderr)
            else:
                lock.let_go(lock.path)


def race(racer: Racer, numbers: range, seconds: float) -> collections.Counter[str]:
    end = time.monotonic() + seconds
    for first in range(0, len(numbers), len(WAYS)):
        if time.monotonic() > end:
            break
        racer.rounds(numbers[first:first + len(WAYS)])
        racer.look_for_the_last_time(time.monotonic())
    time.sleep(LAST_LOOK_AFTER)
    racer.look_for_the_last_time(float("inf"))
    return racer.told


def in_a_child(act: Callable[[], collections.Counter[str]]) -> int:
    """Where it can be read what it has returned."""
    here, there = os.pipe()
    if os.fork() == 0:
        random.seed()
        os.write(there, json.dumps(act()).encode())
        os._exit(0)
    os.close(there)
    return here


def main() -> None:
    folder, rounds, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    suffix = sys.argv[4] if len(sys.argv) > 4 else ".lock"
    begun = time.monotonic()
    racers = [in_a_child(lambda first=first: race(Racer(folder, suffix), range(first, rounds, AT_ONCE), seconds))
              for first in range(AT_ONCE)]
    told: collections.Counter[str] = collections.Counter(dict.fromkeys(FIGURES, 0))
    for racer in racers:
        with os.fdopen(racer) as answer:
            told.update(json.load(answer))
        os.wait()
    print(json.dumps({**told, "seconds": round(time.monotonic() - begun, 1)}))


if __name__ == "__main__":
    main()
