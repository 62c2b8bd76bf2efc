# SPDX-License-Identifier: Apache-2.0
"""What the scenarios about lock files share: processes that take locks, and what the daemon says of them."""

import contextlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterator

from machine import PATIENCE, PYTHON, TOP, Machine, Neighbour, Row, Scenario, eventually

LOCKER = TOP / "tests/harness/locker.py"


def folders_of(scenario: str) -> str:
    """How the folders are called in which it makes its locks: what others leave on this machine, other scenarios among
    them, is none of its business."""
    return f"egb-locks-{scenario}-"


def governed(scenario: str, *sections: str) -> str:
    """A configuration: no limits, no other kinds, and nothing is acted upon that is not in its folders."""
    return "\n".join((
        "[Governor]", "ActsPerMinute=1000000", "ActsPerMinutePerUnit=1000000", "Cooldown=1s",
        "[tcp]", "Enabled=no", "[process]", "Enabled=no", "[lockfile]", "Clean=proven", "Veto=0",
        "Patterns=", "Patterns=*.lock *.lck *.lk SingletonLock lockdir *.lockdir",
        f"Only=*/{folders_of(scenario)}*", *sections, "",
    ))


class Locker(Neighbour):
    """A process that takes a lock."""

    def __init__(self, way: str, path: pathlib.Path | str, *options: str) -> None:
        super().__init__(PYTHON, LOCKER, way, str(path), *options)
        self.path = path
        self.inode: int = self.told["inode"]
        self.heir: int = self.told.get("heir", 0)
        self.keeper: int = self.told.get("keeper", 0)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.pid, number)
        if self.pid == self._process.pid:
            self._process.wait(PATIENCE)


def database_of(machine: Machine) -> pathlib.Path:
    (file,) = (machine.root() / "var/lib/eghostbuster").glob("*.db")
    return file


def log_of(database: pathlib.Path) -> pathlib.Path:
    """What is not in the file itself yet."""
    return database.with_name(f"{database.name}-wal")


def copy_database(machine: Machine, folder: str) -> pathlib.Path:
    """SQLite does not find its way into a container."""
    database = database_of(machine)
    copy = pathlib.Path(folder) / database.name
    shutil.copyfile(database, copy)
    if log_of(database).exists():
        shutil.copyfile(log_of(database), log_of(copy))
    return copy


def ask_database(machine: Machine, statement: str, *values: str) -> list[tuple]:
    with tempfile.TemporaryDirectory() as folder:
        with contextlib.closing(sqlite3.connect(copy_database(machine, folder))) as opened:
            return opened.execute(statement, values).fetchall()


def change_database(machine: Machine, statement: str, *values: str) -> None:
    """While no daemon has it open, be it that it was killed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_database(machine, folder)
        with contextlib.closing(sqlite3.connect(copy)) as opened, opened:
            opened.execute(statement, values)
        shutil.copyfile(copy, database_of(machine))
        log_of(database_of(machine)).unlink(missing_ok=True)


def is_remembered(machine: Machine, path: pathlib.Path | str) -> bool:
    word = f"={str(path).encode().hex()} "
    return any(word in text for (text,) in ask_database(machine, "SELECT text FROM memory"))


def remembered(machine: Machine, path: pathlib.Path | str) -> None:
    """The daemon has looked at it, and knows who made it."""
    eventually(f"{path} is written down", lambda: is_remembered(machine, path))


@contextlib.contextmanager
def running(*command: str | pathlib.Path, **more) -> Iterator[subprocess.Popen]:
    """A program in a group of its own, of which nobody is left when the block is."""
    with subprocess.Popen(list(map(str, command)), start_new_session=True, stdin=subprocess.PIPE, **more) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


class LockScenario(Scenario):
    suffix = ".lock"
    numbers = itertools.count()

    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix=folders_of(type(self).__name__))))

    def remembered(self, path: pathlib.Path | str) -> None:
        remembered(self.machine, path)

    def kill(self, owner: Locker, number: signal.Signals = signal.SIGKILL) -> None:
        self.remembered(owner.path)
        owner.kill(number)

    def killed(self, way: str, path: pathlib.Path | str, *options: str) -> None:
        """Somebody takes a lock, and is killed."""
        with Locker(way, path, *options) as owner:
            self.kill(owner)

    def history_of(self, path: pathlib.Path | str) -> list[dict]:
        return [row for row in self.machine.history() if row["summary"].startswith(f"{path} ")]

    def cleaned(self, path: pathlib.Path | str) -> dict:
        """What the history says of how it was laid to rest."""
        def act() -> dict | None:
            return next((row for row in self.history_of(path) if row["verdict"] == "cleaned"), None)
        return eventually(f"{path} is told as cleaned", act)

    def ghost_at(self, path: pathlib.Path | str) -> Row | None:
        _, rows = self.machine.call("ListGhosts", "a{sv}uu", 1, "kind", "s", "lockfile", 0, 1000)
        return next((row for row in (Row(*row) for row in rows) if row.summary.startswith(f"{path} ")), None)

    def evidence_of(self, ghost: Row) -> set[str]:
        return {one["name"] for one in json.loads(self.machine.call("Describe", "t", ghost.id)[0])["evidence"]}

    def told_as(self, path: pathlib.Path | str, grade: str,
                is_right: Callable[[set[str]], bool] = lambda _: True) -> Row:
        """It is told of so, be it at second sight: the daemon of another machine may have it open to look at it."""
        found: set[str] = set()

        def ghost() -> Row | None:
            nonlocal found
            if not (told := self.ghost_at(path)):
                return None
            found = self.evidence_of(told)
            return told if told.grade == grade and is_right(found) else None
        try:
            return eventually(f"{path} is told of as {grade}", ghost)
        except AssertionError as late:
            raise AssertionError(f"{late}; what is known of it: {found}") from None

    def suspected(self, path: pathlib.Path, *evidence: str, without: Collection[str] = ()) -> Row:
        """It is told of, for these reasons not as proven, and it is there."""
        ghost = self.told_as(path, "suspected", lambda found: found >= set(evidence) and not found & set(without))
        self.lives(path)
        return ghost

    def dies(self, path: pathlib.Path) -> dict:
        """What the history says of it. It is out of its place before, while it is looked at for the last time."""
        try:
            eventually(f"{path} is gone", lambda: not os.path.lexists(path))
        except AssertionError as late:
            ghost = self.ghost_at(path)
            raise AssertionError(f"{late}; what is known of it: {ghost and self.evidence_of(ghost)}") from None
        return self.cleaned(path)

    def ghost_dies_beside(self) -> None:
        """The proof that the daemon acts, later than it would have acted on what was there before."""
        beside = self.folder / f"beside-{next(self.numbers)}{self.suffix}"
        self.killed("open", beside)
        self.dies(beside)

    def lives(self, path: pathlib.Path) -> None:
        inode = os.lstat(path).st_ino
        self.ghost_dies_beside()
        self.assertEqual(os.lstat(path).st_ino, inode)

    def lives_unnoticed(self, path: pathlib.Path) -> None:
        self.lives(path)
        self.assertIsNone(self.ghost_at(path))
        self.assertEqual(self.history_of(path), [])

    def stays_as_it_is(self, path: pathlib.Path) -> None:
        """Whatever is said of it, through two acts upon others and a look at everything between them."""
        inode, text = os.lstat(path).st_ino, path.read_text()
        self.ghost_dies_beside()
        self.machine.run("ghostctl", "scan")
        self.lives(path)
        self.assertEqual((os.lstat(path).st_ino, path.read_text()), (inode, text))
        self.assertNotIn("cleaned", [row["verdict"] for row in self.history_of(path)])
