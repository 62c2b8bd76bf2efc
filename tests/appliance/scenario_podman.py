# SPDX-License-Identifier: Apache-2.0
"""The OCI image on a host that has podman and none of our packages, as packaging/image/README.md says."""

import json
import os
import pathlib
import re
import shutil
from collections.abc import Callable

from bpf_ids import ids_of_process
from machine import BUS, CONFIGURATION, SERVICE, TOP, Forgetful, Scenario, eventually, in_unit, unit_drop_in

README = TOP / "packaging/image/README.md"
OPTED_OUT = "egb-opted-out.service"
BY_LINK = "egb-opted-out-by-link.service"
ADMINISTRATORS = "# An administrator's own.\n[tcp]\nFinWait2After=7min\n"
POLKIT_ACTIONS = "polkit-1/actions/org.eghostbuster1.policy"
WATCHDOG_SECONDS = 3
# What is the test machine's and no host's: podman in a container in which file systems cannot be laid over each other,
# with neither control group controllers nor keys nor sysctls; and processes that are those of a machine around it.
IN_A_CONTAINER = {
    "/etc/containers/storage.conf": '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\n'
                                    'graphroot = "/var/lib/containers/storage"\n',
    "/etc/containers/containers.conf": "[containers]\npids_limit = 0\nkeyring = false\ndefault_sysctls = []\n",
    "/etc/containers/systemd/eghostbuster.container.d/test.conf":
        "[Container]\nVolume=/run/host/proc:/run/host/proc:ro\n"
        f"Environment=WATCHDOG_USEC={WATCHDOG_SECONDS}000000\n",
}


def commands(heading: str) -> str:
    """What the README says to do under a heading."""
    section = README.read_text().split(f"\n### {heading}\n", 1)[1].split("\n#", 1)[0]
    return "\n".join(line.strip() for line in section.splitlines() if line.startswith("    "))


class Podman(Scenario):
    rung = "podman"
    files = {
        **IN_A_CONTAINER,
        **unit_drop_in(f"WatchdogSec={WATCHDOG_SECONDS}\nStartLimitBurst=50"),
        f"/etc/systemd/system/{OPTED_OUT}.d/ghosts.conf": "[X-Ghostbuster]\nClean=no\n",
        "/srv/ghosts.conf": "[X-Ghostbuster]\nClean=no\n",
        CONFIGURATION: ADMINISTRATORS,
        # Announced, and never done: the test is over by then.
        "/etc/eghostbuster/eghostbuster.conf.d/20-podman.conf":
            f"[tcp]\nClean=proven\nVeto=1h\nOnly=unit:{OPTED_OUT} unit:{BY_LINK}\nNudge=no\n",
    }

    @classmethod
    def after_boot(cls) -> None:
        """An older version, whose polkit actions are below /etc; and then an upgrade, where they are not."""
        cls.machine.run("mkdir", f"/etc/systemd/system/{BY_LINK}.d")
        cls.machine.run("ln", "-s", "/srv/ghosts.conf", f"/etc/systemd/system/{BY_LINK}.d")
        cls.install("EGB_OCI_OLD_ARCHIVE", "--transform=s,^usr/share/polkit-1,etc/polkit-1,")
        cls.before = cls.host_files()
        cls.install("EGB_OCI_ARCHIVE")

    @classmethod
    def install(cls, archive: str, *options: str) -> None:
        folder = f"/root/{archive}"
        cls.machine.run("mkdir", folder)
        shutil.copy(os.environ[archive], cls.machine.root() / folder.lstrip("/"))
        said = commands("Install, or upgrade").replace("tar --extract", " ".join(["tar --extract", *options]))
        cls.machine.run("sh", "-ec", f"cd {folder}\n{said}")

    @classmethod
    def host_files(cls) -> set[str]:
        """All that has our name, but what is the tests' own or made by others from these."""
        return set(cls.machine.read(
            "find", "/etc", "/usr", "-xdev", "-name", "*ghost*", "-type", "f", "-not", "-path", "/etc/systemd/system/*",
            "-not", "-path", "/etc/eghostbuster/*", "-not", "-path", "*/eghostbuster.container.d/*").splitlines())

    def daemon_pid(self) -> int:
        """In the machine, 0 when there is none; the main process of the unit is podman's."""
        done = self.machine.run("busctl", "call", "--json=short", "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                "org.freedesktop.DBus", "GetConnectionUnixProcessID", "s", BUS, check=False)
        return int(json.loads(done.stdout)["data"][0]) if done.returncode == 0 else 0

    def status(self) -> str:
        return self.machine.read("cat", f"/proc/{self.daemon_pid()}/status")

    def ghostctl(self, *arguments: str) -> str:
        return self.machine.read("/usr/local/bin/ghostctl", *arguments)

    def test_0_an_upgrade_leaves_nothing_of_the_version_before_and_all_of_the_administrators(self) -> None:
        after = self.host_files()
        self.assertEqual(self.before - after, {f"/etc/{POLKIT_ACTIONS}"})
        self.assertEqual(after - self.before, {f"/usr/share/{POLKIT_ACTIONS}"})
        self.assertEqual(len(self.machine.read("podman", "images", "--quiet").splitlines()), 1)
        self.assertEqual(self.machine.read("cat", CONFIGURATION), ADMINISTRATORS.strip())
        self.assertRegex(self.ghostctl("policy", "show", "tcp"), r"FinWait2After +7min ")

    def test_1_systemd_hears_the_daemon_itself(self) -> None:
        self.assertRegex(self.machine.unit("StatusText"), r"ghosts .* tcp ok, process ok, lockfile ok")
        self.assertGreater(int(self.machine.unit("NFileDescriptorStore")), 20)
        fed = self.machine.unit("WatchdogTimestampMonotonic")
        eventually("the watchdog is fed", lambda: self.machine.unit("WatchdogTimestampMonotonic") != fed)
        self.assertEqual(self.machine.unit("NRestarts"), "0")

    def test_2_it_has_the_privileges_that_the_kinds_name_and_no_others(self) -> None:
        status = self.status()
        uid = re.search(r"^Uid:\t(\d+)", status, re.MULTILINE).group(1)
        self.assertEqual(uid, self.machine.read("id", "--user", "eghostbuster"))
        self.assert_privileges(status)
        self.assertIn("NoNewPrivs:\t1", status)
        self.assertIn("Seccomp:\t2", status)
        mounts = self.machine.read("cat", f"/proc/{self.daemon_pid()}/mounts").splitlines()
        writable = {line.split()[1] for line in mounts if line.split()[3].split(",")[0] == "rw"}
        self.assertEqual({path for path in writable if not re.match(r"/proc$|/dev/|/sys/", path)},
                         {"/var/lib/eghostbuster", "/run/systemd/notify"})

    def test_3_a_forgotten_socket_is_found(self) -> None:
        with Forgetful() as forgetful:
            ghost = self.machine.find_ghost(forgetful.pid)
            self.assertIn(f"Ghost {ghost.id}: CLOSE_WAIT", self.ghostctl("explain", str(ghost.id)))
            self.assertEqual(self.machine.entries(GHOST_ID=str(ghost.id))[0]["GHOST_KIND"], "tcp")

    def test_4_ghostctl_of_the_host(self) -> None:
        self.assertIn("Everything that is needed works.", self.ghostctl("doctor"))
        self.assertIn("State: ok", self.ghostctl("status"))
        with open(self.machine.root() / "root/held", "w", encoding="utf-8"):
            pids = self.ghostctl("who-owns", "--quiet", "/proc/1/root/root/held").split()
            self.assertIn(str(os.getpid()), pids)

    def check_opts_out(self, unit: str, why: str) -> None:
        forgetful = Forgetful()
        with in_unit(forgetful.pid, unit):
            try:
                ghost = self.machine.find_ghost(forgetful.pid)
                self.assertEqual(ghost.decision, "report")
                self.assertIn(why, self.machine.call("Explain", "t", ghost.id)[0])
            finally:
                forgetful.end()

    def test_5_the_units_of_the_host_can_opt_out(self) -> None:
        self.check_opts_out(OPTED_OUT, f'its unit {OPTED_OUT} says "Clean=no"')

    def test_5_a_link_that_leads_out_of_the_container_is_no_way_past_an_opt_out(self) -> None:
        self.check_opts_out(BY_LINK, f"whether its unit {BY_LINK} wants to be left alone cannot be read")

    def test_6_a_reload_says_what_is_wrong(self) -> None:
        wrong = "/etc/eghostbuster/eghostbuster.conf.d/99-wrong.conf"
        self.machine.put(wrong, "[tcp]\nCloseWaitAfter=never\n")
        (self.machine.root() / wrong.lstrip("/")).chmod(0o644)
        self.assertNotEqual(self.machine.run("systemctl", "reload", SERVICE, check=False).returncode, 0)
        self.assertIn("99-wrong.conf:2", self.machine.journal(f"--unit={SERVICE}"))
        self.machine.run("rm", wrong)
        self.machine.run("systemctl", "reload", SERVICE)

    def check_survives(self, interrupt: Callable[[int], None]) -> None:
        with Forgetful() as forgetful:
            before = self.machine.find_ghost(forgetful.pid)
            old = self.daemon_pid()
            maps = self.maps()
            interrupt(old)
            eventually("another daemon is ready", lambda: self.machine.active() and self.daemon_pid() not in (0, old))
            self.assertEqual(maps - self.maps(), set(), "what the kernel side has kept is taken over")
            after = self.machine.find_ghost(forgetful.pid)
            self.assertAlmostEqual(after.since, before.since, delta=1.0)
            self.assertFalse(after.at_least)

    def maps(self) -> set[int]:
        return {number for what, number in ids_of_process(self.machine.host_pid_of(self.daemon_pid()))
                if what == "map"}

    def test_7_nothing_is_lost_by_a_restart_a_kill_or_a_hang(self) -> None:
        self.check_survives(lambda pid: self.machine.run("systemctl", "restart", "--no-block", SERVICE))
        self.check_survives(lambda pid: self.machine.run("sh", "-c", f"kill -KILL {pid}"))
        self.check_survives(lambda pid: self.machine.run("sh", "-c", f"kill -STOP {pid}"))
        self.assertIn("Watchdog timeout", self.machine.journal(f"--unit={SERVICE}"))

    def test_8_podman_has_nothing_to_complain_of(self) -> None:
        done = self.machine.run("/usr/libexec/podman/quadlet", "-dryrun")
        self.assertIn("ExecStart=/usr/bin/podman run", done.stdout)
        complaints = [line for line in done.stderr.splitlines() if "Loading source" not in line]
        self.assertEqual(complaints, [])

    def test_8_a_configuration_behind_an_absolute_link_is_refused(self) -> None:
        """In the container it leads elsewhere, and the daemon would run by other rules than it was told."""
        self.machine.run("mv", "/etc/eghostbuster", "/etc/elsewhere")
        self.machine.run("ln", "-s", "/etc/elsewhere", "/etc/eghostbuster")
        self.assertNotEqual(self.machine.run("systemctl", "restart", SERVICE, check=False).returncode, 0)
        self.assertIn("/etc/eghostbuster of this machine is a link to /etc/elsewhere",
                      self.machine.journal(f"--unit={SERVICE}"))
        self.machine.run("rm", "/etc/eghostbuster")
        self.machine.run("mv", "/etc/elsewhere", "/etc/eghostbuster")
        self.machine.run("systemctl", "restart", SERVICE)

    def test_9_it_leaves_as_it_came(self) -> None:
        self.machine.run("sh", "-ec", commands("Remove"))
        self.assertEqual(self.host_files(), set())
        self.assertEqual(self.machine.read("podman", "images", "--quiet"), "")
        self.assertIn("not-found", self.machine.unit("LoadState"))
        self.assertIn("[tcp]", self.machine.read("cat", CONFIGURATION), "what it has kept is not removed yet")
        self.machine.run("sh", "-ec", commands("Remove what it has kept, too"))
        for what in ("passwd", "group"):
            self.assertNotEqual(self.machine.run("getent", what, "eghostbuster", check=False).returncode, 0)
        self.assertEqual(self.machine.read("find", "/etc", "/var/lib", "-maxdepth", "1", "-name", "eghostbuster"), "")
