#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The process stream beside its peers: what it costs to start programs, how many events it takes, and what it costs to
know who descends from whom."""

import json
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "appliance"))

from bench import Bench
from cycles import COLUMNS, GLANCE_MS, cpu_of, measure_cycles, ran_during
from daemon import bpf_stats, memory_mib
from load import Load, on_one_cpu
from machine import SERVICE, Machine, eventually
from roots import built
from watchers import Daemon, Inside, Together, peer

PID_MAX = pathlib.Path("/proc/sys/kernel/pid_max")
CROWD = 100_000
CROWD_USERS = (60_001, 60_002)
FORKS_A_SECOND = 10_000
FORK_SECONDS = 10
STREAM_MS = 10_000

CONFIGURATION = "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf"
# It is started more often than systemd finds healthy.
OFTEN = {f"/etc/systemd/system/{SERVICE}.d/bench.conf": "[Unit]\nStartLimitIntervalSec=0\n"}

EMPTY = "rawtracepoint:sched_process_exec { }"
# Prints what ghostctl trace prints, as far as bpftrace can.
PRINTING = """
tracepoint:sched:sched_process_exec {
    printf("%llu exec %s %d %s\\n", nsecs, comm, pid, str(args.filename));
}
tracepoint:sched:sched_process_exit /pid == tid/ {
    printf("%llu exit %s %d %d %llu\\n", nsecs, comm, pid, curtask->exit_code, nsecs - curtask->start_time);
}
"""


def watchers(machine: Machine) -> dict[str, AbstractContextManager]:
    return {
        "empty_program": peer("bpftrace", "-e", EMPTY),
        "daemon": Daemon(machine),
        "daemon_watched": Together(Daemon(machine), Inside(machine, "ghostctl", "trace", "--json")),
        "snoops": Together(peer("execsnoop-libbpf"), peer("exitsnoop-libbpf")),
        "bpftrace": peer("bpftrace", "-e", PRINTING),
    }


def measure_starts(bench: Bench, machine: Machine) -> None:
    table = bench.table("cycles", "start a program that does nothing, and wait for it, one after the other on one CPU",
                        COLUMNS)
    with Load(on_one_cpu("process_cycles")) as load:
        measure_cycles(bench, table, load, watchers(machine))
    table.note("daemon: nobody watches; daemon_watched: ghostctl trace --json, whose CPU time is in `process` too; snoops: "
               "execsnoop and exitsnoop of libbpf-tools; bpftrace: a script that prints the same; all write to /dev/null")


def measure_stream(bench: Bench, machine: Machine) -> None:
    table = bench.table("stream", f"ghostctl trace --json --fork while processes are forked as fast as can be, for {STREAM_MS / 1000:g} s",
                        {"events": "1/s", "lost": "events", "daemon": "us/event", "reader": "us/event"})
    with Daemon(machine) as daemon, reading(machine) as reader, Load(on_one_cpu("process_cycles", "--fork-only")) as load:
        before = cpu_of(daemon.pids), cpu_of([reader.pid])
        begun = time.monotonic()
        load.run(STREAM_MS)
        took = time.monotonic() - begun
        reader.settle()
        spent = cpu_of(daemon.pids) - before[0], cpu_of([reader.pid]) - before[1]
    events, lost = reader.events(), reader.lost()
    table.add("forks", events=events / took, lost=lost, daemon=spent[0] / 1e3 / events, reader=spent[1] / 1e3 / events)
    table.note("events: that came out at the end; a fork and an exit for each process")


class Reader:
    """ghostctl trace, into a file of the appliance."""

    FILE = "/run/egb-trace"
    UNIT = "egb-bench-reader.service"

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        machine.run("systemd-run", "--quiet", f"--unit={self.UNIT}", f"--property=StandardOutput=file:{self.FILE}",
                    "--property=KillSignal=SIGINT", "ghostctl", "trace", "--json", "--fork")
        self.pid = machine.host_pid(self.UNIT)
        self._path = machine.root() / self.FILE.lstrip("/")

    def settle(self) -> None:
        """Until nothing more comes."""
        size = -1
        while size != (size := self._path.stat().st_size):
            time.sleep(0.5)
        self._lines = self._path.read_text().splitlines()

    def events(self) -> int:
        return sum(1 for line in self._lines if '"event":"fork"' in line or '"event":"exit"' in line)

    def lost(self) -> int:
        return sum(json.loads(line)["count"] for line in self._lines if '"event":"lost"' in line)

    def stop(self) -> None:
        self._machine.run("systemctl", "stop", self.UNIT)


@contextmanager
def reading(machine: Machine) -> Iterator[Reader]:
    reader = Reader(machine)
    try:
        yield reader
    finally:
        reader.stop()


def measure_lineage(bench: Bench, machine: Machine) -> None:
    table = bench.table("lineage", "Who descends from whom, with nobody who watches",
                        {"kernel": "MiB", "memory": "MiB", "forks": "1/s", "programs": "ns/fork",
                         "cpu": f"% of a core at {FORKS_A_SECOND:,} forks/s"})
    with room_for(2 * CROWD), Daemon(machine) as daemon:
        pid = daemon.pids[0]
        with peer("bpftrace", "-e", EMPTY) as empty, bpf_stats():
            clock = clock_ns(empty.pids)
        table.add("0", kernel=lineage_mib(pid), memory=memory_mib(pid), **forking(daemon.pids, clock))
        bench.progress(f"{CROWD:,} processes")
        with crowd(CROWD):
            table.add(str(CROWD), kernel=lineage_mib(pid), memory=memory_mib(pid), **forking(daemon.pids, clock))
    table.note("kernel: the maps of the lineage, for as many processes as this machine can have; memory: the daemon's "
               "resident set")
    table.note("programs: of the daemon's BPF programs, for a fork and its exit, without the "
               f"{clock:.0f} ns that the kernel counts for each run of an empty one; cpu: these and the daemon's own time, "
               f"for {FORKS_A_SECOND:,} forks a second")


def clock_ns(pids: list[int]) -> float:
    """What the kernel counts for a run in which nothing is done."""
    with Load(on_one_cpu("process_cycles")) as load:
        eventually("it sees the load", lambda: ran_during(load, GLANCE_MS, pids)[0].runs)
        ran, _ = ran_during(load, 1000, pids)
    return ran.ns / ran.runs


def forking(pids: list[int], clock: float) -> dict[str, float]:
    with Load(on_one_cpu("process_cycles", "--fork-only")) as load:
        with bpf_stats():
            ran, cycles = ran_during(load, FORK_SECONDS * 1000, pids)
        before = cpu_of(pids)
        ran_without = load.run(FORK_SECONDS * 1000)
        own = (cpu_of(pids) - before) / ran_without.cycles
    inside = (ran.ns - ran.runs * clock) / cycles
    return {"forks": 1e9 / ran_without.cycle_ns, "programs": inside,
            "cpu": (inside + own) * FORKS_A_SECOND / 1e9 * 100}


def lineage_mib(pid: int) -> float:
    """What the kernel has charged for the maps that are large: entries of orphans and of dead ancestors, and a page to
    list processes on, told by the size of their values, and the graves of the last to die, told by their number."""
    total = 0
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        facts = dict(re.findall(r"^(\w+):\s*(\d+)$", info.read_text(), re.MULTILINE))
        if facts.get("value_size") in ("48", "56") or facts.get("max_entries") == "32768":
            total += int(facts["memlock"])
    return total / 2**20


@contextmanager
def room_for(processes: int) -> Iterator[None]:
    """Where a small machine does not allow that many, it does meanwhile."""
    limit = PID_MAX.read_text()
    PID_MAX.write_text(str(max(int(limit), processes)))
    try:
        yield
    finally:
        PID_MAX.write_text(limit)


@contextmanager
def crowd(count: int) -> Iterator[None]:
    """Half of them for each of two users, because a user's limit may not be ours to raise."""
    with ExitStack() as cleanup:
        for user in CROWD_USERS:
            cleanup.enter_context(half_a_crowd(count // 2, user))
        yield


@contextmanager
def half_a_crowd(count: int, user: int) -> Iterator[None]:
    process = subprocess.Popen(built("process_crowd", str(count), str(user)), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout.readline() != "{}\n":
            raise AssertionError(f"there are no {count:,} processes")
        yield
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def main() -> None:
    bench = Bench("process", __doc__)
    machine = Machine("egb-bench", {CONFIGURATION: "[tcp]\nEnabled=no\n", **OFTEN})
    with ExitStack() as cleanup:
        cleanup.callback(machine.stop)
        machine.start()
        machine.wait_ready()
        machine.run("systemctl", "stop", SERVICE)
        if bench.wants("lineage"):
            measure_lineage(bench, machine)
        if bench.wants("stream"):
            measure_stream(bench, machine)
        if bench.wants("cycles"):
            measure_starts(bench, machine)
    bench.finish()


main()
