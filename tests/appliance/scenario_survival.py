# SPDX-License-Identifier: Apache-2.0
"""Nothing that is tracked is lost: not by a hang, a kill, a restart or an upgrade, nor what happens meanwhile."""

import os
import signal
import time
from collections.abc import Callable

from machine import (
    CLOSE_WAIT_AFTER, CONFIGURATION, NEW_DEFAULT, SERVICE, Forgetful, Scenario, eventually, unit_drop_in,
)

# Between two readings of the wall clock, and the rounding of both.
SLACK = 1.0
WATCHDOG_SECONDS = 3


class Survival(Scenario):
    files = unit_drop_in(f"WatchdogSec={WATCHDOG_SECONDS}\nStartLimitBurst=50")

    def new_daemon_after(self, old: int) -> bool:
        return self.machine.active() and self.machine.main_pid() not in (0, old)

    def check_survives(self, interrupt: Callable[[int], None], leaves_word: bool = True) -> None:
        """What was a ghost still is, as old as it was; what came to be meanwhile is as old as it is. Who is killed does not
        say until when he has watched, so that this is a bound."""
        with Forgetful("--count=5") as before:
            eventually("five ghosts", lambda: len(self.machine.ghosts_of(before.pid)) == 5)
            since = sorted(ghost.since for ghost in self.machine.ghosts_of(before.pid))
            old = self.machine.main_pid()
            interrupt(old)
            with Forgetful("--family=ipv6") as meanwhile:
                eventually("another daemon is ready", lambda: self.new_daemon_after(old))
                eventually("all five are ghosts again", lambda: len(self.machine.ghosts_of(before.pid)) == 5)
                for ghost, began in zip(
                    sorted(self.machine.ghosts_of(before.pid), key=lambda row: row.since), since, strict=True
                ):
                    self.assertAlmostEqual(ghost.since, began, delta=SLACK)
                    self.assertFalse(ghost.at_least, "its beginning is still known, and not only bounded")
                newcomer = self.machine.find_ghost(meanwhile.pid)
                self.assertAlmostEqual(newcomer.since, meanwhile.born, delta=SLACK)
                if leaves_word:
                    self.assertFalse(newcomer.at_least, "its age is known, though no daemon was there to see it begin")
                self.assertEqual(self.machine.get("Troubles"), [])

    def test_a_hang_is_ended_by_the_watchdog(self) -> None:
        def hang(pid: int) -> None:
            began = time.monotonic()
            self.machine.run("kill", "-STOP", str(pid))
            eventually("the watchdog ends it", lambda: self.machine.main_pid() != pid)
            self.assertGreater(time.monotonic() - began, 0.5, "the watchdog waits for its time to pass")

        self.check_survives(hang, leaves_word=False)
        self.assertIn("Watchdog timeout", self.machine.journal(f"--unit={SERVICE}"))

    def test_kill_9(self) -> None:
        self.check_survives(lambda pid: os.kill(self.machine.host_pid(), signal.SIGKILL), leaves_word=False)

    def test_restart(self) -> None:
        self.check_survives(lambda pid: self.machine.run("systemctl", "restart", "--no-block", SERVICE))

    def test_upgrade_of_the_package(self) -> None:
        """Beside what is tracked: what the administrator has written, and what the daemon has."""
        mine = "# Mine.\n[Governor]\nActsPerMinute=17\n"
        self.machine.put(CONFIGURATION, mine)
        self.machine.run("ghostctl", "policy", "set", "--persistent", "tcp", "LastAckAfter=7min")
        with Forgetful() as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid).id
        eventually("its end is in the history", lambda: len(self.told_of(ghost)) == 2)
        told = self.told_of(ghost)

        versions = []
        self.check_survives(lambda pid: versions.append(self.machine.upgrade()))
        installed = self.machine.read("dpkg-query", "--show", "--showformat=${Version} ${Status}", "eghostbuster")
        self.assertEqual(installed, f"{versions[0]} install ok installed")
        self.assertEqual((self.machine.root() / CONFIGURATION.lstrip("/")).read_text(), mine)
        self.assertTrue(self.machine.read("tail", "--lines=1", f"{CONFIGURATION}.dpkg-dist") in NEW_DEFAULT)
        self.assertIn("7min", self.machine.read("ghostctl", "policy", "show", "--quiet", "tcp"))
        self.assertEqual(self.told_of(ghost), told)
        with Forgetful() as another:
            self.assertGreater(self.machine.find_ghost(another.pid).id, ghost, "no id comes again")

    def told_of(self, ghost: int) -> list[dict]:
        return [row for row in self.machine.history() if row["ghost"] == ghost]

    def test_what_was_held_and_paused_stays_so(self) -> None:
        with Forgetful("--count=2") as forgetful:
            eventually("two ghosts", lambda: len(self.machine.ghosts_of(forgetful.pid)) == 2)
            held, ignored = (row.id for row in self.machine.ghosts_of(forgetful.pid))
            self.machine.run("ghostctl", "hold", "--for", "1h", str(held))
            self.machine.run("ghostctl", "ignore", "--for", "1h", str(ignored))
            self.machine.run("ghostctl", "pause")
            old = self.machine.main_pid()
            os.kill(self.machine.host_pid(), signal.SIGKILL)
            eventually("another daemon is ready", lambda: self.new_daemon_after(old))
            (again,) = eventually("the held one is found again", lambda: self.machine.ghosts_of(forgetful.pid))
            self.assertIn("held for another", self.machine.run("ghostctl", "explain", str(again.id)).stdout)
            self.assertTrue(self.machine.get("Paused"))
            self.machine.run("ghostctl", "resume")
            self.assertFalse(self.machine.get("Paused"))

    def test_a_ghost_that_went_while_nobody_looked_is_not_kept(self) -> None:
        with Forgetful() as forgetful:
            self.machine.find_ghost(forgetful.pid)
            self.machine.run("systemctl", "stop", SERVICE)
        self.machine.run("systemctl", "start", SERVICE)
        time.sleep(CLOSE_WAIT_AFTER)
        self.assertEqual(self.machine.ghosts_of(forgetful.pid), [])
