# SPDX-License-Identifier: Apache-2.0
"""The state directory: a damaged file or a full disk is told loudly, and stops nothing."""

import pathlib

from machine import SERVICE, Forgetful, Scenario, eventually

FOLDER = "/var/lib/eghostbuster"


class State(Scenario):
    def setUp(self) -> None:
        self.folder: pathlib.Path = self.machine.root() / FOLDER.lstrip("/")

    def database(self) -> pathlib.Path:
        (file,) = self.folder.glob("*.db")
        return file

    def test_history_outlives_the_daemon(self) -> None:
        with Forgetful() as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
            eventually("it is in the history", lambda: self.history_of(ghost.id))
            self.machine.run("systemctl", "restart", SERVICE)
            self.assertTrue(self.history_of(ghost.id))
            self.assertGreaterEqual(self.machine.find_ghost(forgetful.pid).id, ghost.id, "no id comes again")

    def history_of(self, ghost: int) -> list:
        (rows,) = self.machine.call("History", "a{sv}u", 1, "ghost", "t", ghost, 10)
        return rows

    def test_a_corrupt_database_is_set_aside_and_named(self) -> None:
        self.machine.run("systemctl", "stop", SERVICE)
        database = self.database()
        for beside in self.folder.glob(f"{database.name}-*"):
            beside.unlink()
        database.write_bytes(b"this is no database " * 400)
        self.machine.run("systemctl", "start", SERVICE)
        self.machine.wait_ready()
        aside = [file.name for file in self.folder.iterdir() if file.read_bytes()[:20] == b"this is no database "]
        self.assertEqual(len(aside), 1, "it is kept, under another name")
        self.assertNotEqual(aside[0], database.name)
        self.assertIn(aside[0], self.machine.journal(f"--unit={SERVICE}"))
        with Forgetful() as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
            eventually("the new database works", lambda: self.history_of(ghost.id))

    def test_a_full_disk_degrades_loudly_and_heals(self) -> None:
        self.machine.run("systemctl", "stop", SERVICE)
        owner = self.machine.read("stat", "--format=%u:%g", FOLDER)
        uid, gid = owner.split(":")
        self.machine.run("mount", "-t", "tmpfs", "-o", f"size=256k,mode=0750,uid={uid},gid={gid}", "tmpfs", FOLDER)
        try:
            self.machine.run("dd", "if=/dev/zero", f"of={FOLDER}/ballast", "bs=4k", "count=64", check=False)
            self.machine.run("systemctl", "start", SERVICE)
            self.machine.wait_ready()
            with Forgetful() as forgetful:
                self.machine.find_ghost(forgetful.pid)
                troubles = eventually("the trouble is told on the bus", lambda: self.machine.get("Troubles"))
                self.assertRegex(" ".join(troubles), r"(?i)full|space|disk|state")
                self.assertTrue(self.machine.active())
        finally:
            self.machine.run("systemctl", "stop", SERVICE)
            self.machine.run("umount", FOLDER)
            self.machine.run("systemctl", "start", SERVICE)
            self.machine.wait_ready()
        self.assertEqual(self.machine.get("Troubles"), [])
