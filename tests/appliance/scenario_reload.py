# SPDX-License-Identifier: Apache-2.0
"""The configuration: a wrong one never becomes a policy, a right one does at once."""

from machine import BUS, KIND, MANAGER, PATH, SERVICE, TCP_PATH, Scenario, eventually

WRONG = "/etc/eghostbuster/eghostbuster.conf.d/50-wrong.conf"
RIGHT = "/etc/eghostbuster/eghostbuster.conf.d/60-right.conf"


class Reload(Scenario):
    def threshold(self) -> str:
        return self.machine.get("Options", TCP_PATH, KIND)["CloseWaitAfter"]

    def tearDown(self) -> None:
        self.machine.run("rm", "-f", WRONG, RIGHT)
        self.machine.run("systemctl", "reload", SERVICE)
        self.assertEqual(self.threshold(), "2s")

    def test_a_wrong_value_keeps_the_old_one_and_says_where_and_why(self) -> None:
        pid = self.machine.main_pid()
        self.machine.put(WRONG, "# a typing mistake\n[tcp]\nCloseWaitAfter=banana\n")
        self.machine.run("systemctl", "reload", SERVICE, check=False)
        eventually(
            "the journal names file, line and value",
            lambda: f"{WRONG}:3: " in self.machine.journal(f"--unit={SERVICE}"),
        )
        said = [line for line in self.machine.journal(f"--unit={SERVICE}").splitlines() if f"{WRONG}:3: " in line]
        self.assertIn("banana", said[-1])
        self.assertEqual(self.threshold(), "2s")
        self.assertTrue(self.machine.active())
        self.assertEqual(self.machine.main_pid(), pid)

    def test_the_bus_answers_the_same(self) -> None:
        self.machine.put(WRONG, "[tcp]\nCloseWaitAftr=3s\n")
        done = self.machine.run("busctl", "call", BUS, PATH, MANAGER, "Reload", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"{WRONG}:2: ", done.stderr)
        self.assertIn("CloseWaitAftr", done.stderr)

    def test_a_right_value_counts_from_then_on(self) -> None:
        self.machine.put(RIGHT, "[tcp]\nCloseWaitAfter=7s\n")
        self.machine.run("systemctl", "reload", SERVICE)
        self.assertEqual(self.threshold(), "7s")
        self.assertTrue(self.machine.active())

    def test_a_wrong_file_at_the_start_is_refused_with_its_line(self) -> None:
        self.machine.put(WRONG, "[no-such-kind]\nX=1\n")
        done = self.machine.run("systemctl", "restart", SERVICE, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"{WRONG}:1: ", self.machine.journal(f"--unit={SERVICE}"))
        self.machine.run("rm", "-f", WRONG)
        self.machine.run("systemctl", "reset-failed", SERVICE)
        self.machine.run("systemctl", "start", SERVICE)
        self.machine.wait_ready()
