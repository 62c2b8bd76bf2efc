# SPDX-License-Identifier: Apache-2.0
"""The service as an administrator meets it: its status, its user, its log level, its journal."""

import re

from machine import BUS, PATH, SERVICE, TOP, Forgetful, Scenario, eventually

STATE = "/var/lib/eghostbuster"


class Service(Scenario):
    def test_is_active_with_a_live_status_line(self) -> None:
        before = self.machine.unit("StatusText")
        self.assertRegex(before, r"\d", "the status line counts something")
        with Forgetful() as forgetful:
            self.machine.find_ghost(forgetful.pid)
            eventually("the status line changes with the counts", lambda: self.machine.unit("StatusText") != before)
        shown = self.machine.run("systemctl", "status", "--no-pager", SERVICE).stdout
        self.assertIn("active (running)", shown)
        self.assertRegex(shown, r"Status: \".*\d")

    def test_runs_as_its_own_user_with_no_more_rights_than_it_names(self) -> None:
        status = (self.machine.root().parent.parent / str(self.machine.host_pid()) / "status").read_text()
        uid = re.search(r"^Uid:\t(\d+)", status, re.MULTILINE).group(1)
        self.assertEqual(uid, self.machine.read("id", "--user", "eghostbuster"))
        self.assertNotEqual(uid, "0")
        self.assert_privileges(status)
        self.assertIn("NoNewPrivs:\t1", status)
        self.assertIn("Seccomp:\t2", status)

    def test_enabled_by_the_package(self) -> None:
        self.assertEqual(self.machine.read("systemctl", "is-enabled", SERVICE), "enabled")

    def test_the_preset_enables_it(self) -> None:
        self.machine.run("systemctl", "disable", SERVICE)
        self.assertEqual(self.machine.run("systemctl", "is-enabled", SERVICE, check=False).stdout.strip(), "disabled")
        self.machine.run("systemctl", "preset", SERVICE)
        self.assertEqual(self.machine.read("systemctl", "is-enabled", SERVICE), "enabled")

    def test_disable_now_and_enable_now(self) -> None:
        self.machine.run("systemctl", "disable", "--now", SERVICE)
        self.assertFalse(self.machine.active())
        self.machine.run("systemctl", "enable", "--now", SERVICE)
        self.assertTrue(self.machine.active())
        self.assertEqual(self.machine.read("systemctl", "is-enabled", "dbus-org.eghostbuster1.service"), "alias")

    def test_its_user_is_a_system_user_who_cannot_log_in(self) -> None:
        _, _, uid, _, _, home, shell = self.machine.read("getent", "passwd", "eghostbuster").split(":")
        self.assertLess(int(uid), 1000)
        self.assertEqual(home, "/var/lib/eghostbuster")
        self.assertRegex(shell, "nologin$")
        self.assertRegex(self.machine.read("getent", "shadow", "eghostbuster"), r"^eghostbuster:!\*?:")

    def test_its_folder_is_made_anew(self) -> None:
        """By systemd-tmpfiles; nobody but its user looks into it."""
        self.machine.run("systemctl", "stop", SERVICE)
        self.machine.run("rm", "--recursive", STATE)
        self.assertEqual(self.machine.run("systemd-tmpfiles", "--create", "eghostbuster.conf").stderr, "")
        self.assertEqual(self.machine.read("stat", "--format=%U:%G %a", STATE), "eghostbuster:eghostbuster 750")
        self.machine.run("systemctl", "start", SERVICE)
        self.machine.wait_ready()

    def test_systemctl_edit(self) -> None:
        self.assertEqual(self.machine.unit("RestartUSec"), "250ms")
        self.machine.run("sh", "-c", f"printf '[Service]\nRestartSec=33\n' | systemctl edit --stdin {SERVICE}")
        self.assertEqual(self.machine.unit("RestartUSec"), "33s")
        self.machine.run("systemctl", "restart", SERVICE)
        self.machine.wait_ready()
        self.machine.run("systemctl", "revert", SERVICE)
        self.assertEqual(self.machine.unit("RestartUSec"), "250ms")

    def test_busctl_sees_all_of_it(self) -> None:
        objects = self.machine.read("busctl", "tree", "--list", BUS).splitlines()
        kinds = [f"{PATH}/kind/{kind}" for kind in self.machine.read("ghostctl", "kinds", "--quiet").split()]
        self.assertLessEqual({PATH, "/org/freedesktop/LogControl1", *kinds}, set(objects))
        for path in (PATH, *kinds):
            self.assertIn("org.eghostbuster1.", self.machine.read("busctl", "introspect", "--no-pager", BUS, path))
        self.assertIn(f"Unit={SERVICE}", self.machine.read("busctl", "status", BUS))

    def test_everything_says_the_same_version(self) -> None:
        """What the package and its man pages say is for tests/package/versions."""
        version = re.search(r"^project\(.* VERSION ([0-9.]+)", (TOP / "CMakeLists.txt").read_text(), re.MULTILINE)[1]
        self.assertEqual(self.machine.get("Version"), version)
        self.assertEqual(self.machine.read("ghostctl", "version").split(), ["ghostctl", version, "eghostbusterd", version])
        self.assertEqual(self.machine.read("eghostbusterd", "--version"), version)

    def test_log_level_is_systemctls_to_set(self) -> None:
        self.assertEqual(self.machine.read("systemctl", "service-log-level", SERVICE), "info")
        self.machine.run("systemctl", "service-log-level", SERVICE, "debug")
        self.assertEqual(self.machine.read("systemctl", "service-log-level", SERVICE), "debug")
        self.machine.run("systemctl", "service-log-level", SERVICE, "info")

    def test_the_bus_starts_it_when_it_is_called(self) -> None:
        self.machine.run("systemctl", "stop", SERVICE)
        self.assertFalse(self.machine.active())
        self.assertTrue(self.machine.get("Version"))
        self.machine.wait_ready()


class Journal(Scenario):
    # Of a flood, which other scenarios make, the journal has only the first singly.
    alone = True

    def test_ghosts_are_typed_journal_entries_with_a_catalog_text(self) -> None:
        with Forgetful() as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
            entry = eventually(
                "a journal entry of the ghost", lambda: self.machine.entries(GHOST_ID=str(ghost.id))
            )[0]
        self.assertEqual(entry["GHOST_KIND"], "tcp")
        self.assertEqual(entry["GHOST_GRADE"], "proven")
        self.assertIn(str(forgetful.pid), [value for name, value in entry.items() if name.endswith("PID")])
        catalog = self.machine.read("journalctl", "--dump-catalog", entry["MESSAGE_ID"])
        self.assertIn("Subject:", catalog)
        explained = self.machine.journal("--catalog", f"GHOST_ID={ghost.id}")
        self.assertIn("Subject: A tcp ghost appeared (proven)", explained)
        self.assertIn(f"It has the number {ghost.id}.", explained)

    def test_its_end_is_told_too(self) -> None:
        with Forgetful() as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
        eventually("the ghost is gone from the list", lambda: not self.machine.ghosts_of(forgetful.pid))
        eventually(
            "the journal tells that it vanished",
            lambda: len({entry["MESSAGE_ID"] for entry in self.machine.entries(GHOST_ID=str(ghost.id))}) > 1,
        )
