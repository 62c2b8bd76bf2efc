#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lock_race.py FOLDER ROUNDS SECONDS [SUFFIX]: owners are killed, and others take their locks at whatever moment.

In each round somebody takes a lock and is killed. Another waits for a random time around the one at which the daemon
acts, removes the lock where it still is, and takes it for himself, as one does who knows that its owner is dead. From
then on that lock must be there: for a while it is looked at all the time, and at last once more. It ends after so many
rounds or seconds, and says in one line of JSON what it has seen.
"""

import json
import os
import random
import select
import signal
import sys
import time

import orphan

# Around the moment of the act, which without any LockAfter= is some tens of milliseconds after the death.
LATEST = 0.12
WATCHED_FOR = 0.03
# A lock that is claimed by mistake is put back: that takes less than this.
LAST_LOOK_AFTER = 0.2


def take(path: str) -> int:
    """The inode. With a pid in it, so that it is one of which the daemon knows whose it is."""
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(fd, str(os.getpid()).encode())
    inode = os.fstat(fd).st_ino
    os.close(fd)
    return inode


def owner_that_is_killed(path: str) -> None:
    pid = orphan.start(lambda: take(path))
    process = os.pidfd_open(pid)
    time.sleep(random.uniform(0, 0.02))
    signal.pidfd_send_signal(process, signal.SIGKILL)
    select.select([process], [], [])
    os.close(process)


def inode_of(path: str) -> int:
    try:
        return os.lstat(path).st_ino
    except FileNotFoundError:
        return 0


def until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


class Race:
    def __init__(self) -> None:
        self.told = {
            "rounds": 0, "taken_from_the_dead": 0, "taken_after_the_daemon": 0, "away_for_a_moment": 0, "lost": 0}
        self.watched: list[tuple[float, str, int]] = []

    def round(self, path: str) -> None:
        owner_that_is_killed(path)
        time.sleep(random.uniform(0, LATEST))
        try:
            os.unlink(path)
            self.told["taken_from_the_dead"] += 1
        except FileNotFoundError:
            self.told["taken_after_the_daemon"] += 1
        inode = take(path)
        end = time.monotonic() + WATCHED_FOR
        away = False
        while time.monotonic() < end:
            away = away or inode_of(path) != inode
            time.sleep(0.0005)
        self.told["away_for_a_moment"] += away
        self.told["rounds"] += 1
        self.watched.append((end + LAST_LOOK_AFTER, path, inode))

    def look_for_the_last_time(self, by: float) -> None:
        while self.watched and self.watched[0][0] <= by:
            _, path, inode = self.watched.pop(0)
            if inode_of(path) != inode:
                self.told["lost"] += 1
                print(f"lost: {path}", file=sys.stderr)
            else:
                os.unlink(path)


def main() -> None:
    folder, rounds, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    suffix = sys.argv[4] if len(sys.argv) > 4 else ".lock"
    race, begun = Race(), time.monotonic()
    for number in range(rounds):
        if time.monotonic() - begun > seconds:
            break
        race.round(os.path.join(folder, f"{number}{suffix}"))
        race.look_for_the_last_time(time.monotonic())
    time.sleep(LAST_LOOK_AFTER)
    race.look_for_the_last_time(float("inf"))
    print(json.dumps({**race.told, "seconds": round(time.monotonic() - begun, 1)}))


if __name__ == "__main__":
    main()
