# SPDX-License-Identifier: Apache-2.0
"""Sockets of this machine's processes that are stuck in CLOSE_WAIT, and some that only look like it."""

import json
import os
import resource
import socket
import time

from machine import CLOSE_WAIT_AFTER, Forgetful, Row, Scenario, eventually


class Tcp(Scenario):
    # Made before the machine is booted, in this network namespace and in one of its own.
    early: Forgetful
    early_elsewhere: Forgetful

    @classmethod
    def before_boot(cls) -> None:
        cls.early = cls.enterClassContext(Forgetful())
        cls.early_elsewhere = cls.enterClassContext(Forgetful("--family=ipv6", "--new-network"))

    def check_owner(self, forgetful: Forgetful, ghost: Row) -> dict:
        """The list names the process; the description names everything."""
        self.assertEqual(ghost.kind, "tcp")
        self.assertEqual(ghost.grade, "proven", "its peer is on this machine and has closed for good")
        self.assertEqual(ghost.pid, forgetful.pid)
        self.assertEqual(ghost.comm, forgetful.comm)
        (text,) = self.machine.call("Describe", "t", ghost.id)
        described = json.loads(text)
        self.assertEqual(described["id"], ghost.id)
        (holder,) = described["holders"]
        self.assertEqual(holder["pid"], forgetful.pid)
        self.assertEqual(holder["fd"], forgetful.sockets[0]["fd"])
        self.assertEqual(holder["exe"], forgetful.exe)
        self.assertEqual(holder["uid"], 0)
        for end in (forgetful.sockets[0]["local"], forgetful.sockets[0]["peer"]):
            self.assertIn(str(end[1]), text, "its ports are told")
        return described

    def check_found(self, *options: str) -> dict:
        with Forgetful(*options) as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
            self.assertFalse(ghost.at_least, "nothing was heard of it since its beginning")
            self.assertAlmostEqual(ghost.since, forgetful.born, delta=1.0)
            described = self.check_owner(forgetful, ghost)
            self.assertIn(str(forgetful.netns), json.dumps(described), "its network namespace is told")
            return described

    def test_ipv4(self) -> None:
        self.check_found("--family=ipv4")

    def test_ipv6(self) -> None:
        self.check_found("--family=ipv6")

    def test_v4_mapped(self) -> None:
        self.check_found("--family=mapped")

    def test_ipv4_in_another_network_namespace(self) -> None:
        self.check_found("--family=ipv4", "--new-network")

    def test_ipv6_in_another_network_namespace(self) -> None:
        self.check_found("--family=ipv6", "--new-network")

    def test_v4_mapped_in_another_network_namespace(self) -> None:
        self.check_found("--family=mapped", "--new-network")

    def test_one_that_was_there_before_the_daemon(self) -> None:
        ghost = self.machine.find_ghost(self.early.pid)
        self.check_owner(self.early, ghost)
        self.assertAlmostEqual(ghost.since, self.early.born, delta=1.0, msg="its age is in the socket itself")

    def test_one_that_was_there_before_the_daemon_in_another_network_namespace(self) -> None:
        ghost = self.machine.find_ghost(self.early_elsewhere.pid)
        self.check_owner(self.early_elsewhere, ghost)
        self.assertAlmostEqual(ghost.since, self.early_elsewhere.born, delta=1.0)

    def test_explain_gives_both_sides(self) -> None:
        with Forgetful("--peer=half") as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
            (text,) = self.machine.call("Explain", "t", ghost.id)
        self.assertIn("CLOSE_WAIT", text)
        self.assertIn(str(forgetful.pid), text)
        self.assertIn("legal", text, "the evidence against it stands there too")

    def test_a_hundred_sockets_of_one_process(self) -> None:
        with Forgetful("--count=100") as forgetful:
            self.machine.find_ghost(forgetful.pid)
            time.sleep(1)
            self.assertEqual(len(self.machine.ghosts_of(forgetful.pid)), 100)

    def test_a_leak_is_one_line(self) -> None:
        with Forgetful("--count=100", "--comm=leaky") as forgetful:
            summary = eventually("a summary of all", lambda: self.summary_of_all(forgetful))
            self.assertEqual(summary.grade, "suspected")
            self.assertEqual(summary.decision, "report")
            pid = f"--pid={forgetful.pid}"

            listed = self.machine.read("ghostctl", "list", pid)
            self.assertRegex(listed, r"(?m)^ *\d+ +tcp +suspected .*leaky.* holds 100 stuck sockets$")
            self.assertIn("1 ghost listed. 100 more are folded into summaries", listed)
            every = self.machine.read("ghostctl", "list", "--all", "--no-legend", pid).splitlines()
            self.assertEqual(len([line for line in every if " CLOSE_WAIT " in line]), 100)

            shown = json.loads(self.machine.read("ghostctl", "show", "--json", str(summary.id)))["ghosts"][0]
            self.assertIsNone(shown["group"])
            self.assertEqual(
                sorted(member["fd"] for member in shown["members"]), sorted(end["fd"] for end in forgetful.sockets)
            )
            sheet = self.machine.read("ghostctl", "show", str(summary.id))
            self.assertRegex(sheet, r"(?m)^ *ID +FD +AGE +SUMMARY$")
            self.assertIn("50 more", sheet)

            # The kernel's own count, which reads /proc/PID/fd from outside.
            open_files = len(os.listdir(f"/proc/{forgetful.pid}/fd"))
            evidence = {piece["name"]: piece["value"] for piece in shown["evidence"]}
            self.assertEqual(evidence["leak-size"], 100)
            self.assertEqual(evidence["descriptors"], open_files)
            self.assertEqual(evidence["descriptor-limit"], resource.prlimit(forgetful.pid, resource.RLIMIT_NOFILE)[0])

            (member,) = self.machine.call("Describe", "t", shown["members"][0]["id"])
            self.assertEqual(json.loads(member)["group"], summary.id)
        eventually("the summary goes with its process", lambda: not self.machine.summary_of(forgetful.pid))

    def summary_of_all(self, forgetful: Forgetful) -> Row | None:
        summary = self.machine.summary_of(forgetful.pid)
        return summary if summary and f" {len(forgetful.sockets)} stuck" in summary.summary else None

    def test_a_young_one_is_not_a_ghost_yet(self) -> None:
        with Forgetful() as forgetful:
            while time.time() < forgetful.born + CLOSE_WAIT_AFTER - 1.0:
                self.assertEqual(self.machine.ghosts_of(forgetful.pid), [])

    def test_a_half_close_that_still_moves_data_lives(self) -> None:
        """The look-alike: a client that has said all it has to say and reads a slow answer."""
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
            client.connect(listener.getsockname())
            server, _ = listener.accept()
            client.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + 2 * CLOSE_WAIT_AFTER + 1
            port = str(listener.getsockname()[1])
            with server:
                while time.monotonic() < deadline:
                    server.sendall(b"slow answer")
                    client.recv(64)
                    self.assertEqual([row.summary for row in self.all_ghosts() if port in row.summary], [])
                    time.sleep(0.3)

    def all_ghosts(self) -> list[Row]:
        _, rows = self.machine.call("ListGhosts", "a{sv}uu", 0, 0, 1000)
        return [Row(*row) for row in rows]
