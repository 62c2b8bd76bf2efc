# SPDX-License-Identifier: Apache-2.0
"""The bus as scripts use it: the README's examples, signals, and who may do what."""

import json
import subprocess
import threading

from machine import BUS, CONTROL, MANAGER, PATH, PATIENCE, SERVICE, TCP_PATH, TOP, Forgetful, Scenario, eventually

NOBODY = "nobody"


class Bus(Scenario):
    # Many ghosts at once are told in sums, and these tests wait for the signals of single ones.
    alone = True

    def test_busctl_introspect(self) -> None:
        shown = self.machine.read("busctl", "introspect", BUS, PATH)
        for member in (".ListGhosts", ".Explain", ".GhostAppeared", ".Capabilities"):
            self.assertIn(member, shown)
        self.assertIn(".LostEvents", self.machine.read("busctl", "introspect", BUS, TCP_PATH))
        self.assertIn(TCP_PATH, self.machine.read("busctl", "tree", "--list", BUS))

    def test_busctl_call(self) -> None:
        with Forgetful() as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
            self.assertIn(str(ghost.id), self.machine.read(
                "busctl", "call", BUS, PATH, MANAGER, "ListGhosts", "a{sv}uu", "1", "kind", "s", "tcp", "0", "50"))

    def test_gdbus_call(self) -> None:
        answer = self.machine.read(
            "gdbus", "call", "--system", "--dest", BUS, "--object-path", PATH,
            "--method", f"{MANAGER}.ListGhosts", "{'kind': <'tcp'>}", "0", "50")
        self.assertRegex(answer, r"^\(uint32 \d+, .*\)$")

    def test_gdbus_monitor_sees_a_ghost_appear_and_vanish(self) -> None:
        monitor = subprocess.Popen(
            [CONTROL, "exec", self.machine.name, "gdbus", "monitor", "--system", "--dest", BUS, "--object-path", PATH],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        too_late = threading.Timer(PATIENCE, monitor.terminate)
        too_late.start()
        try:
            self.assertIn("Monitoring signals", monitor.stdout.readline())
            with Forgetful() as forgetful:
                ghost = self.machine.find_ghost(forgetful.pid)
                self.read_until(monitor, f"GhostAppeared (uint64 {ghost.id}, 'tcp', 'proven'")
            self.read_until(monitor, f"GhostVanished (uint64 {ghost.id}, 'tcp'")
        finally:
            too_late.cancel()
            monitor.terminate()
            monitor.wait()
            monitor.stdout.close()

    def read_until(self, monitor: subprocess.Popen, wanted: str) -> None:
        """A monitor that ends, because it is too late, ends this too."""
        for line in monitor.stdout:
            if wanted in line:
                return
        self.fail(f"the monitor ended without {wanted}")

    def test_a_wrong_filter_is_an_error_with_a_name(self) -> None:
        done = self.machine.run(
            "busctl", "call", BUS, PATH, MANAGER, "ListGhosts", "a{sv}uu", "1", "colour", "s", "red", "0", "1",
            check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("colour", done.stderr)

    def test_reading_is_open_to_everybody(self) -> None:
        with Forgetful() as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
            shown = self.machine.run("ghostctl", "list", "--json", user=NOBODY).stdout
            self.assertIn(str(ghost.id), shown)
            json.loads(shown)
            self.machine.run("ghostctl", "explain", str(ghost.id), user=NOBODY)

    def test_changing_is_denied_to_everybody(self) -> None:
        with Forgetful() as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
            calls = {
                "Clean": ["ata{sv}", "1", str(ghost.id), "0"],
                "Hold": ["att", "1", str(ghost.id), "1000000"],
                "Ignore": ["att", "1", str(ghost.id), "1000000"],
                "Restore": ["t", str(ghost.id)],
                "Scan": ["as", "0"],
                "SetPolicy": ["sa{sv}b", "tcp", "0", "false"],
                "Pause": ["b", "true"],
                "Reload": [],
            }
            for method, arguments in calls.items():
                with self.subTest(method):
                    done = self.machine.run(
                        "busctl", "call", BUS, PATH, MANAGER, method, *arguments, check=False, user=NOBODY)
                    self.assertNotEqual(done.returncode, 0)
                    self.assertRegex(done.stderr, r"(?i)denied|not authori[sz]ed|authori[sz]ation|permission")
            self.assertEqual(self.machine.find_ghost(forgetful.pid).id, ghost.id)
            self.assertFalse(self.machine.get("Paused"))

    def test_root_may_hold_and_ignore(self) -> None:
        with Forgetful() as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
            self.machine.run("ghostctl", "ignore", str(ghost.id))
            eventually("an ignored ghost is not listed", lambda: not self.machine.ghosts_of(forgetful.pid))

    def test_ghostctl_says_what_to_do_when_there_is_no_such_ghost(self) -> None:
        done = self.machine.run("ghostctl", "explain", "999999999999", check=False)
        self.assertEqual(done.returncode, 5)
        self.assertIn("ghostctl list", done.stderr)

    def test_who_asks_is_no_holder(self) -> None:
        """Though its pid in the machine is another than ours."""
        self.machine.put("/srv/file", "")
        self.assertEqual(self.machine.owners_of("/srv/file")["holders"], [])

    def test_who_asks_and_has_it_open_himself_is_one(self) -> None:
        self.machine.put("/srv/file", "")
        holders = self.machine.owners_of("/srv/file", "7</srv/file")["holders"]
        self.assertEqual([(holder["comm"], holder["fd"]) for holder in holders], [("ghostctl", 7)])

    def test_doctor_tells_what_works_here(self) -> None:
        done = self.machine.run("ghostctl", "doctor", check=False)
        self.assertIn(done.returncode, (0, 1))
        self.assertIn("tcp", done.stdout)


class Private(Scenario):
    """With the policy that is shipped for machines whose users must not learn of each other."""

    files = {"/etc/dbus-1/system-local.conf": (TOP / "dbus/eghostbuster-private.conf").read_text()}

    def as_member_of(self, group: str) -> list[str]:
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={group}", "--clear-groups"]

    def may_read(self, *as_whom: str) -> bool:
        done = self.machine.run(*as_whom, "busctl", "call", BUS, PATH, MANAGER, "ListGhosts", "a{sv}uu", "0", "0", "1",
                                check=False)
        if done.returncode != 0:
            self.assertIn("Access denied", done.stderr)
        return done.returncode == 0

    def test_only_root_and_the_group_adm_may_read(self) -> None:
        self.assertFalse(self.may_read(*self.as_member_of("nogroup")))
        self.assertTrue(self.may_read(*self.as_member_of("adm")))
        self.assertTrue(self.may_read())

    def monitor_of(self, group: str) -> subprocess.Popen:
        monitor = subprocess.Popen(
            [CONTROL, "exec", self.machine.name, *self.as_member_of(group), "timeout", f"{PATIENCE:.0f}",
             "gdbus", "monitor", "--system", "--dest", BUS, "--object-path", PATH],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.addCleanup(monitor.stdout.close)
        self.addCleanup(monitor.wait)
        self.addCleanup(monitor.terminate)
        self.assertIn("Monitoring signals", monitor.stdout.readline())
        return monitor

    def test_only_they_hear_of_it(self) -> None:
        insider, outsider = self.monitor_of("adm"), self.monitor_of("nogroup")
        with Forgetful() as forgetful:
            self.machine.find_ghost(forgetful.pid)
        # Of any: where another test lets go of very many in that second, a sum may stand for this one.
        self.assertTrue(any("GhostVanished (uint64" in line for line in insider.stdout))
        # What the bus itself says everybody hears: whoever hears that the daemon is gone would have heard it before.
        self.addCleanup(self.machine.run, "systemctl", "start", SERVICE)
        self.machine.run("systemctl", "stop", SERVICE)
        for line in outsider.stdout:
            self.assertNotIn("Ghost", line)
            if "does not have an owner" in line:
                return
        self.fail("the outsider's monitor has ended before the daemon did")
