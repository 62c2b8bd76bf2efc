# SPDX-License-Identifier: Apache-2.0
"""Lock files that programs of others make, by these programs themselves. tests/README.md says which are left out, and why."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess

from lockers import LockScenario, governed, running
from machine import PATIENCE, eventually

# The root that has them; none: this machine's own are used.
ROOT = os.environ.get("EGB_BUILD_ROOT")
# In a mount namespace of its own, in which that root is the root and /tmp is this machine's, so that a path is the same
# for the program, for the daemon and for us.
ENTER = """
set -e
mount -t tmpfs egb-programs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" egb-programs /mnt/root
cd /mnt/root
for folder in dev proc sys tmp; do mount --rbind "/$folder" "$folder"; done
pivot_root . mnt
shift
exec "$@"
"""
AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
NOBODY = 65534


def of_others(*command: str | pathlib.Path) -> tuple[str, ...]:
    """The command for one of their programs."""
    environment = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/nonexistent", "LC_ALL=C")
    entered = ("unshare", "--mount", "--propagation=private", "--", "sh", "-c", ENTER, "sh", ROOT) if ROOT else ()
    return *entered, *environment, *map(str, command)


def need(test: LockScenario, program: str) -> None:
    if not ROOT and not shutil.which(program):
        test.skipTest(f"there is no {program} on this machine, and no build root")


def names(lock: pathlib.Path, pid: int) -> bool:
    """While it is made anew, it is not there."""
    with contextlib.suppress(FileNotFoundError):
        return lock.read_text().startswith(f"{pid}\n")
    return False


class LockfilePrograms(LockScenario):
    # These are none of what is looked at as a rule.
    patterns = "Patterns=*.pid lock package-lock.json"
    files = {"/etc/eghostbuster/eghostbuster.conf.d/10-test.conf": governed("LockfilePrograms", "LockAfter=1s", patterns)}

    def test_lockfile_create_in_a_script(self) -> None:
        """It makes the lock for whoever has called it, and exits."""
        need(self, "lockfile-create")
        path = self.folder / "mail.lock"
        script = f"lockfile-create --retry=0 {path.with_suffix('')} && read answer"
        with running(*of_others("sh", "-c", script)) as script:
            self.remembered(path)
            self.lives_unnoticed(path)
            script.kill()
            self.suspected(path, "creator-exited")

    def test_apt_that_was_killed(self) -> None:
        """Its lock is one of fcntl: the file is there to be locked, before and afterwards."""
        need(self, "apt-get")
        lists, sources = self.folder / "lists", self.folder / "sources.list"
        (lists / "partial").mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            sources.write_text(f"deb [trusted=yes] http://127.0.0.1:{silent.getsockname()[1]}/ any main\n")
            options = (f"Dir::State::Lists={lists}", f"Dir::Cache={self.folder / 'cache'}", f"Dir::Etc::SourceList={sources}",
                       "Dir::Etc::SourceParts=/dev/null", "APT::Sandbox::User=root")
            told = [word for option in options for word in ("-o", option)]
            with running(*of_others("apt-get", "update", *told), stdout=subprocess.DEVNULL) as apt:
                silent.settimeout(PATIENCE)
                waiting, _ = silent.accept()
                with waiting:
                    self.lives_unnoticed(lists / "lock")
                    apt.kill()
                    self.lives_unnoticed(lists / "lock")

    def check_data_file(self, name: str, *command: str) -> None:
        """What a program of this machine itself writes under the name of a lock, and nobody may ever take away."""
        if not shutil.which(command[0]):
            self.skipTest(f"there is no {command[0]} on this machine")
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        self.lives_unnoticed(self.folder / name)

    def test_the_lock_file_of_npm(self) -> None:
        (self.folder / "package.json").write_text('{"name": "ghost", "version": "1.0.0"}')
        self.check_data_file("package-lock.json", "npm", "install", "--package-lock-only", "--offline", "--no-audit", "--no-fund")

    def test_the_lock_file_of_cargo(self) -> None:
        (self.folder / "src").mkdir()
        (self.folder / "src/lib.rs").touch()
        (self.folder / "Cargo.toml").write_text('[package]\nname = "ghost"\nversion = "1.0.0"\n')
        self.check_data_file("Cargo.lock", "cargo", "generate-lockfile", "--offline")

    def postgres(self, program: str, *arguments: str | pathlib.Path) -> tuple[str, ...]:
        """Of whatever version there is. It refuses to run as root."""
        find = f'exec "$(echo /usr/lib/postgresql/*/bin/{program})" "$@"'
        return of_others(*AS_NOBODY, "sh", "-c", find, program, "-D", self.folder / "data", *arguments)

    def server(self) -> contextlib.AbstractContextManager[subprocess.Popen]:
        return running(*self.postgres("postgres", "-F", "-k", self.folder, "-c", "listen_addresses="),
                       stderr=subprocess.DEVNULL)

    def test_postgresql_that_was_killed(self) -> None:
        """It shuts down when its postmaster.pid vanishes, and sees to what it has left itself."""
        need(self, "pg_ctlcluster")
        os.chown(self.folder, NOBODY, NOBODY)
        subprocess.run(self.postgres("initdb", "--no-sync", "--auth=trust"), check=True, capture_output=True)
        locks = (self.folder / "data/postmaster.pid", self.folder / ".s.PGSQL.5432.lock")
        with self.server() as server:
            for lock in locks:
                self.remembered(lock)
                self.lives_unnoticed(lock)
            server.kill()
            for lock in locks:
                self.suspected(lock, "protected")
        with self.server() as server:
            eventually("it is back", lambda: all(names(lock, server.pid) for lock in locks))
            # With what the one that was killed has left of shared memory, nothing of which it leaves itself.
            server.send_signal(signal.SIGINT)
            server.wait(PATIENCE)
