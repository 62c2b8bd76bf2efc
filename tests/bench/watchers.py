# SPDX-License-Identifier: Apache-2.0
"""Whoever watches: the daemon, and commands of the bench root that it is measured against."""

import signal
import subprocess
import tempfile
from contextlib import AbstractContextManager, ExitStack

from machine import SERVICE, Machine
from roots import in_root

# After so long what does not load has said so.
TRY_SECONDS = 5
ENDED_BY_TIMEOUT = 124


class Watcher(AbstractContextManager):
    """One that watches for as long as the block lasts."""

    pids: list[int]
    # What it does now and then, it does about once in so many seconds.
    period = 0.0


class Daemon(Watcher):
    """The appliance's."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.pids: list[int] = []

    def __enter__(self) -> "Daemon":
        self._machine.run("systemctl", "start", SERVICE)
        self.pids = [self._machine.host_pid()]
        return self

    def __exit__(self, *_) -> None:
        self._machine.run("systemctl", "stop", SERVICE)


class Command(Watcher):
    """A command whose output is thrown away."""

    def __init__(self, *command: str) -> None:
        self._command = command

    def __enter__(self) -> "Command":
        self._complaints = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=self._complaints)
        self.pids = [self._process.pid]
        return self

    def __exit__(self, *_) -> None:
        with self._complaints:
            if self._process.poll() is not None:
                self._complaints.seek(0)
                raise AssertionError(f"{' '.join(self._command)} ended by itself: {self._complaints.read()}")
            self._process.send_signal(signal.SIGINT)
            self._process.wait()


def lack(*command: str) -> str:
    """Why a command of the bench root does not run on this kernel; empty when it does."""
    tried = ["timeout", "--signal=INT", str(TRY_SECONDS), *command]
    done = subprocess.run(in_root("EGB_BENCH_ROOT", *tried), check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return "" if done.returncode == ENDED_BY_TIMEOUT else done.stderr.strip().splitlines()[-1]


def peer(*command: str) -> Command:
    """One of the bench root."""
    return Command(*in_root("EGB_BENCH_ROOT", *command))


class Inside(Watcher):
    """A command of the appliance."""

    def __init__(self, machine: Machine, *command: str) -> None:
        self._machine = machine
        self._command = command
        self._unit = f"egb-bench-{command[0]}.service"
        self.pids: list[int] = []

    def __enter__(self) -> "Inside":
        self._machine.run("systemd-run", "--quiet", f"--unit={self._unit}", "--property=StandardOutput=null",
                          "--property=KillSignal=SIGINT", *self._command)
        self.pids = [self._machine.host_pid(self._unit)]
        return self

    def __exit__(self, *_) -> None:
        self._machine.run("systemctl", "stop", self._unit)


class Together(Watcher):
    """Several at once, as one."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers
        self.pids: list[int] = []

    def __enter__(self) -> "Together":
        with ExitStack() as cleanup:
            self.pids = [pid for watcher in self._watchers for pid in cleanup.enter_context(watcher).pids]
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._cleanup.close()
