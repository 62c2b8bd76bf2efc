# SPDX-License-Identifier: Apache-2.0
"""What it costs a load that somebody watches: the load in slices, with each watcher in turn, and nobody in between."""

import random
import statistics
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from bench import Bench, Table
from daemon import Programs, bpf_stats, cpu_ns, programs, running
from machine import eventually

ROUNDS = 15
SLICE_MS = 500
STATS_SLICE_MS = 300
# By then the kernel has freed what a watcher has left.
SETTLED_SECONDS = 0.5
# So little that a watcher is soon done with what it has seen.
GLANCE_MS = 1

COLUMNS = {"rate": "cycles/s", "slower": "%", "spread": "+-%", "programs": "us/cycle", "process": "us/cycle",
           "cost": "% of a cycle"}
UNITS_NS = {"us/cycle": 1e3, "s": 1e9}


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
    programs: float | None = None # of it in the watcher's BPF programs, as the kernel counts it, if it was to count
    runs: float = 0               # of these programs in a cycle
    process: float = 0            # of CPU time beside it, in the watcher's processes

    def slower(self) -> float:
        return (self.cycle / self.off - 1) * 100


def cycle_ns(load: Load) -> float:
    return load.run(SLICE_MS).cycle_ns


@dataclass
class Course:
    """A load, and the table that says what it costs it to be watched."""

    load: Load
    table: Table

    def watch(self, pids: list[int]) -> Watched:
        if not pids:
            return Watched(cycle_ns(self.load))
        watched = self._count(pids) if "programs" in self.table.columns else Watched(0)
        before, begun = cpu_of(pids), time.monotonic_ns()
        watched.cycle = cycle_ns(self.load)
        watched.process = (cpu_of(pids) - before) / (time.monotonic_ns() - begun) * watched.cycle
        return watched

    def _count(self, pids: list[int]) -> Watched:
        """In a slice of its own: that the time is taken costs something itself."""
        with bpf_stats():
            ran, cycles = ran_during(self.load, STATS_SLICE_MS, pids)
        return Watched(0, programs=ran.ns / cycles, runs=ran.runs / cycles)


def watch(courses: list[Course], name: str, watcher: AbstractContextManager, proof: Load) -> list[Watched]:
    with watcher as observer:
        if observer is None:
            return [course.watch([]) for course in courses]
        # Some loads may be none of its business, and the daemon lets go of what it has seen enough of for now: before and
        # after them it must be seen to do what it is there for.
        eventually(f"{name} sees what it is there for", lambda: sees(observer.pids, proof))
        # It has just seen something: what it does about that belongs to every slice as much as to any other.
        time.sleep(random.uniform(0, observer.period))
        seen = [course.watch(observer.pids) for course in courses]
        eventually(f"{name} still sees what it is there for", lambda: sees(observer.pids, proof))
        return seen


def sees(pids: list[int], proof: Load) -> bool:
    with bpf_stats():
        return ran_during(proof, GLANCE_MS, pids)[0].runs > 0


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
    measure_courses(bench, [Course(load, table)], watchers, load)


def measure_courses(bench: Bench, courses: list[Course], watchers: dict[str, AbstractContextManager], proof: Load,
                    usual_rounds: int = ROUNDS) -> None:
    """Between each two watchers nobody watches: how fast this machine is changes from minute to minute by more than a
    watcher costs, so each is compared with what was before and after it. One of them is the empty_program. That each of
    them watches is seen by `proof`, a load during which its programs run."""
    watchers = {"nobody": nullcontext(), **watchers}
    seen: dict[str, list[list[Watched]]] = {name: [] for name in watchers}
    before = [cycle_ns(course.load) for course in courses]
    rounds = bench.rounds(usual_rounds)
    for number in range(rounds):
        bench.progress(f"cycles, round {number + 1} of {rounds}")
        for name, watcher in watchers.items():
            all_watched = watch(courses, name, watcher, proof)
            time.sleep(SETTLED_SECONDS)
            after = [cycle_ns(course.load) for course in courses]
            for watched, *around in zip(all_watched, before, after):
                watched.off = sum(around) / 2
            before = after
            seen[name].append(all_watched)
    clock = clock_of(watched for all_watched in seen["empty_program"] for watched in all_watched)
    for place, course in enumerate(courses):
        for name, all_rounds in seen.items():
            add_figures(course.table, name, [all_watched[place] for all_watched in all_rounds], clock)
        add_notes(course.table, rounds, clock)


def clock_of(empty: Iterable[Watched]) -> float:
    """What the kernel counts for a run in which nothing is done."""
    return statistics.median([watched.programs / watched.runs for watched in empty if watched.runs] or [0])


def add_notes(table: Table, rounds: int, clock: float) -> None:
    if running("eghostbusterd"):
        table.note("another eghostbusterd watched this kernel, so that nobody is not nobody here")
    table.note(f"medians of {rounds} rounds{length_of(table)}; slower: than the slices before and after, in which nobody "
               "watched; spread: half of what lies between the quartiles of that")
    if "programs" in table.columns:
        table.note("programs: inside of the watcher's BPF programs, as the kernel counts it (kernel.bpf_stats_enabled), "
                   f"without the {clock:.0f} ns that it counts for each run of an empty one; process: the CPU time of the "
                   "watcher's processes; cost: both together; means of all rounds")


def length_of(table: Table) -> str:
    """Of a slice, where that is given."""
    return f" of {SLICE_MS / 1000:g} s" if "programs" in table.columns else ""


def add_figures(table: Table, name: str, rounds: list[Watched], clock: float) -> None:
    figures = cycle_figures(rounds, clock)
    table.add(name, **{column: figures[column] / UNITS_NS.get(unit, 1)
                       for column, unit in table.columns.items() if column in figures})


def cycle_figures(rounds: list[Watched], clock: float) -> dict[str, float]:
    """Times in nanoseconds. `clock` is what the kernel counts for a run in which nothing is done."""
    slower = [watched.slower() for watched in rounds]
    first, _, third = statistics.quantiles(slower, n=4) if len(slower) > 1 else slower * 3
    cycle = statistics.median(watched.cycle for watched in rounds)
    figures = {"time": cycle, "rate": 1e9 / cycle, "slower": statistics.median(slower), "spread": (third - first) / 2}
    if rounds[0].programs is not None:
        # What comes now and then is in the mean, and not in the median.
        inside = max(0.0, statistics.mean(watched.programs - watched.runs * clock for watched in rounds))
        beside = statistics.mean(watched.process for watched in rounds)
        off = statistics.median(watched.off for watched in rounds)
        figures |= {"programs": inside, "process": beside, "cost": (inside + beside) / off * 100}
    return figures
