# SPDX-License-Identifier: Apache-2.0
"""The daemon, measured from outside, and what else this kernel tells of a process."""

import pathlib
import re
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from machine import KIND, TCP_PATH, Machine

SWEEPS = 7
BPF_STATS = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")


def sweep_ms(machine: Machine) -> float:
    """The median of several sweeps that were asked for, each with its search for the holders."""
    times = []
    for _ in range(SWEEPS):
        machine.call("Scan", "as", 1, "tcp")
        times.append(machine.get("LastSweepUSec", TCP_PATH, KIND) / 1000)
    return statistics.median(times)


def ghosts(machine: Machine) -> int:
    """Of whatever grade."""
    return sum(machine.get(grade, TCP_PATH, KIND) for grade in ("Suspected", "Proven"))


def running(comm: str) -> bool:
    for name in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if name.read_text().strip() == comm:
                return True
        except OSError: # ended meanwhile
            continue
    return False


def memory_mib(pid: int) -> float:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def cpu_ns(pid: int) -> int:
    """/proc/PID/stat would count ticks of 10 ms."""
    threads = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads)


@contextmanager
def bpf_stats() -> Iterator[None]:
    """Meanwhile the kernel takes the time of every BPF program, which costs something by itself."""
    before = BPF_STATS.read_text()
    BPF_STATS.write_text("1")
    try:
        yield
    finally:
        BPF_STATS.write_text(before)


@dataclass
class Programs:
    """What the BPF programs that a process has loaded have done so far, in whatever process they ran."""

    ns: int
    runs: int

    def __sub__(self, before: "Programs") -> "Programs":
        return Programs(self.ns - before.ns, self.runs - before.runs)


def programs(pid: int) -> Programs:
    found = {}
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = info.read_text()
        except OSError: # closed meanwhile
            continue
        for number, ns, runs in re.findall(r"^prog_id:\s*(\d+)\nrun_time_ns:\s*(\d+)\nrun_cnt:\s*(\d+)$", text, re.MULTILINE):
            found[number] = int(ns), int(runs)
    return Programs(sum(ns for ns, _ in found.values()), sum(runs for _, runs in found.values()))
