# SPDX-License-Identifier: Apache-2.0
"""Locks that their owners have left behind, and what only looks like them.

By programs of the tests' own, and by git, vim and dpkg; scenario_lockfile_programs.py has others.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tempfile
import unittest
from collections.abc import Callable, Iterator

from lockers import Locker, LockScenario, folders_of, governed, running
from machine import PATIENCE, PYTHON, SERVICE, TOP, eventually, in_unit

ASK_OWNERS = TOP / "tests/harness/ask_owners.py"
LOCK_AFTER = 1.0
MOST_BYTES = 4096
STRANGER = 4711
# Of the NFS server of this machine, which need not have one.
EXPORTS = pathlib.Path("/var/lib/nfs/etab")
UNIT, OPTED_OUT = "egb-locks.service", "egb-locks-precious.service"
FILES = {
    "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf":
        governed("Lockfile", f"LockAfter={LOCK_AFTER}s", "Only=/srv/* /var/lib/dpkg/*", f"MostBytes={MOST_BYTES}"),
    f"/etc/systemd/system/{OPTED_OUT}.d/ghosts.conf": "[X-Ghostbuster]\nClean=no\n",
}
# Told to, it takes a lock, and has not lived for a millisecond when it has.
AT_ONCE = """
import os, signal, sys
sys.stdin.read()
os.open(sys.argv[1], os.O_CREAT | os.O_EXCL)
os.kill(os.getpid(), signal.SIGKILL)
"""


def seen(path: pathlib.Path) -> tuple:
    """All that a restored file must have again."""
    found = os.lstat(path)
    content = os.readlink(path) if stat.S_ISLNK(found.st_mode) else path.read_bytes() if path.is_file() else ""
    return found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns, content


def filled(path: pathlib.Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size > 0
    return False


def change_exports(change: Callable[[str], str]) -> None:
    """As exportfs does, by another file in its place; one after the other, for others may test on this machine."""
    EXPORTS.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(EXPORTS.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        draft = EXPORTS.with_name("egb-etab")
        draft.write_text(change(EXPORTS.read_text() if EXPORTS.exists() else ""))
        draft.replace(EXPORTS)
    finally:
        os.close(folder)


@contextlib.contextmanager
def exported(folder: pathlib.Path) -> Iterator[None]:
    """By the table alone: to nobody, whose address is one of those for documentation."""
    line = f"{folder}".replace(" ", "\\040") + "\t192.0.2.1(ro,sync,wdelay,hide,nocrossmnt,secure,root_squash)\n"
    change_exports(lambda table: table + line)
    try:
        yield
    finally:
        change_exports(lambda table: table.replace(line, ""))


def mount_namespaces() -> set[str]:
    """Those that somebody lives in."""
    found = set()
    for link in pathlib.Path("/proc").glob("[0-9]*/ns/mnt"):
        with contextlib.suppress(OSError):
            found.add(os.readlink(link))
    return found


def children_of(pid: int) -> list[int]:
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Lockfile(LockScenario):
    files = FILES

    @classmethod
    def before_boot(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix=folders_of(cls.__name__))
        cls.addClassCleanup(folder.cleanup)
        cls.old = pathlib.Path(folder.name) / "old.lock"
        cls.old.write_text("")

    def dies_and_comes_back(self, way: str) -> dict:
        path = self.folder / f"{way}.lock"
        with Locker(way, path, "--write=PID") as owner:
            os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
            os.utime(path, ns=(1_600_000_000_000_000_001, 1_600_000_000_000_000_002), follow_symlinks=False)
            before = seen(path)
            self.kill(owner)
        act = self.dies(path)
        self.assertIn(f"ghostctl restore {act['ghost']}", act["reason"])
        self.assertIn(str(path), self.machine.read("ghostctl", "quarantine"))
        self.machine.run("ghostctl", "restore", str(act["ghost"]))
        self.assertEqual(seen(path), before)
        self.lives(path)
        return act

    def test_a_file_of_one_who_was_killed(self) -> None:
        act = self.dies_and_comes_back("open")
        self.assertRegex(act["summary"], r"open\.lock left by python3\S* \(pid \d+\), killed by SIGKILL$")

    def test_a_directory(self) -> None:
        self.dies_and_comes_back("mkdir")

    def test_a_symbolic_link(self) -> None:
        self.dies_and_comes_back("symlink")

    def test_a_link(self) -> None:
        path = self.folder / "link.lock"
        self.killed("link", path, "--write=PID")
        self.dies(path)

    def test_in_memory(self) -> None:
        with tempfile.TemporaryDirectory(dir="/dev/shm", prefix=folders_of("Lockfile")) as folder:
            path = pathlib.Path(folder) / "x.lock"
            self.killed("mkdir", path)
            self.dies(path)

    def killed_at_once(self, path: pathlib.Path, unit: str) -> None:
        with subprocess.Popen([PYTHON, "-c", AT_ONCE, path], stdin=subprocess.PIPE) as owner, in_unit(owner.pid, unit):
            owner.communicate()
        self.assertTrue(path.exists())

    def test_of_one_who_is_killed_at_once(self) -> None:
        path = self.folder / "x.lock"
        self.killed_at_once(path, UNIT)
        self.dies(path)

    def test_of_one_who_is_killed_at_once_in_a_unit_that_opts_out(self) -> None:
        path = self.folder / "x.lock"
        self.killed_at_once(path, OPTED_OUT)
        ghost = self.told_as(path, "proven")
        self.assertEqual(ghost.unit, OPTED_OUT)
        self.lives(path)

    def test_of_one_who_does_not_know_the_signal(self) -> None:
        path = self.folder / "x.lock"
        with Locker("open", path) as owner:
            self.kill(owner, signal.SIGUSR1)
            self.dies(path)

    def test_in_a_mount_namespace_of_its_own(self) -> None:
        """And the lock of the same name that this machine sees lives, because its owner does."""
        mount = self.folder / "mount"
        mount.mkdir()
        path = mount / "x.lock"
        with Locker("open", path) as living, Locker("open", path, f"--new-mounts={mount}") as owner:
            inside = pathlib.Path(f"/proc/{owner.keeper}/root{path}")
            self.assertEqual(inside.stat().st_ino, owner.inode)
            self.kill(owner)
            eventually("it is gone", lambda: not inside.exists())
            self.assertEqual(path.stat().st_ino, living.inode)
            self.machine.run("ghostctl", "restore", str(self.cleaned(path)["ghost"]))
            self.assertTrue(inside.exists())

    def test_one_whose_owner_lives_in_a_mount_namespace_of_its_own(self) -> None:
        mount = self.folder / "mount"
        mount.mkdir()
        path = mount / "x.lock"
        with Locker("open", path, f"--new-mounts={mount}") as owner:
            inside = pathlib.Path(f"/proc/{owner.keeper}/root{path}")
            self.killed("open", path)
            self.dies(path)
            self.assertEqual(inside.stat().st_ino, owner.inode)

    def test_while_another_mount_namespace_has_the_number_of_the_one_it_was_made_in(self) -> None:
        """The kernel gives the number of one that has ended to the next."""
        path = self.folder / "x.lock"
        hide = f"mount -t tmpfs egb-another {self.folder} && echo && read answer"
        with running("unshare", "--mount", "bash", "-c", f"set -o noclobber; echo $$ >{path}; read") as owner:
            self.remembered(path)
            number = os.readlink(f"/proc/{owner.pid}/ns/mnt")
            owner.kill()
            owner.wait(PATIENCE)
            while number not in mount_namespaces():
                another = self.enterContext(running("unshare", "--mount", "sh", "-c", hide, stdout=subprocess.PIPE, text=True))
                another.stdout.readline()
            self.dies(path)

    def test_pid_1_of_a_container(self) -> None:
        path = self.folder / "x.lock"
        with Locker("open", path, "--container", "--write=PID") as owner:
            self.assertEqual(path.read_text(), "1")
            self.kill(owner)
            self.dies(path)

    def test_of_a_program_in_the_machine(self) -> None:
        unit, path = "egb-owner.service", "/srv/x.lock"
        script = f"set -o noclobber; echo $BASHPID >{path}; sleep 1000"
        self.machine.run("systemd-run", f"--unit={unit}", "--service-type=exec", "bash", "-c", script)
        inside = self.machine.root() / path.lstrip("/")
        self.remembered(path)
        self.ghost_dies_beside()
        self.assertTrue(inside.exists())
        self.machine.run("systemctl", "kill", "--signal=KILL", unit)
        self.assertRegex(self.cleaned(path)["summary"], "left by (bash|sleep) ")
        self.assertFalse(inside.exists())

    def test_bash_with_noclobber(self) -> None:
        path = self.folder / "x.lock"
        with running("bash", "-c", f"set -o noclobber; echo $$ >{path}; read") as script:
            self.remembered(path)
            script.kill()
            self.dies(path)

    # Who asks.

    CONTAINER = "3f7c" * 16
    # PID 1 of a container takes a lock, forks one who inherits it, and asks the machine's bus about it, each time that it is
    # told to: by the descriptor that it has.
    ASKS = """
    read order
    mount -t tmpfs egb-container {folder}
    set -o noclobber
    exec 3>{path}
    sleep 1000 3>&- &
    while read order; do
        {ask} 3 || exit
    done
    """

    def ask(self) -> str:
        """A command, but for the descriptor, that asks from anywhere on this machine."""
        return f"{PYTHON} {ASK_OWNERS} {self.machine.root()}/run/dbus/system_bus_socket"

    def owners_by(self, path: pathlib.Path | str) -> dict:
        """As told to one of us who has it open."""
        command = f"exec {self.ask()} 4 4<{path}"
        return json.loads(subprocess.run(["bash", "-c", command], check=True, capture_output=True).stdout)

    def owned_by_a_container(self, container: subprocess.Popen) -> dict:
        """What it is told of its own lock."""
        container.stdin.write("ask\n")
        container.stdin.flush()
        return json.loads(container.stdout.readline())

    def test_a_container_that_asks_about_its_own_lock(self) -> None:
        folder = self.folder / "inside"
        folder.mkdir()
        path, unit = folder / "x.lock", f"docker-{self.CONTAINER}.scope"
        script = self.ASKS.format(folder=folder, path=path, ask=self.ask())
        with running("unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", script,
                     stdout=subprocess.PIPE, text=True) as outside:
            init = eventually("it is forked", lambda: children_of(outside.pid))[0]
            with in_unit(init, unit):
                outside.stdin.write("go\n")
                told = self.owned_by_a_container(outside)
                (claim,) = told["claims"]
                self.assertEqual((claim["verdict"], told["unclaimed"]), ("owned", []))
                creator, *heirs = claim["claimants"]
                self.assertEqual((creator["role"], creator["lives"]), ("creator", True))
                self.assertEqual(creator["process"]["pid"], init)
                self.assertEqual((creator["process"]["unit"], creator["process"]["container"]), (unit, self.CONTAINER))
                self.assertIn("sleep", [heir["process"]["comm"] for heir in heirs if heir["role"] == "heir"])
                self.assertIn((init, 3), [(holder["pid"], holder["fd"]) for holder in told["holders"]])
                # Without anybody in its mount namespace, it could not be looked at; open here, it is not cleaned.
                keeper = ("nsenter", f"--mount=/proc/{init}/ns/mnt", "sh", "-c", "echo; read answer")
                self.enterContext(running(*keeper, stdout=subprocess.PIPE)).stdout.readline()
                opened = os.open(f"/proc/{init}/root{path}", os.O_RDONLY)
                self.addCleanup(os.close, opened)
                os.kill(init, signal.SIGKILL)
                outside.wait(PATIENCE)
            told = self.owners_by(f"/proc/{os.getpid()}/fd/{opened}")
            (claim,) = told["claims"]
            self.assertEqual((claim["claimants"][0]["lives"], claim["claimants"][0]["end"]), (False, "killed by SIGKILL"))
            self.assertEqual(claim["claimants"][0]["process"]["container"], self.CONTAINER)

    def reason_of(self, path: pathlib.Path | str) -> str:
        told = self.owners_by(path)
        self.assertEqual(told["claims"], [])
        (disclaimer,) = told["unclaimed"]
        self.assertEqual(disclaimer["kind"], "lockfile")
        return disclaimer["reason"]

    def test_why_a_file_is_not_known_as_a_lock(self) -> None:
        for name, reason in (("Cargo.lock", "data-file"), ("syslog", "other-name")):
            with Locker("open", self.folder / name):
                self.assertEqual(self.reason_of(self.folder / name), reason)
        path = self.folder / "x.lock"
        with Locker("flock", path):
            self.assertEqual(self.reason_of(path), "advisory")
        self.assertEqual(self.reason_of(path), "not-exclusive")

    def test_why_a_file_of_before_is_not_known(self) -> None:
        self.assertEqual(self.reason_of(self.old), "older")

    def test_why_a_file_on_another_kind_of_file_system_is_not_known(self) -> None:
        if "by timestamps: " not in " ".join(self.machine.read("ghostctl", "doctor").split()):
            self.skipTest("files are seen on all file systems here")
        folder = self.folder / "inside"
        folder.mkdir()
        subprocess.run(["mount", "-t", "ramfs", "egb-ramfs", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        with Locker("open", folder / "x.lock"):
            self.assertEqual(self.reason_of(folder / "x.lock"), "file-system")

    def test_why_a_file_in_a_users_own_mounts_is_not_known(self) -> None:
        folder = self.folder / "inside"
        folder.mkdir()
        script = f"mount -t tmpfs egb-users {folder} && exec 3>{folder}/x.lock && echo && read answer"
        with running("unshare", "--user", "--map-root-user", "--mount", "bash", "-c", f"set -o noclobber; {script}",
                     stdout=subprocess.PIPE, text=True) as owner:
            owner.stdout.readline()
            self.assertEqual(self.reason_of(f"/proc/{owner.pid}/fd/3"), "users-mounts")

    # Look-alikes.

    def git(self, *arguments: str) -> tuple[str, ...]:
        return ("git", "-C", str(self.folder), "-c", "user.name=egb", "-c", "user.email=egb@localhost", *arguments)

    def test_git_while_the_editor_is_open(self) -> None:
        subprocess.run(self.git("init", "--quiet"), check=True)
        index, opened = self.folder / ".git/index.lock", self.folder / "opened"
        (self.folder / "file").write_text("text")
        subprocess.run(self.git("add", "file"), check=True)
        editor = {**os.environ, "GIT_EDITOR": f"touch {opened}; sleep 1000; :"}
        with running(*self.git("commit", "--all", "--quiet"), env=editor) as git:
            eventually("the editor is open", opened.exists)
            self.assertTrue(index.exists())
            self.lives_unnoticed(index)
            git.kill()
            git.wait()
            self.lives_unnoticed(index)  # the editor is an heir
            os.killpg(git.pid, signal.SIGKILL)
            self.dies(index)
        subprocess.run(self.git("commit", "--all", "--quiet", "--message=it works again"), check=True)

    def test_a_contender_in_vain(self) -> None:
        path = self.folder / "x.lock"
        with Locker("open", path), Locker("in-vain", path) as contender:
            contender.kill()
            self.lives_unnoticed(path)

    def test_a_worker_thread_that_ends(self) -> None:
        path = self.folder / "x.lock"
        with Locker("open", path, "--thread"):
            self.lives_unnoticed(path)

    def test_a_daemon_that_forks_and_loses_its_parent(self) -> None:
        path = self.folder / "x.lock"
        with Locker("open", path, "--heir") as daemon:
            self.kill(daemon)
            self.lives_unnoticed(path)
            os.kill(daemon.heir, signal.SIGKILL)
            self.dies(path)

    def test_a_script_whose_commands_have_exited(self) -> None:
        file, folder = self.folder / "x.lock", self.folder / "lockdir"
        with running("sh", "-c", f"touch {file}; mkdir {folder}; read answer") as script:
            self.remembered(folder)
            self.lives_unnoticed(file)
            self.lives_unnoticed(folder)
            script.kill()
            self.suspected(folder, "creator-exited")
            self.lives_unnoticed(file)

    def is_the_scripts(self, commands: str, path: pathlib.Path) -> None:
        """Whoever has made it has exited, and so has whoever may have forked that one; and the script lives."""
        with running("sh", "-c", f"{commands}; read answer") as script:
            self.remembered(path)
            self.lives_unnoticed(path)
            script.kill()
            self.suspected(path, "creator-exited", "ownerless", without={"owners-unknown", "parent-lives"})

    def test_a_script_whose_shell_has_exited(self) -> None:
        path = self.folder / "x.lock"
        self.is_the_scripts(f"sh -c 'mkdir {path}; true'", path)

    def test_a_script_whose_subshell_is_gone_before_its_command(self) -> None:
        path = self.folder / "x.lock"
        self.is_the_scripts(f"(mkdir {path} &)", path)

    def test_a_script_whose_subshells_are_gone_long_before_their_command(self) -> None:
        path, gone = self.folder / "x.lock", self.folder / "gone"
        self.is_the_scripts(f"( ( ( until [ -e {gone} ]; do sleep 0.01; done; mkdir {path} ) & ) ); touch {gone}", path)

    def test_a_script_whose_command_is_of_another_session(self) -> None:
        path = self.folder / "x.lock"
        self.is_the_scripts(f"setsid sh -c 'mkdir {path} &'", path)

    def test_a_script_that_exits_like_its_command(self) -> None:
        """Nobody but PID 1 has started it, which owns nothing."""
        unit, path, go = "egb-script.service", "/srv/left.lock", "/srv/go"
        script = f"(sh -C -c ': >{path}' &); until [ -e {go} ]; do sleep 0.1; done"
        self.machine.run("systemd-run", f"--unit={unit}", "--service-type=exec", "sh", "-c", script)
        inside = self.machine.root() / path.lstrip("/")
        self.remembered(path)
        self.ghost_dies_beside()
        self.assertIsNone(self.ghost_at(path))
        (claim,) = self.machine.owners_of(path)["claims"]
        self.assertEqual(claim["verdict"], "owned")
        self.machine.put(go, "")
        ghost = eventually(f"{path} is told of", lambda: self.ghost_at(path))
        self.assertIn("creator-exited", self.evidence_of(ghost))
        self.assertNotIn("owners-unknown", self.evidence_of(ghost))
        self.assertEqual(ghost.grade, "suspected")
        self.ghost_dies_beside()
        self.assertTrue(inside.exists())

    def test_a_daemon_that_has_forked_twice(self) -> None:
        """Its lock is its own, whoever has started it lives on."""
        path = self.folder / "x.lock"
        daemon = "use POSIX; fork and exit; setsid; fork and exit; " \
                 f"sysopen F, '{path}', O_CREAT | O_EXCL | O_WRONLY; syswrite F, $$; close F; pause"
        with running("sh", "-c", f"perl -e '{daemon.replace(chr(39), chr(34))}'; read answer"):
            eventually("it is there", lambda: filled(path))
            self.remembered(path)
            os.kill(int(path.read_text()), signal.SIGKILL)
            self.dies(path)

    def test_one_that_another_has_taken_since(self) -> None:
        path = self.folder / "x.lock"
        with Locker("open", path) as before:
            self.kill(before)
            path.unlink()
            with Locker("open", path):
                self.lives_unnoticed(path)

    def test_one_that_another_has_taken_since_with_the_same_inode(self) -> None:
        path = self.folder / "x.lock"
        for _ in range(20):
            with Locker("open", path) as before:
                self.kill(before)
                path.unlink()
                with Locker("open", path) as after:
                    if after.inode == before.inode:
                        self.lives_unnoticed(path)
                        return
                    path.unlink()
        self.skipTest("this file system does not give an inode's number again")

    # What those do of whom no mechanism that goes by registers can tell.

    def taken_again_unseen(self, caller: str, path: pathlib.Path, way: str) -> bool:
        """By another, after one who was killed then; whether it has the same inode number."""
        with Locker("open", path, "--write=PID") as before:
            self.remembered(path)
            if way == "open":
                path.unlink()
            after = self.enterContext(Locker(f"{way}-by-{caller}", path, "--write=PID"))
            before.kill()
        self.assertEqual(path.read_text(), str(after.pid))
        return after.inode == before.inode

    def lives_taken_again_unseen(self, caller: str, way: str) -> None:
        paths = [self.folder / f"{number}.lock" for number in range(5)]
        same = [path for path in paths if self.taken_again_unseen(caller, path, way)]
        self.stays_as_it_is(paths[-1])
        for path in paths:
            self.assertTrue(path.exists(), path)
            self.assertIsNone(self.ghost_at(path))
            self.assertEqual(self.history_of(path), [])
        if not same:
            self.skipTest("this file system does not give an inode's number again")

    def test_one_that_io_uring_has_made_since(self) -> None:
        self.lives_taken_again_unseen("io-uring", "open")

    def test_one_that_io_uring_has_removed_and_made_since(self) -> None:
        self.lives_taken_again_unseen("io-uring", "anew")

    def test_one_that_a_worker_of_io_uring_has_removed_and_made_since(self) -> None:
        self.lives_taken_again_unseen("io-uring-worker", "anew")

    def test_one_that_a_32_bit_caller_has_made_since(self) -> None:
        self.lives_taken_again_unseen("32-bits", "open")

    def test_one_that_a_32_bit_caller_has_removed_and_made_since(self) -> None:
        self.lives_taken_again_unseen("32-bits", "anew")

    def lives_written_over_unseen(self, caller: str) -> None:
        """After its owner's death, with the very text that he has written. Even when that one is gone, too."""
        path = self.folder / "x.lock"
        with Locker("open", path, "--write=PID") as before:
            after = self.enterContext(Locker(f"over-by-{caller}", path, f"--write={before.pid}", "--when-asked"))
            self.kill(before)
            self.assertEqual(after.ask("now")["inode"], before.inode)
        self.suspected(path, "changed-since", "names-creator")
        after.kill()
        self.stays_as_it_is(path)

    def test_one_that_io_uring_has_written_over(self) -> None:
        self.lives_written_over_unseen("io-uring")

    def test_one_that_a_worker_of_io_uring_has_written_over(self) -> None:
        self.lives_written_over_unseen("io-uring-worker")

    def test_one_that_a_32_bit_caller_has_written_over(self) -> None:
        self.lives_written_over_unseen("32-bits")

    def test_one_that_is_written_over_within_a_tick_of_the_death(self) -> None:
        """The time of files is behind, and seems to be before the death; which the daemon hears of afterwards."""
        paths = [self.folder / f"{number}.lock" for number in range(20)]
        owners = [self.enterContext(Locker("open", path, "--write=PID")) for path in paths]
        for path in paths:
            self.remembered(path)
        daemon = self.machine.host_pid()
        os.kill(daemon, signal.SIGSTOP)
        try:
            for owner in owners:
                os.kill(owner.pid, signal.SIGKILL)
                os.waitid(os.P_PID, owner.pid, os.WEXITED | os.WNOWAIT)
                owner.path.write_text(str(owner.pid))
        finally:
            os.kill(daemon, signal.SIGCONT)
        for path in paths:
            self.told_as(path, "suspected", lambda found: {"changed-since", "names-creator"} <= found)
        self.ghost_dies_beside()
        self.assertEqual([os.stat(path).st_ino for path in paths], [owner.inode for owner in owners])

    def test_data_files(self) -> None:
        names = ("Cargo.lock", "yarn.lock", "poetry.lock", "flake.lock", "package-lock.json", ".x.swp")
        for name in names:
            with Locker("open", self.folder / name) as owner:
                owner.kill()
        for name in names:
            self.lives_unnoticed(self.folder / name)

    def test_a_list_that_was_changed(self) -> None:
        """A line more counts from the reload on, a line less not at all, and one that cannot be meant is named."""
        listed = "/usr/share/eghostbuster/lockfile/data-files.list"
        before = self.machine.read("cat", listed)
        self.assertIn("\nCargo.lock\n", before)
        self.addCleanup(self.machine.run, "systemctl", "reload", SERVICE)
        self.addCleanup(self.machine.put, listed, f"{before}\n")
        known, unlisted = self.folder / "state-of-the-art.lock", self.folder / "Cargo.lock"
        with Locker("open", known) as owner, Locker("open", unlisted) as another:
            self.remembered(known)
            self.machine.put(listed, f"{known.name}\n/no/name.lock\n")
            self.machine.run("systemctl", "reload", SERVICE)
            owner.kill()
            another.kill()
        self.lives_unnoticed(known)
        self.lives_unnoticed(unlisted)
        for told in (self.machine.journal(f"--unit={SERVICE}"),
                     self.machine.run("ghostctl", "doctor", "--json", check=False).stdout,
                     self.machine.run("eghostbusterd", "--check-config", check=False).stderr):
            self.assertIn(f"{listed}:2: /no/name.lock: ", told)

    def test_a_file_that_another_has_locked(self) -> None:
        """That it exists says nothing, whoever has made it."""
        plain, exclusive = self.folder / "plain.lock", self.folder / "exclusive.lock"
        for path, way in ((plain, "flock"), (exclusive, "open-flock")):
            with Locker(way, path) as owner:
                waiting = self.enterContext(running("flock", path, "sleep", "1000"))
                owner.kill()
                self.assertIsNone(waiting.poll())
        self.suspected(exclusive, "advisory")
        self.lives_unnoticed(plain)

    def test_what_flock_has_made(self) -> None:
        path = self.folder / "x.lock"
        with running("flock", path, "sleep", "1000") as owner:
            eventually("it is there", path.exists)
            os.killpg(owner.pid, signal.SIGKILL)
            self.lives_unnoticed(path)

    def test_a_folder_that_was_swapped_for_a_link(self) -> None:
        """Between the death and the act, so that the name leads to the lock of another."""
        folder, elsewhere = self.folder / "folder", self.folder / "elsewhere"
        for each in (folder, elsewhere):
            each.mkdir()
        path, precious = folder / "x.lock", elsewhere / "x.lock"
        precious.write_text("of somebody else")
        self.killed("open", path)
        folder.rename(self.folder / "moved")
        folder.symlink_to(elsewhere)
        self.ghost_dies_beside()
        self.assertEqual(precious.read_text(), "of somebody else")
        self.assertTrue((self.folder / "moved/x.lock").exists())

    def test_a_hard_link_to_anothers_file(self) -> None:
        secret, path = self.folder / "secret", self.folder / "x.lock"
        secret.write_text("secret")
        with running("perl", "-e", f"link '{secret}', '{path}'; sleep") as owner:
            eventually("it is there", path.exists)
            self.remembered(path)
            owner.kill()
            self.suspected(path, "other-names")
            self.assertEqual(secret.read_text(), "secret")

    def test_anothers_file_that_a_link_gave_its_only_name(self) -> None:
        secret, path = self.folder / "secret", self.folder / "x.lock"
        secret.write_text("secret")
        os.chown(secret, STRANGER, STRANGER)
        with running("perl", "-e", f"link '{secret}', '{path}'; unlink '{secret}'; sleep") as owner:
            eventually("it is the only one", lambda: path.exists() and not secret.exists())
            self.remembered(path)
            owner.kill()
            self.suspected(path, "anothers")

    def test_one_that_another_has_open(self) -> None:
        path = self.folder / "x.lock"
        with Locker("open", path) as owner, Locker("held", path):
            self.remembered(path)
            owner.kill()
            self.suspected(path, "held")

    def test_a_directory_that_another_works_in(self) -> None:
        path = self.folder / "x.lock"
        with Locker("mkdir", path) as owner, Locker("inside", path):
            self.remembered(path)
            owner.kill()
            self.suspected(path, "held", without=("unheld",))
        self.dies(path)

    def test_a_directory_with_something_in_it(self) -> None:
        path = self.folder / "x.lock"
        with Locker("mkdir", path) as owner:
            (path / "something").touch()
            self.remembered(path)
            owner.kill()
            self.suspected(path, "not-empty")

    def test_one_with_data_in_it(self) -> None:
        path = self.folder / "x.lock"
        self.killed("open", path, "--write=state of the art")
        self.suspected(path, "holds-data")

    def test_one_that_is_larger_than_a_lock_may_be(self) -> None:
        """That is all that there is to say against it: one that is hardly smaller goes."""
        small, large = self.folder / "small.lock", self.folder / "large.lock"
        for path, size in ((small, MOST_BYTES - 10), (large, MOST_BYTES)):
            self.killed("open", path, "--write=PID" + "\n" * size)
        self.dies(small)
        expected = {"created-exclusively", "creator-killed", "names-creator", "ownerless", "unheld", "too-large"}
        self.told_as(large, "suspected", lambda found: found == expected)
        self.lives(large)
        self.assertEqual([row["verdict"] for row in self.history_of(large)], [None])

    def test_one_that_names_a_living_process(self) -> None:
        path = self.folder / "x.lock"
        self.killed("open", path, f"--write={os.getpid()}")
        self.suspected(path, "names-living")

    def test_a_copy_that_was_cut_short(self) -> None:
        path = self.folder / "copy.lock"
        with running("cp", "/dev/stdin", path) as copy:
            self.remembered(path)
            copy.kill()
            self.suspected(path, "made-for-others")

    def test_in_a_folder_that_other_machines_see(self) -> None:
        """Also what is mounted there, and by another path; not beside it."""
        folder, mount, bound = (self.folder / name for name in ("a folder", "a folder/mount", "bound"))
        for each in (folder, mount, bound):
            each.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "egb-mount", mount], check=True)
        self.addCleanup(subprocess.run, ["umount", mount], check=True)
        with exported(folder):
            for path in (folder / "x.lock", mount / "x.lock"):
                self.killed("open", path)
                self.suspected(path, "exported")
            path = bound / "y.lock"
            owner = f"bash -c 'set -o noclobber; echo $$ >{path}; echo $$; read'"
            script = f"mount --bind '{folder}' {bound}; {owner}; read answer"
            with running("unshare", "--mount", "sh", "-c", script, stdout=subprocess.PIPE, text=True) as keeper:
                pid = int(keeper.stdout.readline())
                self.remembered(path)
                os.kill(pid, signal.SIGKILL)
                ghost = eventually(f"{path} is told of", lambda: self.ghost_at(path))
                self.assertIn("exported", self.evidence_of(ghost))
                self.ghost_dies_beside()
                self.assertTrue((folder / path.name).exists())

    def test_an_archive_that_was_cut_short(self) -> None:
        whole, path = self.folder / "whole.lock", self.folder / "to/whole.lock"
        whole.write_bytes(os.urandom(200_000))
        path.parent.mkdir()
        archive = subprocess.run(
            ["tar", "-C", self.folder, "-cf", "-", whole.name], check=True, capture_output=True).stdout
        with running("tar", "-C", path.parent, "-xf", "-") as tar:
            tar.stdin.write(archive[: len(archive) // 2])
            tar.stdin.flush()
            self.remembered(path)
            tar.kill()
            self.suspected(path, "made-for-others")

    def test_the_lock_of_a_database_is_only_explained(self) -> None:
        path = self.folder / ".s.PGSQL.5432.lock"
        self.killed("open", path, "--write=PID")
        self.suspected(path, "protected")

    def test_a_package_manager_that_was_killed(self) -> None:
        """It goes by fcntl; to remove these files would let two of them in."""
        root = self.machine.root()
        package = root / "tmp/slow"
        (package / "DEBIAN").mkdir(parents=True)
        (package / "DEBIAN/control").write_text(
            "Package: slow\nVersion: 1\nArchitecture: all\nMaintainer: egb\nDescription: waits\n")
        (package / "DEBIAN/preinst").write_text("#!/bin/sh\nsleep 1000\n")
        (package / "DEBIAN/preinst").chmod(0o755)
        self.machine.run("dpkg-deb", "--build", "-Znone", "/tmp/slow", "/tmp/slow.deb")
        unit = "egb-dpkg.service"
        self.machine.run(
            "systemd-run", f"--unit={unit}", "--service-type=exec", "dpkg", "--install", "/tmp/slow.deb")
        locks = [root / "var/lib/dpkg" / name for name in ("lock", "lock-frontend")]
        eventually("it waits", lambda: "sleep" in self.machine.read("systemctl", "status", unit))
        self.machine.run("systemctl", "kill", "--signal=KILL", unit)
        own = root / "var/lib/dpkg/x.lock"
        with Locker("open", own) as owner:
            owner.kill()
        self.ghost_dies_beside()
        for lock in (*locks, own):
            self.assertTrue(lock.exists(), lock)
        self.machine.run("dpkg", "--remove", "--force-remove-reinstreq", "slow")

    @unittest.skipUnless(shutil.which("vim"), "there is no vim on this machine")
    def test_vim_that_was_killed(self) -> None:
        """What it can recover from is no lock."""
        file, swap = self.folder / "file.lock", self.folder / ".file.lock.swp"
        with running("script", "-qfc", f"exec vim -u NONE {file}", "/dev/null", stdout=subprocess.DEVNULL) as vim:
            # vim makes the file, removes it again to try another name, and only then makes and fills the one it keeps.
            eventually("it edits", lambda: filled(swap))
            (child,) = pathlib.Path(f"/proc/{vim.pid}/task/{vim.pid}/children").read_text().split()
            os.kill(int(child), signal.SIGKILL)
            self.lives_unnoticed(swap)


if __name__ == "__main__":
    unittest.main()
