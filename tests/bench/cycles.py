# SPDX-License-Identifier: Apache-2.0
"""What it costs a load that somebody watches: the load in slices, with each watcher in turn, and nobody in between."""

import statistics
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from bench import Bench, Table
from daemon import Programs, bpf_stats, cpu_ns, programs, running
from machine import eventually

ROUNDS = 15
SLICE_MS = 500
STATS_SLICE_MS = 300
GLANCE_MS = 20

COLUMNS = {"rate": "cycles/s", "slower": "%", "spread": "+-%", "programs": "us/cycle", "process": "us/cycle",
           "cost": "% of a cycle"}


@dataclass
class Slice:
    cycles: int
    cycle_ns: float


class Load(Protocol):
    """Something that goes round and round."""

    def run(self, milliseconds: int) -> Slice: ...


@dataclass
class Watched:
    """Nanoseconds of a cycle while somebody watched, and just before and after that."""

    cycle: float
    off: float = 0
    programs: float = 0 # of it in the watcher's BPF programs, as the kernel counts it
    runs: float = 0     # of these programs in a cycle
    process: float = 0  # of CPU time beside it, in the watcher's processes

    def slower(self) -> float:
        return (self.cycle / self.off - 1) * 100


def cycle_ns(load: Load) -> float:
    return load.run(SLICE_MS).cycle_ns


def watch(load: Load, name: str, watcher: AbstractContextManager) -> Watched:
    with watcher as observer:
        if observer is None:
            return Watched(cycle_ns(load))
        # In a slice of its own: that the time is taken costs something itself.
        with bpf_stats():
            eventually(f"{name} sees the load", lambda: ran_during(load, GLANCE_MS, observer.pids)[0].runs)
            ran, cycles = ran_during(load, STATS_SLICE_MS, observer.pids)
        before, begun = cpu_of(observer.pids), time.monotonic_ns()
        cycle = cycle_ns(load)
        busy = (cpu_of(observer.pids) - before) / (time.monotonic_ns() - begun)
        return Watched(cycle, programs=ran.ns / cycles, runs=ran.runs / cycles, process=busy * cycle)


def cpu_of(pids: list[int]) -> int:
    return sum(map(cpu_ns, pids))


def programs_of(pids: list[int]) -> Programs:
    each = [programs(pid) for pid in pids]
    return Programs(sum(one.ns for one in each), sum(one.runs for one in each))


def ran_during(load: Load, milliseconds: int, pids: list[int]) -> tuple[Programs, int]:
    """What the programs of these processes did, and in how many cycles."""
    before = programs_of(pids)
    cycles = load.run(milliseconds).cycles
    return programs_of(pids) - before, cycles


def measure_cycles(bench: Bench, table: Table, load: Load, watchers: dict[str, AbstractContextManager]) -> None:
    """Between each two watchers nobody watches: how fast this machine is changes from minute to minute by more than a
    watcher costs, so each is compared with what was before and after it. One of them is the empty_program."""
    if running("eghostbusterd"):
        table.note("another eghostbusterd watched this kernel, so that nobody is not nobody here")
    watchers = {"nobody": nullcontext(), **watchers}
    seen: dict[str, list[Watched]] = {name: [] for name in watchers}
    before = cycle_ns(load)
    for number in range(ROUNDS):
        bench.progress(f"cycles, round {number + 1} of {ROUNDS}")
        for name, watcher in watchers.items():
            watched = watch(load, name, watcher)
            after = cycle_ns(load)
            watched.off = (before + after) / 2
            before = after
            seen[name].append(watched)
    clock = statistics.median(watched.programs / watched.runs for watched in seen["empty_program"])
    for name, rounds in seen.items():
        table.add(name, **cycle_figures(rounds, clock))
    table.note(f"medians of {ROUNDS} rounds of {SLICE_MS / 1000:g} s; slower: than the slices before and after, in which "
               "nobody watched; spread: half of what lies between the quartiles of that")
    table.note("programs: inside of the watcher's BPF programs, as the kernel counts it (kernel.bpf_stats_enabled), without "
               f"the {clock:.0f} ns that it counts for each run of an empty one; process: the CPU time of the watcher's "
               "processes; cost: both together")


def cycle_figures(rounds: list[Watched], clock: float) -> dict[str, float]:
    """`clock` is what the kernel counts for a run in which nothing is done."""
    slower = [watched.slower() for watched in rounds]
    first, _, third = statistics.quantiles(slower, n=4)
    figures = {"rate": 1e9 / statistics.median(watched.cycle for watched in rounds),
               "slower": statistics.median(slower), "spread": (third - first) / 2}
    if rounds[0].runs:
        inside = max(0.0, statistics.median(watched.programs - watched.runs * clock for watched in rounds))
        beside = statistics.median(watched.process for watched in rounds)
        cycle = statistics.median(watched.off for watched in rounds)
        figures |= {"programs": inside / 1e3, "process": beside / 1e3, "cost": (inside + beside) / cycle * 100}
    return figures
