# SPDX-License-Identifier: Apache-2.0
"""The service as an administrator meets it: its status, its user, its log level, its journal."""

import re

from machine import SERVICE, Forgetful, Scenario, eventually


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

    def test_its_end_is_told_too(self) -> None:
        with Forgetful() as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
        eventually("the ghost is gone from the list", lambda: not self.machine.ghosts_of(forgetful.pid))
        eventually(
            "the journal tells that it vanished",
            lambda: len({entry["MESSAGE_ID"] for entry in self.machine.entries(GHOST_ID=str(ghost.id))}) > 1,
        )
