# SPDX-License-Identifier: Apache-2.0
"""What the booted tests are written with: the appliance, a process that forgets sockets, and patience."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

TOP = pathlib.Path(__file__).resolve().parents[2]
CONTROL = TOP / "tools/dev/appliance-ctl"
FORGETFUL = TOP / "tests/harness/forgetful.py"
# This machine's own, by its own name, so that what the daemon says of it can be foreseen.
PYTHON = os.path.realpath(shutil.which("python3", path="/usr/bin:/bin") or sys.executable)

SERVICE = "eghostbuster.service"
BUS = "org.eghostbuster1"
PATH = "/org/eghostbuster1"
MANAGER = f"{BUS}.Manager"
KIND = f"{BUS}.Kind"
TCP_PATH = f"{PATH}/kind/tcp"

CONFIGURATION = "/etc/eghostbuster/eghostbuster.conf"
# What upgrade() adds to it.
NEW_DEFAULT = "# What the next version says.\n"

CGROUPS = pathlib.Path("/sys/fs/cgroup")

# Of linux/capability.h: those that a kind may need.
NUMBERS = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_DAC_READ_SEARCH": 2, "CAP_FOWNER": 3, "CAP_KILL": 5,
           "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_PERFMON": 38, "CAP_BPF": 39}

# How long the machine may take for what it does by itself; a busy one is slow, a broken one is never done.
PATIENCE = 60.0
# In the tests' configuration, in place of the default minute. Nothing is cleaned but where a test is about that.
CLOSE_WAIT_AFTER = 2


def eventually(what: str, probe: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Asks again until the answer is true; a machine that never gets there fails the test by name."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what} (last answer: {answer!r})")
        time.sleep(0.1)


# Whatever a scenario is about, the locks of this machine are none of its concern: who only looks at one has it open
# meanwhile, which keeps another daemon from it, that of the scenario about locks.
LEAVE_LOCKS_ALONE = "/etc/eghostbuster/eghostbuster.conf.d/05-leave-alone.conf"


class Machine:
    """An appliance of the image under test. Its files are those of `files`, path -> text, over the image's."""

    def __init__(self, name: str, files: dict[str, str] | None = None) -> None:
        self.name = name
        self.files = {
            LEAVE_LOCKS_ALONE: "[lockfile]\nClean=never\nPatterns=\nPatterns=none-is-called-so\n",
            "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf": f"[tcp]\nCloseWaitAfter={CLOSE_WAIT_AFTER}s\nClean=never\n",
            **(files or {}),
        }

    def start(self) -> None:
        with tempfile.TemporaryDirectory(prefix="egb-files-") as folder:
            for path, text in self.files.items():
                file = pathlib.Path(folder + path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            for parent in pathlib.Path(folder).rglob("*"):
                parent.chmod(0o755 if parent.is_dir() else 0o644)
            pathlib.Path(folder).chmod(0o755)
            self._control("start", os.environ["EGB_IMAGE"], folder)

    def stop(self) -> None:
        self._control("stop")

    def _control(self, verb: str, *arguments: str) -> None:
        subprocess.run([CONTROL, verb, self.name, *arguments], check=True, stdin=subprocess.DEVNULL)

    def run(self, *command: str, check: bool = True, user: str | None = None) -> subprocess.CompletedProcess:
        """Runs a command inside, as root or as somebody else; its output is text."""
        as_user = ["runuser", "--user", user, "--"] if user else []
        done = subprocess.run(
            [CONTROL, "exec", self.name, *as_user, *command],
            check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def read(self, *command: str) -> str:
        return self.run(*command).stdout.strip()

    def put(self, path: str, text: str) -> None:
        """Writes a file inside."""
        (self.root() / path.lstrip("/")).write_text(text)

    def root(self) -> pathlib.Path:
        """Its root directory, as seen from out here."""
        leader = subprocess.run([CONTROL, "leader", self.name], check=True, capture_output=True, text=True)
        return pathlib.Path(f"/proc/{leader.stdout.strip()}/root")

    # The unit.

    def unit(self, name: str) -> str:
        return self.read("systemctl", "show", "--value", f"--property={name}", SERVICE)

    def active(self) -> bool:
        return self.unit("ActiveState") == "active"

    def wait_ready(self) -> None:
        eventually(f"{SERVICE} is active", self.active)

    def main_pid(self, unit: str = SERVICE) -> int:
        return int(self.read("systemctl", "show", "--value", "--property=MainPID", unit))

    def host_pid(self, unit: str = SERVICE) -> int:
        """The main process's pid on this machine."""
        return self.host_pid_of(self.main_pid(unit))

    def host_pid_of(self, inside: int) -> int:
        """The pid on this machine of the process of the container that has that pid there."""
        namespace = os.stat(self.root().parent / "ns/pid").st_ino
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                match = re.search(r"^NSpid:.*\t(\d+)$", status.read_text(), re.MULTILINE)
                if match and int(match.group(1)) == inside:
                    if os.stat(status.parent / "ns/pid").st_ino == namespace:
                        return int(status.parent.name)
            except OSError:
                continue
        raise AssertionError(f"process {inside} is none on this machine")

    def journal(self, *arguments: str) -> str:
        return self.read("journalctl", "--no-pager", "--boot", *arguments)

    def entries(self, **fields: str) -> list[dict]:
        """Journal entries of the daemon with these fields."""
        matches = [f"{name}={value}" for name, value in fields.items()]
        text = self.journal("--output=json", f"_SYSTEMD_UNIT={SERVICE}", *matches)
        return [json.loads(line) for line in text.splitlines()]

    def history(self) -> list[dict]:
        """The newest first."""
        return json.loads(self.read("ghostctl", "history", "--json", "--lines", "1000"))["incidents"]

    def owners_of(self, path: str, *redirections: str) -> dict:
        """Of a file inside, as told to a ghostctl that is started with these."""
        command = " ".join(("exec ghostctl who-owns --json", shlex.quote(path), *redirections))
        (file,) = json.loads(self.read("sh", "-c", command))["files"]
        return file

    # The package.

    def dpkg(self, *arguments: str) -> None:
        """As an unattended upgrade does it: what an administrator has changed stays."""
        self.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-confdef", "--force-confold", *arguments)

    def upgrade(self) -> str:
        """The same package under a higher version, which is all that dpkg goes by, with another default configuration;
        the version."""
        shutil.copy(os.environ["EGB_PACKAGE"], self.root() / "tmp/old.deb")
        self.run("dpkg-deb", "--raw-extract", "/tmp/old.deb", "/tmp/new")
        control = self.root() / "tmp/new/DEBIAN/control"
        version = re.search(r"^Version: (.*)$", control.read_text(), re.MULTILINE)[1]
        control.write_text(control.read_text().replace(f"Version: {version}\n", f"Version: {version}+upgrade\n"))
        with (self.root() / "tmp/new" / CONFIGURATION.lstrip("/")).open("a") as file:
            file.write(NEW_DEFAULT)
        self.run("dpkg-deb", "--build", "-Znone", "/tmp/new", "/tmp/new.deb")
        self.dpkg("--install", "/tmp/new.deb")
        return f"{version}+upgrade"

    # The bus.

    def call(self, method: str, *arguments: Any, path: str = PATH, interface: str = MANAGER) -> list:
        """busctl call; the arguments begin with their signature."""
        text = self.read("busctl", "call", "--json=short", BUS, path, interface, method, *map(str, arguments))
        return json.loads(text)["data"]

    def get(self, name: str, path: str = PATH, interface: str = MANAGER) -> Any:
        return json.loads(self.read("busctl", "get-property", "--json=short", BUS, path, interface, name))["data"]

    def ghosts_of(self, pid: int) -> list["Row"]:
        """Each by itself, without the one that may stand for them all."""
        _, rows = self.call("ListGhosts", "a{sv}uu", 2, "pid", "i", pid, "members", "b", "true", 0, 1000)
        return [row for row in (Row(*row) for row in rows) if not row.is_summary]

    def summary_of(self, pid: int) -> "Row | None":
        """The one that stands for them all."""
        _, rows = self.call("ListGhosts", "a{sv}uu", 1, "pid", "i", pid, 0, 1000)
        return next((row for row in (Row(*row) for row in rows) if row.is_summary), None)

    def find_ghost(self, pid: int) -> "Row":
        return eventually(f"a ghost of pid {pid}", lambda: self.ghosts_of(pid))[0]


class Row:
    """A row of ListGhosts."""

    def __init__(self, ghost, kind, grade, summary, since, at_least, pid, comm, unit, holders, decision) -> None:
        self.id: int = ghost
        self.kind: str = kind
        self.grade: str = grade
        self.summary: str = summary
        self.since: float = since / 1e6
        self.at_least: bool = at_least
        self.pid: int = pid
        self.comm: str = comm
        self.unit: str = unit
        self.holders: int = holders
        self.decision: str = decision
        self.is_summary = " stuck" in summary


class Neighbour:
    """A process of this machine, outside of the appliance, for as long as the block lasts. It says in one line of JSON who
    it is, and ends when its standard input does."""

    def __init__(self, *command: str | pathlib.Path) -> None:
        self._process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told: dict = json.loads(self._process.stdout.readline())
        self.born = time.time()
        self.pid: int = self.told["pid"]

    def ask(self, order: str) -> Any:
        """What it answers to an order, if it is one that does."""
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.end()

    def end(self) -> None:
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()


class Forgetful(Neighbour):
    """One with sockets in CLOSE_WAIT. forgetful.py has its orders."""

    def __init__(self, *options: str) -> None:
        super().__init__(PYTHON, FORGETFUL, *options)
        self.exe = PYTHON
        self.comm = pathlib.Path(PYTHON).name[:15]
        self.netns: int = self.told["netns"]
        self.sockets: list[dict] = self.told["sockets"]


@contextmanager
def in_unit(pid: int, unit: str) -> Iterator[None]:
    """Puts a process of this machine where systemd would run a unit. To be left when the process has ended."""
    roots = [root for root in (CGROUPS / "systemd", CGROUPS / "unified", CGROUPS) if (root / "cgroup.procs").exists()]
    folders = [root / "system.slice" / unit for root in roots]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.procs").write_text(str(pid))
    try:
        yield
    finally:
        for folder in folders:
            folder.rmdir()


class Scenario(unittest.TestCase):
    """A scenario: one boot for all its tests. What it needs in the machine's files stands in `files`."""

    files: dict[str, str] = {}
    # Nothing else of ours may happen on this machine meanwhile, because the daemon sees it too.
    alone = False
    # As how many other tests each of them takes: the longest scenarios begin first.
    length = 1
    # Which rung of the ladder it is of; each rung has an image of its own.
    rung = "appliance"
    machine: Machine

    @classmethod
    def setUpClass(cls) -> None:
        cls.before_boot()
        cls.machine = Machine(f"egb-{cls.__name__.lower()}"[:32], cls.files)
        # Before the start, which may fail half way.
        cls.addClassCleanup(cls.machine.stop)
        cls.machine.start()
        cls.after_boot()
        try:
            cls.machine.wait_ready()
        except AssertionError as late:
            raise AssertionError(f"{late}\n{cls.machine.journal(f'--unit={SERVICE}')}") from None

    @classmethod
    def before_boot(cls) -> None:
        """For what must be there before the machine is."""

    @classmethod
    def after_boot(cls) -> None:
        """For an image that does not start the daemon by itself."""

    def assert_privileges(self, status: str) -> None:
        """/proc/PID/status of the daemon has, in each set, the capabilities that its kinds say they need."""
        wanted = {name for _, what, _, detail in self.machine.get("Capabilities") if what == "privileges"
                  for name in detail.split()}
        mask = sum(1 << NUMBERS[name] for name in wanted)
        for capability_set in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertIn(f"{capability_set}:\t{mask:016x}\n", status)


def unit_drop_in(text: str) -> dict[str, str]:
    return {f"/etc/systemd/system/{SERVICE}.d/test.conf": f"[Service]\n{text}\n"}
