#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kind tcp beside its peers: what it costs a busy machine, and what stuck sockets cost until they are gone."""

import pathlib
import re
import statistics
import sys
import time
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "appliance"))

from bench import Bench, Table
from daemon import Programs, bpf_stats, cpu_ns, ghosts, memory_mib, programs, running, sweep_ms
from machine import CLOSE_WAIT_AFTER, SERVICE, Machine, eventually
from network import SOON_ALONE, Load, Network
from observers import Daemon, observers

ROUNDS = 15
SLICE_MS = 500
STATS_SLICE_MS = 300
GLANCE_MS = 20

STEPS = (1_000, 10_000, 50_000)
STUCK = 50_000
# By a loop of one command for each socket: so many while there are most to look through, and so many at the end.
LOOPED = 300
FOUND_SECONDS = 120
THRESHOLD_SECONDS = 1
GONE_SECONDS = 50 # while the peers are remembered, which is what proves that they have closed
POLL_SECONDS = 0.002

CONFIGURATION = "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf"
REPORTING = f"[tcp]\nClean=never\nCloseWaitAfter={CLOSE_WAIT_AFTER}s\n"
# What is proven is cleaned at once, however many there are; but nothing is old enough to be looked at, until that
# changes. The daemon watches this whole machine, where other sockets wait too: these are left alone.
NAME = "egb-bench"
WAITING = f"""
[Governor]
ActsPerMinute=1000000
ActsPerMinutePerUnit=1000000
Protect=
[tcp]
Clean=proven
Veto=0
Nudge=no
Only=comm:{NAME}
CloseWaitAfter=1h
"""
CLEANING = WAITING.replace("CloseWaitAfter=1h", f"CloseWaitAfter={THRESHOLD_SECONDS}s")

# It is started more often than systemd finds healthy.
OFTEN = {f"/etc/systemd/system/{SERVICE}.d/bench.conf": "[Unit]\nStartLimitIntervalSec=0\n"}


def configure(machine: Machine, text: str) -> None:
    machine.put(CONFIGURATION, text)
    machine.run("systemctl", "reload", SERVICE)


@dataclass
class Watched:
    """Nanoseconds of a cycle while somebody watched, and just before and after that."""

    cycle: float
    off: float = 0
    programs: float = 0 # of it in the watcher's BPF programs, as the kernel counts it
    runs: float = 0     # of these programs in a cycle
    process: float = 0  # of CPU time beside it, in the watcher's process

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
            eventually(f"{name} sees the load", lambda: ran_during(load, GLANCE_MS, observer.pid)[0].runs)
            ran, cycles = ran_during(load, STATS_SLICE_MS, observer.pid)
        before, begun = cpu_ns(observer.pid), time.monotonic_ns()
        cycle = cycle_ns(load)
        busy = (cpu_ns(observer.pid) - before) / (time.monotonic_ns() - begun)
        return Watched(cycle, programs=ran.ns / cycles, runs=ran.runs / cycles, process=busy * cycle)


def ran_during(load: Load, milliseconds: int, pid: int) -> tuple[Programs, int]:
    """What the programs of a process did, and in how many cycles."""
    before = programs(pid)
    cycles = load.run(milliseconds).cycles
    return programs(pid) - before, cycles


def measure_cycles(bench: Bench, machine: Machine) -> None:
    """Between each two watchers nobody watches: how fast this machine is changes from minute to minute by more than a
    watcher costs, so each is compared with what was before and after it."""
    table = bench.table("cycles", "connect, accept, close over loopback, one after the other on one CPU",
                        {"rate": "cycles/s", "slower": "%", "spread": "+-%", "programs": "us/cycle",
                         "process": "us/cycle", "cost": "% of a cycle"})
    if running("eghostbusterd"):
        table.note("another eghostbusterd watched this kernel, so that nobody is not nobody here")
    watchers = {"nobody": nullcontext(), **observers(machine)}
    seen: dict[str, list[Watched]] = {name: [] for name in watchers}
    with Load() as load:
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
               "nobody watched; spread: half of what lies between the quartiles of that; the time that the load's CPU "
               "was somebody else's is left out")
    table.note("programs: inside of the watcher's BPF programs, as the kernel counts it (kernel.bpf_stats_enabled), without "
               f"the {clock:.0f} ns that it counts for each run of an empty one; process: the CPU time of the watcher's "
               "process; cost: both together")
    table.note("tcpstates is libbpf-tools'; bpftrace_printing is a script that prints the same, bpftrace_marking one that "
               "keeps since when a socket is in CLOSE_WAIT, FIN_WAIT2 or LAST_ACK and prints nothing; all write to "
               "/dev/null")


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


def measure_tracked(bench: Bench, machine: Machine) -> None:
    table = bench.table("tracked", "Tracked sockets, all of them ghosts",
                        {"sweep": "ms", "sweep_per_socket": "us", "memory": "MiB", "memory_per_socket": "bytes",
                         "kernel_per_socket": "bytes"})
    configure(machine, REPORTING)
    pid = machine.host_pid()
    empty = memory_mib(pid)
    table.add("0", sweep=sweep_ms(machine), memory=empty)
    planted = 0
    with ExitStack() as cleanup:
        network = cleanup.enter_context(Network(**SOON_ALONE))
        for step in STEPS:
            bench.progress(f"{step:,} tracked sockets")
            cleanup.enter_context(network.plant_alone(step - planted))
            planted = step
            eventually(f"{step} ghosts", lambda: ghosts(machine) >= step, FOUND_SECONDS)
            sweep, memory = sweep_ms(machine), memory_mib(pid)
            table.add(str(step), sweep=sweep, sweep_per_socket=sweep * 1e3 / step, memory=memory,
                      memory_per_socket=(memory - empty) * 2**20 / step,
                      kernel_per_socket=option_memory(network) / step)
    table.note("sweep: one that was asked for, with its search for the holders, the median of several")
    table.note("memory: the daemon's resident set; per socket: what it is more than with none")
    table.note("kernel: what the kernel has charged to the sockets as option memory, in which their marks are")


def option_memory(network: Network) -> int:
    return sum(map(int, re.findall(r",o(\d+),", network.run("ss -Htnm state close-wait"))))


def measure_stuck(bench: Bench, machine: Machine) -> None:
    table = bench.table("stuck", f"{STUCK:,} stuck sockets: from the threshold until all are gone",
                        {"time": "s", "per_socket": "us"})
    bench.progress(f"{STUCK:,} stuck sockets, for the daemon")
    with Daemon(machine):
        add_time(table, "daemon", by_daemon(table, machine))
    bench.progress(f"{STUCK:,} stuck sockets, for a filter of ss -K")
    add_time(table, "ss_filter", by_filter(table))
    bench.progress(f"{STUCK:,} stuck sockets, for a loop of ss -K")
    add_time(table, "ss_loop", by_loop())
    table.note("daemon: Clean=proven, Nudge=no, Veto=0, Only= these, from the reload that lowers CloseWaitAfter= on; ss_filter: ss -Kt state "
               "close-wait; ss_loop: ss -K for each socket that ss -tn state close-wait lists")
    table.note(f"the loop is measured with the first {LOOPED} of {STUCK:,} and with the last {LOOPED}, which are quicker "
               "because fewer sockets are left to look through; its time is the mean of both for all of them")


def add_time(table: Table, row: str, seconds: float | None) -> None:
    if seconds is not None:
        table.add(row, time=seconds, per_socket=seconds / STUCK * 1e6)


def by_daemon(table: Table, machine: Machine) -> float | None:
    """None when it does not end in time."""
    configure(machine, WAITING)
    with Network() as network, network.plant(STUCK, "--comm", NAME):
        # Until even the youngest is old enough.
        time.sleep(THRESHOLD_SECONDS)
        begun = time.monotonic()
        configure(machine, CLEANING)
        while network.sockets():
            if time.monotonic() > begun + GONE_SECONDS:
                table.note(f"the daemon had {network.sockets():,} sockets left after {GONE_SECONDS} s")
                return None
            time.sleep(POLL_SECONDS)
        took = time.monotonic() - begun
        check_left(network, 0)
        return took


def by_filter(table: Table) -> float:
    with Network() as network, network.plant(STUCK):
        passes = 0
        begun = time.monotonic()
        while network.sockets():
            network.run("ss -Kt state close-wait >/dev/null")
            passes += 1
        took = time.monotonic() - begun
        check_left(network, 0)
    if passes > 1:
        table.note(f"the filter had left some the first time, and was used {passes} times")
    return took


def by_loop() -> float:
    return (loop_seconds(STUCK) + loop_seconds(LOOPED)) / 2 / LOOPED * STUCK


def loop_seconds(planted: int) -> float:
    """For LOOPED sockets of those."""
    with Network() as network, network.plant(planted):
        begun = time.monotonic()
        network.run(f"""
            ss -Htn state close-wait | head -n {LOOPED} | while read -r _ _ local peer; do
                ss -Kt state close-wait src "$local" dst "$peer"
            done >/dev/null
        """)
        took = time.monotonic() - begun
        check_left(network, planted - LOOPED)
        return took


def check_left(network: Network, expected: int) -> None:
    left = int(network.run("ss -Htn state close-wait | wc -l"))
    if left != expected:
        raise AssertionError(f"{left} sockets are in CLOSE_WAIT, and not {expected}")


def main() -> None:
    bench = Bench("tcp", __doc__)
    machine = Machine("egb-bench", {CONFIGURATION: "", **OFTEN})
    with ExitStack() as cleanup:
        cleanup.callback(machine.stop)
        machine.start()
        machine.wait_ready()
        if bench.wants("tracked"):
            measure_tracked(bench, machine)
        machine.run("systemctl", "stop", SERVICE)
        if bench.wants("stuck"):
            measure_stuck(bench, machine)
        machine.put(CONFIGURATION, "")
        if bench.wants("cycles"):
            measure_cycles(bench, machine)
    bench.finish()


main()
