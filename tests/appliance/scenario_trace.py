# SPDX-License-Identifier: Apache-2.0
"""The process monitor, booted: it sees the processes of this machine, and is in the kernel only while somebody watches."""

import json
import os
import subprocess

from bpf_ids import exists, ids_of_process
from machine import BUS, CONTROL, MANAGER, PATH, Scenario, eventually, in_unit

NOBODY = "nobody"


class Trace(Scenario):
    def ids(self) -> set[tuple[str, int]]:
        return set(ids_of_process(self.machine.host_pid()))

    def trace(self, *options: str) -> subprocess.Popen:
        """`ghostctl trace --json`, that has begun to watch."""
        process = subprocess.Popen(
            [CONTROL, "exec", self.machine.name, "ghostctl", "trace", "--json", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.assertEqual(json.loads(process.stdout.readline())["event"], "watching")
        return process

    def finish(self, process: subprocess.Popen) -> list[dict]:
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        return [json.loads(line) for line in out.splitlines()]

    def test_sees_a_process_of_this_machine_and_leaves_the_kernel_clean(self) -> None:
        before = self.ids()
        process = self.trace("--for", "2s")
        programs = self.ids() - before
        self.assertIn("prog", {what for what, _ in programs})
        child = subprocess.Popen(["sh", "-c", "exit 7"])
        child.wait()
        events = [event for event in self.finish(process) if event.get("pid") == child.pid]
        self.assertEqual([event["event"] for event in events], ["exec", "exit"])
        self.assertEqual(events[0]["args"], ["sh", "-c", "exit 7"])
        self.assertEqual(events[0]["ppid"], os.getpid())
        self.assertEqual(events[1]["status"], 7)
        eventually("its programs and maps have left the kernel",
                   lambda: not [one for one in programs if exists(*one)])

    def test_names_the_unit_of_a_process_that_is_gone(self) -> None:
        unit = "egb-traced.service"
        process = self.trace("--unit", unit, "--for", "3s")
        child = subprocess.Popen(["sh", "-c", "read go; exec true"], stdin=subprocess.PIPE)
        with in_unit(child.pid, unit):
            child.communicate(b"\n")
        events = self.finish(process)
        self.assertEqual([event["event"] for event in events], ["exec", "exit"])
        self.assertEqual({event["unit"] for event in events}, {unit})
        self.assertEqual({event["pid"] for event in events}, {child.pid})

    def test_follows_a_process_of_this_machine(self) -> None:
        child = subprocess.Popen(["sh", "-c", "read go; sh -c true; exit 0"], stdin=subprocess.PIPE)
        process = self.trace("--pid", str(child.pid), "--for", "2s")
        subprocess.run(["true"], check=True)
        child.communicate(b"\n")
        events = self.finish(process)
        self.assertEqual([event["event"] for event in events], ["exec", "exit", "exit"])
        self.assertEqual(events[0]["ppid"], child.pid)
        self.assertEqual(events[2]["pid"], child.pid)

    def test_shows_a_table_and_totals(self) -> None:
        done = self.machine.run("ghostctl", "trace", "--for", "500ms")
        self.assertIn("FILENAME/EXIT", done.stdout)
        self.assertRegex(done.stderr, r"\d+ events? .*none lost")

    def test_is_denied_to_everybody(self) -> None:
        done = self.machine.run(
            "busctl", "call", BUS, PATH, MANAGER, "Watch", "sa{sv}", "process", "0", check=False, user=NOBODY)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"(?i)denied|not authori[sz]ed|authori[sz]ation|permission")

    def test_goes_with_the_daemon_and_says_so(self) -> None:
        process = self.trace()
        self.machine.run("systemctl", "restart", "eghostbuster.service")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3)
        self.machine.wait_ready()
