# SPDX-License-Identifier: Apache-2.0
"""Parents that do not wait for their children, in the machine and around it, and some that only look like them."""

import json
import os
import signal

from machine import PYTHON, TOP, Neighbour, Row, Scenario, eventually

NEGLIGENT = TOP / "tests/harness/negligent.py"
ZOMBIE_AFTER = 1.0
LAZY, DEAF = "egb-lazy.service", "egb-deaf.service"


class Negligent(Neighbour):
    def __init__(self, *options: str) -> None:
        super().__init__(PYTHON, NEGLIGENT, *options)
        self.children: list[int] = self.told.get("children", [])


class Process(Scenario):
    files = {
        "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf": f"""[Governor]
Cooldown=1s
[tcp]
Enabled=no
[process]
ZombieAfter={ZOMBIE_AFTER}s
Veto=500ms
""",
    }
    early: Negligent

    @classmethod
    def before_boot(cls) -> None:
        cls.early = cls.enterClassContext(Negligent())

    def described(self, ghost: Row) -> dict:
        return json.loads(self.machine.call("Describe", "t", ghost.id)[0])

    def evidence_of(self, ghost: Row) -> set[str]:
        return {one["name"] for one in self.described(ghost)["evidence"]}

    def start(self, unit: str, program: str) -> int:
        """A service of perl's. Its main process, as this machine knows it."""
        self.machine.put(f"/run/systemd/system/{unit}", f"[Service]\nExecStart=/usr/bin/perl -e '{program}'\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "start", unit)
        self.addCleanup(self.machine.run, "systemctl", "stop", unit)
        return int(self.machine.read("systemctl", "show", "--value", "--property=MainPID", unit))

    def ghost_of_unit(self, unit: str) -> Row | None:
        _, rows = self.machine.call("ListGhosts", "a{sv}uu", 1, "unit", "s", unit, 0, 10)
        return Row(*rows[0]) if rows else None

    def acts_on(self, unit: str) -> list[dict]:
        return [row for row in self.machine.history() if row["type"] == "acted" and f" of {unit} " in row["summary"]]

    def test_who_has_missed_a_signal_is_told_again_and_waits(self) -> None:
        self.start(LAZY, "fork || exit; sleep 1; $SIG{CHLD} = sub { 1 while waitpid(-1, 1) > 0 }; sleep 1 while 1")
        act = eventually("it is told again", lambda: [row for row in self.acts_on(LAZY) if row["verdict"] == "cleaned"])[0]
        self.assertIn("told again", act["reason"])
        self.assertIsNone(self.ghost_of_unit(LAZY))

    def test_who_does_not_wait_even_then_is_told_of_and_lives(self) -> None:
        main = self.start(DEAF, "for (1 .. 3) { fork || exit 3 } sleep")
        ghost = eventually("it is proven", lambda: (row := self.ghost_of_unit(DEAF)) and row.grade == "proven" and row)
        self.assertIn("3 zombies", ghost.summary)
        self.assertIn(DEAF, ghost.summary)
        self.assertEqual(self.described(ghost)["fields"]["dead"].count("perl, exited with 3"), 3)
        self.assertLessEqual({"told-again", "zombies", "oldest"}, self.evidence_of(ghost))
        self.assertEqual(ghost.decision, "report", "a zombie cannot be killed")
        self.assertEqual([row["verdict"] for row in self.acts_on(DEAF)], ["asked"])
        self.machine.run("kill", "-0", str(main))
        self.assertIn("PID 1" if main == 1 else "SIGCHLD", self.machine.read("ghostctl", "explain", str(ghost.id)))
        self.machine.run("systemctl", "stop", DEAF)
        eventually("it vanishes with its parent", lambda: self.ghost_of_unit(DEAF) is None)

    def test_one_of_this_machine_cannot_be_told(self) -> None:
        with Negligent("--zombies=2") as negligent:
            # A look between the two deaths tells of one.
            ghost = eventually("both are told of", lambda: next(
                (one for one in self.machine.ghosts_of(negligent.pid) if "2 zombies" in one.summary), None))
            self.assertFalse(ghost.at_least)
            self.assertAlmostEqual(ghost.since, negligent.born, delta=1.0)
            self.assertIn("out-of-reach", self.evidence_of(ghost))
            self.assertEqual(ghost.decision, "report")
        eventually("it vanishes", lambda: not self.machine.ghosts_of(negligent.pid))

    def test_one_that_was_there_before_the_daemon(self) -> None:
        ghost = self.machine.find_ghost(self.early.pid)
        self.assertTrue(ghost.at_least)
        self.assertIn("dead-before", self.evidence_of(ghost))

    def test_a_restart_does_not_forget_when_somebody_died(self) -> None:
        with Negligent() as negligent:
            ghost = self.machine.find_ghost(negligent.pid)
            self.machine.run("systemctl", "restart", "eghostbuster.service")
            again = self.machine.find_ghost(negligent.pid)
            self.assertAlmostEqual(again.since, ghost.since, delta=0.01)
            self.assertFalse(again.at_least)

    def test_pid_1_of_a_container_is_called_that(self) -> None:
        with Negligent("--container") as negligent:
            self.assertIn("container-init", self.evidence_of(self.machine.find_ghost(negligent.pid)))

    def test_a_stopped_parent_is_not_blamed(self) -> None:
        with Negligent() as negligent:
            os.kill(negligent.pid, signal.SIGSTOP)
            ghost = self.machine.find_ghost(negligent.pid)
            self.assertIn("stopped", self.evidence_of(ghost))
            self.assertEqual(ghost.grade, "suspected")
            os.kill(negligent.pid, signal.SIGCONT)

    def test_a_process_that_has_only_lost_its_first_thread_is_none(self) -> None:
        with Negligent("--thread") as living, Negligent() as dead:
            self.machine.find_ghost(dead.pid)
            self.assertEqual(self.machine.ghosts_of(living.pid), [])
