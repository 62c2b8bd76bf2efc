# SPDX-License-Identifier: Apache-2.0
"""What is left when it goes: nothing in the kernel after a stop, nothing on the disk after a purge."""

import re

from bpf_ids import exists, ids_of_process
from machine import SERVICE, Scenario, eventually


class Leaving(Scenario):
    def ids(self) -> list[tuple[str, int]]:
        found = ids_of_process(self.machine.host_pid())
        self.assertIn("prog", {what for what, _ in found}, "the daemon has programs in the kernel while it runs")
        self.assertIn("map", {what for what, _ in found})
        return found

    def wait_gone(self, ids: list[tuple[str, int]]) -> None:
        """The kernel frees them a grace period after the last descriptor is closed."""
        eventually("all of them have left the kernel", lambda: not [one for one in ids if exists(*one)])

    def test_1_a_stop_leaves_the_kernel_clean(self) -> None:
        ids = self.ids()
        self.machine.run("systemctl", "stop", SERVICE)
        self.assertEqual(self.machine.unit("Result"), "success")
        self.wait_gone(ids)

    def test_2_a_restart_goes_on_with_the_same_maps(self) -> None:
        self.machine.run("systemctl", "start", SERVICE)
        self.machine.wait_ready()
        before = {number for what, number in self.ids() if what == "map"}
        self.machine.run("systemctl", "restart", SERVICE)
        self.machine.wait_ready()
        self.assertTrue(before & {number for what, number in self.ids() if what == "map"})

    def test_3_a_purge_leaves_the_disk_clean(self) -> None:
        ids = self.ids()
        # Ours, and so no package's to remove.
        self.machine.run("rm", "--recursive", "/etc/eghostbuster/eghostbuster.conf.d")
        self.machine.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--purge", "eghostbuster")
        self.wait_gone(ids)
        left = self.machine.read(
            "find", "/etc", "/usr", "/var/lib", "-xdev", "-name", "*ghost*", "-not", "-path", "/var/lib/dpkg/*")
        # The user stays, as Debian's policy has it; what systemd notes of a unit that was enabled is its own.
        left = [line for line in left.splitlines() if not re.search(r"deb-systemd-helper|/var/lib/systemd/", line)]
        self.assertEqual(left, [])
        self.assertNotEqual(self.machine.run("systemctl", "cat", SERVICE, check=False).returncode, 0)
