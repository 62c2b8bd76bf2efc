# SPDX-License-Identifier: Apache-2.0
"""Locks as fanotify tells of them: told of when they are left behind, and never touched, whatever the configuration says.

Who acts is another daemon: see scenario_lockfile.py.
"""

import contextlib
import fcntl
import os
import pathlib
import signal
import tempfile

from lockers import Locker, LockScenario, folders_of, governed
from machine import eventually, unit_drop_in


class LockfileFanotify(LockScenario):
    # No other daemon that this machine may run at this time looks at these.
    suffix = ".heard"
    files = {
        "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf":
            governed("LockfileFanotify", "LockAfter=1s", "See=fanotify", "Clean=suspected", "Patterns=", "Patterns=*.heard"),
        **unit_drop_in("StartLimitBurst=50\nRestartSec=2s"),
    }

    def told_of(self, path: pathlib.Path, *evidence: str) -> None:
        """As suspected, for these reasons, and it stays."""
        inode = os.lstat(path).st_ino
        ghost = eventually(f"{path} is told of", lambda: self.ghost_at(path))
        self.assertEqual(ghost.grade, "suspected")
        self.assertLessEqual({"exclusive-unseen", *evidence}, self.evidence_of(ghost))
        answer = self.machine.run("ghostctl", "clean", str(ghost.id), check=False)
        self.assertNotEqual(answer.returncode, 0)
        self.assertEqual(os.lstat(path).st_ino, inode)
        self.assertFalse([row for row in self.history_of(path) if row["verdict"] == "cleaned"])

    def another_is_told_of(self) -> None:
        """Later than what was there before would have been."""
        beside = self.folder / f"beside-{next(self.numbers)}{self.suffix}"
        self.killed("open", beside)
        self.told_of(beside)

    def test_doctor_says_how_it_sees_and_where(self) -> None:
        doctor = " ".join(self.machine.read("ghostctl", "doctor").split())
        self.assertIn("by fanotify", doctor)
        self.assertIn("not by timestamps: See=fanotify", doctor)
        self.assertRegex(doctor, r"on the file systems at /[^,]*, ")

    def test_a_lock_of_one_who_was_killed(self) -> None:
        for way in ("open", "link", "symlink", "mkdir"):
            with self.subTest(way):
                path = self.folder / f"{way}{self.suffix}"
                self.killed(way, path)
                self.told_of(path, "creator-killed", "ownerless")

    def test_in_memory(self) -> None:
        with tempfile.TemporaryDirectory(dir="/dev/shm", prefix=folders_of("LockfileFanotify")) as folder:
            path = pathlib.Path(folder) / f"x{self.suffix}"
            self.killed("open", path)
            self.told_of(path, "creator-killed")

    def test_what_is_there_to_be_locked(self) -> None:
        """It is made and locked within one breath, before the daemon can have heard of it."""
        for way in ("flock", "open-flock"):
            path = self.folder / f"{way}{self.suffix}"
            with Locker(way, path) as owner:
                owner.kill()
            self.another_is_told_of()
            self.assertIsNone(self.ghost_at(path))
            self.assertTrue(path.exists())

    def test_one_that_is_locked_later(self) -> None:
        path = self.folder / f"x{self.suffix}"
        with Locker("open", path) as owner:
            self.remembered(path)
            with path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
            owner.kill()
        self.another_is_told_of()
        self.assertIsNone(self.ghost_at(path))

    def test_a_lock_with_a_living_owner(self) -> None:
        path = self.folder / f"x{self.suffix}"
        with Locker("open", path):
            self.remembered(path)
            self.another_is_told_of()
            self.assertIsNone(self.ghost_at(path))

    def test_one_that_its_owner_removes_or_renames(self) -> None:
        for end in (os.unlink, lambda path: os.rename(path, self.folder / "index")):
            path = self.folder / f"x{self.suffix}"
            with Locker("open", path) as owner:
                self.remembered(path)
                end(path)
                owner.kill()
            self.another_is_told_of()
            self.assertIsNone(self.ghost_at(path))

    def test_a_ghost_that_somebody_removes_is_gone(self) -> None:
        path = self.folder / f"x{self.suffix}"
        self.killed("open", path)
        self.told_of(path)
        path.unlink()
        eventually("it is no longer told of", lambda: self.ghost_at(path) is None)

    def test_over_a_restart(self) -> None:
        """What is made, and what dies, while there is no daemon, is heard of by the next one."""
        path, between = self.folder / f"x{self.suffix}", self.folder / f"between{self.suffix}"
        with Locker("open", path) as owner, contextlib.ExitStack() as stack:
            self.remembered(path)
            old = self.machine.main_pid()
            os.kill(self.machine.host_pid(), signal.SIGKILL)
            other = stack.enter_context(Locker("open", between))
            owner.kill()
            eventually("another daemon is ready",
                       lambda: self.machine.active() and self.machine.main_pid() not in (0, old))
            self.remembered(between)
            other.kill()
        self.told_of(path, "creator-killed")
        self.told_of(between, "creator-killed")
