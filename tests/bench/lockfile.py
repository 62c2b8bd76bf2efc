#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kind lockfile beside its peers: what it costs whoever opens, creates and builds, and how soon a ghost is gone."""

import os
import pathlib
import statistics
import sys
import tempfile
import time
from contextlib import AbstractContextManager, ExitStack

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "appliance"))

from bench import Bench, Table
from cycles import Course, measure_courses
from load import Load, on_one_cpu
from lockers import Locker, folders_of, governed, remembered
from machine import LEAVE_LOCKS_ALONE, SERVICE, Machine
from watchers import Daemon, lack, peer
from works import Works

# In memory, where a call is fastest, so that a watcher has the largest share of it, and no disk has a say.
MEMORY = "/dev/shm"
# The one that gives the daemon most to do is the last, lest what it has not done yet be charged to the next.
LOADS = {
    "opens": ("open", "open a file that is there, and close it"),
    "calls": ("call", "getppid, which has nothing to do with files"),
    "creations": ("create", "create a file exclusively, close and remove it"),
    "locks": ("lock", "the same under the name of a lock"),
}
WORKS = {
    "untar": "unpack an archive of a source tree",
    "checkout": "check out another branch, in which every file is another",
    "build": "compile a program of many parts, as many at a time as there are CPUs",
}
LOAD_COLUMNS = {"time": "ns", "slower": "%", "spread": "+-%", "programs": "ns/cycle", "process": "ns/cycle",
                "cost": "% of a cycle"}
WORK_COLUMNS = {"time": "s", "slower": "%", "spread": "+-%"}
WORK_ROUNDS = 7
GHOSTS = 50
POLL_SECONDS = 0.0002
# No other daemon that this machine may run at this time looks at these.
SUFFIX = ".bench"
SCENARIO = "Bench"

CONFIGURATION = "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf"
CHOICE = "/etc/eghostbuster/eghostbuster.conf.d/20-see.conf"
# What it finds on this machine is not its to clean; and only this kind is measured, with the lineage that it needs.
WATCHING = "[tcp]\nEnabled=no\n[process]\nEnabled=no\n[lockfile]\nClean=never\n"
# It is started more often than systemd finds healthy.
OFTEN = {f"/etc/systemd/system/{SERVICE}.d/bench.conf": "[Unit]\nStartLimitIntervalSec=0\n"}

FILELIFE = "filelife-libbpf"
# As little as a program can do, where the daemon's are.
EMPTY = "rawtracepoint:ctime_ns_xchg { }"
# Who opens what, as somebody would ask who wants to know who makes locks.
OPENS = """
tracepoint:syscalls:sys_enter_open,
tracepoint:syscalls:sys_enter_openat {
    printf("%d %s %s\\n", pid, comm, str(args.filename));
}
"""


class DaemonSeeing(Daemon):
    """One that has to see by this mechanism, and not by the best that there is."""

    def __init__(self, machine: Machine, mechanism: str) -> None:
        super().__init__(machine)
        self._mechanism = mechanism

    def __enter__(self) -> "DaemonSeeing":
        self._machine.put(CHOICE, f"[lockfile]\nSee={self._mechanism}\n")
        return super().__enter__()

    def __exit__(self, *error) -> None:
        super().__exit__(*error)
        self._machine.put(CHOICE, "")


def watchers(machine: Machine) -> dict[str, AbstractContextManager]:
    """Without those that this kernel does not take."""
    peers = {"opensnoop": peer("opensnoop-libbpf"), "filelife": peer(FILELIFE), "bpftrace": peer("bpftrace", "-e", OPENS)}
    if lack(FILELIFE):
        del peers["filelife"]
    daemons = {"daemon": Daemon(machine), "daemon_fanotify": DaemonSeeing(machine, "fanotify")}
    return {"empty_program": peer("bpftrace", "-e", EMPTY), **daemons, **peers}


def note_peers(table: Table) -> None:
    table.note("opensnoop and filelife are libbpf-tools'; bpftrace is a script that prints who opens what; all write to "
               "/dev/null")
    if reason := lack(FILELIFE):
        table.add("filelife")
        table.note(f"filelife does not run on this kernel: {reason}")


def measure_loads(bench: Bench, machine: Machine, folder: str) -> None:
    with ExitStack() as cleanup:
        loads = {name: cleanup.enter_context(Load(on_one_cpu("lock_cycles", way, folder)))
                 for name, (way, _) in LOADS.items()}
        courses = [Course(loads[name], bench.table(name, f"{title}, over and over on one CPU", LOAD_COLUMNS))
                   for name, (_, title) in LOADS.items() if bench.wants(name)]
        measure_courses(bench, courses, watchers(machine), proof=loads["locks"])
    for course in courses:
        note_peers(course.table)
        course.table.note("daemon_fanotify: with See=fanotify, which only reports")


def measure_works(bench: Bench, machine: Machine, folder: str) -> None:
    bench.progress("something to unpack, to check out and to build")
    with Works(pathlib.Path(folder)) as works, Load(on_one_cpu("lock_cycles", "lock", folder)) as proof:
        courses = [Course(getattr(works, name), bench.table(name, title, WORK_COLUMNS))
                   for name, title in WORKS.items() if bench.wants(name)]
        measure_courses(bench, courses, watchers(machine), proof, WORK_ROUNDS)
    for course in courses:
        note_peers(course.table)


def measure_quarantine(bench: Bench, machine: Machine, folder: str) -> None:
    table = bench.table("quarantine", "a lock whose owner is killed: until it is in quarantine and nothing is left in its place",
                        {"best": "ms", "median": "ms", "worst": "ms"})
    machine.put(CONFIGURATION, governed(SCENARIO, "LockAfter=0", "Patterns=", f"Patterns=*{SUFFIX}"))
    bench.progress(f"{GHOSTS} locks whose owners are killed")
    with Daemon(machine):
        took = sorted(ms_until_gone(machine, pathlib.Path(folder) / f"{number}{SUFFIX}") for number in range(GHOSTS))
    table.add("daemon", best=took[0], median=statistics.median(took), worst=took[-1])
    table.note(f"{GHOSTS} locks, one after the other, with LockAfter=0 and Veto=0; from the call of kill(2) until the folder is "
               f"empty, at which is looked every {POLL_SECONDS * 1000:g} ms")


def ms_until_gone(machine: Machine, path: pathlib.Path) -> float:
    with Locker("open", path) as owner:
        remembered(machine, path)
        begun = time.monotonic()
        owner.kill()
        while os.listdir(path.parent):
            time.sleep(POLL_SECONDS)
        return (time.monotonic() - begun) * 1000


def main() -> None:
    bench = Bench("lockfile", __doc__)
    machine = Machine("egb-bench", {LEAVE_LOCKS_ALONE: "", CONFIGURATION: WATCHING, **OFTEN})
    with ExitStack() as cleanup:
        cleanup.callback(machine.stop)
        machine.start()
        machine.wait_ready()
        machine.run("systemctl", "stop", SERVICE)
        for measure, tables in ((measure_loads, LOADS), (measure_works, WORKS), (measure_quarantine, ("quarantine",))):
            if any(map(bench.wants, tables)):
                with tempfile.TemporaryDirectory(prefix=folders_of(SCENARIO), dir=MEMORY) as folder:
                    measure(bench, machine, folder)
    bench.finish()


main()
