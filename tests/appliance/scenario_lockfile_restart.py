# SPDX-License-Identifier: Apache-2.0
"""Locks over a restart of the daemon, a gap in its watch, a power loss, and a shutdown."""

import os
import signal

from lockers import Locker, LockScenario, change_database, governed, running
from machine import CONFIGURATION, NEW_DEFAULT, SERVICE, eventually, unit_drop_in

ANOTHER_BOOT = "0123456789abcdef0123456789abcdef"


class LockfileRestart(LockScenario):
    # No other daemon that this machine may run at this time looks at these.
    suffix = ".kept"
    files = {
        "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf":
            governed("LockfileRestart", "LockAfter=1s", "Patterns=", "Patterns=*.kept"),
        **unit_drop_in("StartLimitBurst=50\nRestartSec=2s"),
    }

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / f"x{self.suffix}"

    def kill_daemon(self) -> int:
        old = self.machine.main_pid()
        os.kill(self.machine.host_pid(), signal.SIGKILL)
        return old

    def another_than(self, old: int) -> None:
        eventually("another daemon is ready", lambda: self.machine.active() and self.machine.main_pid() not in (0, old))

    def test_its_owner_dies_after_a_restart(self) -> None:
        with Locker("open", self.path) as owner:
            self.remembered(self.path)
            self.machine.run("systemctl", "restart", SERVICE)
            self.lives_unnoticed(self.path)
            owner.kill()
            self.dies(self.path)

    def test_its_owner_dies_after_kill_9(self) -> None:
        with Locker("open", self.path) as owner:
            self.remembered(self.path)
            self.another_than(self.kill_daemon())
            self.lives_unnoticed(self.path)
            owner.kill()
            self.dies(self.path)

    def test_its_owner_dies_while_the_daemon_is_down(self) -> None:
        with Locker("open", self.path) as owner:
            self.remembered(self.path)
            old = self.kill_daemon()
            owner.kill()
            self.another_than(old)
            self.dies(self.path)

    def test_it_is_taken_while_the_daemon_is_down(self) -> None:
        old = self.kill_daemon()
        with Locker("open", self.path) as owner:
            self.another_than(old)
            self.lives_unnoticed(self.path)
            self.kill(owner)
            self.dies(self.path)

    def test_another_takes_it_while_the_daemon_is_down(self) -> None:
        with Locker("open", self.path) as owner:
            self.remembered(self.path)
            old = self.kill_daemon()
            owner.kill()
            self.path.unlink()
            with Locker("open", self.path):
                self.another_than(old)
                self.lives_unnoticed(self.path)

    def test_after_a_gap_it_is_only_suspected(self) -> None:
        with Locker("open", self.path) as owner:
            self.remembered(self.path)
            self.machine.run("systemctl", "stop", SERVICE)
            self.machine.run("systemctl", "start", SERVICE)
            owner.kill()
            self.suspected(self.path, "unwatched")

    def test_whose_it_is_that_one_from_before_has_left(self) -> None:
        """Who forked that one nobody has seen, and he is an orphan; but the leader of his session lives."""
        go = self.folder / "go"
        os.mkfifo(go)
        with running("sh", "-c", f"( (read go <{go}; mkdir {self.path}; true) & ); read answer") as leader:
            self.machine.run("systemctl", "stop", SERVICE)
            self.machine.run("systemctl", "start", SERVICE)
            go.write_text("\n")
            self.remembered(self.path)
            self.lives_unnoticed(self.path)
            leader.kill()
            self.suspected(self.path, "creator-exited", "owners-unknown", without={"ownerless"})

    def power_loss(self, owner: Locker) -> None:
        """As if what was seen had been in another boot, at the end of which nobody had the time to say a word."""
        self.remembered(self.path)
        self.kill_daemon()
        self.machine.run("systemctl", "stop", SERVICE)  # nor is it started again
        self.end_of_boot(owner)

    def shutdown(self, owner: Locker) -> None:
        """The same, but the daemon was stopped in order, and whoever lived on had all the time there is."""
        self.remembered(self.path)
        self.machine.run("systemctl", "stop", SERVICE)
        self.end_of_boot(owner)

    def end_of_boot(self, owner: Locker) -> None:
        owner.kill()
        change_database(self.machine, "UPDATE memory SET boot = ?", ANOTHER_BOOT)

    def test_of_an_earlier_boot(self) -> None:
        with Locker("open", self.path, "--write=PID") as owner:
            self.power_loss(owner)
            self.machine.run("systemctl", "start", SERVICE)
            self.assertIn("of an earlier boot", self.dies(self.path)["summary"])

    def test_of_an_earlier_boot_and_let_go_before_its_end(self) -> None:
        with Locker("open", self.path, "--write=PID") as owner:
            self.shutdown(owner)
            self.machine.run("systemctl", "start", SERVICE)
            self.suspected(self.path, "earlier-boot", "unwatched")

    def test_of_an_earlier_boot_and_changed_since(self) -> None:
        with Locker("open", self.path) as owner:
            self.power_loss(owner)
            self.path.write_text("mine")
            self.machine.run("systemctl", "start", SERVICE)
            self.suspected(self.path, "earlier-boot", "changed-since")

    def test_what_was_restored_outlives_the_daemon(self) -> None:
        with Locker("open", self.path) as owner:
            self.kill(owner)
            self.machine.run("ghostctl", "restore", str(self.dies(self.path)["ghost"]))
            self.another_than(self.kill_daemon())
            self.lives(self.path)
            self.assertIsNone(self.ghost_at(self.path))

    def test_what_is_in_quarantine_outlives_an_upgrade(self) -> None:
        with Locker("open", self.path, "--write=PID") as owner:
            self.kill(owner)
            ghost = str(self.dies(self.path)["ghost"])
            old = self.machine.main_pid()
            self.machine.upgrade()
            self.another_than(old)
            self.assertEqual(self.machine.read("tail", "--lines=1", CONFIGURATION), NEW_DEFAULT.strip(),
                             "nobody has changed it, so it is the new one")
            self.assertIn(str(self.path), self.machine.read("ghostctl", "quarantine"))
            self.machine.run("ghostctl", "restore", ghost)
            self.assertEqual(self.path.read_text().strip(), str(owner.pid))
