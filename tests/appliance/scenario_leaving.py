# SPDX-License-Identifier: Apache-2.0
"""What is left when it goes: nothing in the kernel after a stop, nothing on the disk after a purge."""

import os
import shutil

from bpf_ids import exists, ids_of_process
from machine import BUS, SERVICE, Forgetful, Scenario, eventually

PACKAGE = "eghostbuster"


def any_of(*paths: str) -> list[str]:
    """The same for find."""
    return [word for path in paths for word in ("-o", "-path", path)][1:]


OTHERS_NOTES = any_of(
    "/tmp", "/var/tmp", "/var/log", "/var/cache", "/var/lib/dpkg", "/var/lib/systemd/catalog/database", "/etc/*-",
    "/root", "/proc", "/sys", "/dev", "/run")
COMES_AND_GOES = any_of("/run/log", "/run/host", "/run/systemd/journal", "/run/systemd/transient", "/run/user", "/run/lock")


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

    def test_3_a_purge_leaves_nothing(self) -> None:
        """Whatever it has made while it was there, and whatever was made for it."""
        self.machine.dpkg("--purge", PACKAGE)
        self.assert_gone()
        without = self.machine_as_it_is()
        shutil.copy(os.environ["EGB_PACKAGE"], self.machine.root() / "tmp/eghostbuster.deb")
        self.machine.dpkg("--install", "/tmp/eghostbuster.deb")
        self.machine.wait_ready()
        self.use()
        self.assertGreater(len(self.machine_as_it_is()), len(without))
        ids = self.ids()
        self.machine.dpkg("--purge", PACKAGE)
        self.wait_gone(ids)
        self.assert_gone()
        self.maxDiff = None
        self.assertEqual(self.machine_as_it_is(), without)

    def use(self) -> None:
        """Everything that leaves a trace: a policy and a drop-in, a ghost in the history, a pause, a restart."""
        folder = self.machine.root() / "etc/eghostbuster/eghostbuster.conf.d"
        (folder / "10-mine.conf").write_text("[tcp]\nCloseWaitAfter=1s\nClean=never\n[lockfile]\nClean=never\n")
        self.machine.run("systemctl", "reload", SERVICE)
        self.machine.run("ghostctl", "policy", "set", "--persistent", "tcp", "LastAckAfter=7min")
        with Forgetful() as forgetful:
            self.machine.find_ghost(forgetful.pid)
        self.machine.run("ghostctl", "pause")
        self.machine.run("systemctl", "restart", SERVICE)
        self.machine.wait_ready()

    def assert_gone(self) -> None:
        self.assertNotEqual(self.machine.run("systemctl", "cat", SERVICE, check=False).returncode, 0)
        for listing in ("list-units", "list-unit-files"):
            self.assertEqual(self.machine.run("systemctl", listing, "--all", "--no-legend", "*ghost*", check=False).stdout, "")
        self.assertEqual(self.machine.run("getent", "passwd", "eghostbuster", check=False).stdout, "")
        self.assertEqual(self.machine.run("getent", "group", "eghostbuster", check=False).stdout, "")
        eventually("the bus does not know it any more", lambda: BUS not in self.machine.read("busctl", "list"))
        self.assertNotEqual(self.machine.run("dpkg", "--status", PACKAGE, check=False).returncode, 0)
        catalog = self.machine.read("journalctl", "--dump-catalog")
        self.assertNotIn("ghost", catalog)

    def machine_as_it_is(self) -> dict[str, str]:
        """Each file of the machine, with a sum of what is in those of /etc; not what others write about it: logs, what
        dpkg and the editors of /etc/passwd keep of the time before, and what comes and goes by itself."""
        names = self.machine.read(
            "find", "/", "-xdev", "(", *OTHERS_NOTES, ")", "-prune", "-o", "-printf", r"%p %y %m %u\n").splitlines()
        names += self.machine.read("find", "/run", "(", *COMES_AND_GOES, ")", "-prune", "-o", "-printf", r"%p %y\n").splitlines()
        sums = self.machine.read("find", "/etc", "-type", "f", "-not", "-name", "*-", "-exec", "sha256sum", "{}", "+")
        contents = {name: digest for digest, name in (line.split(maxsplit=1) for line in sums.splitlines())}
        return {name: contents.get(name.split(" ")[0], "") for name in names}
