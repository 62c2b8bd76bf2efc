#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kind tcp beside its peers: what it costs a busy machine, and what stuck sockets cost until they are gone."""

import pathlib
import re
import sys
import time
from contextlib import ExitStack

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "appliance"))

from bench import Bench, Table
from cycles import COLUMNS, measure_cycles, programs_of, sees
from daemon import bpf_stats, cpu_ns, ghosts, memory_mib, sweep_ms
from machine import SERVICE, Machine, eventually
from network import SOON_ALONE, Connections, Network
from observers import CONFIGURATION, REPORTING, observers
from watchers import Daemon

STEPS = (1_000, 10_000, 50_000)
STUCK = 50_000
# By a loop of one command for each socket: so many while there are most to look through, and so many at the end.
LOOPED = 300
FOUND_SECONDS = 120
THRESHOLD_SECONDS = 1
# By then the daemon has seen even the youngest, and who its peer is, as it has of any socket that comes to the default
# threshold of a minute. The kernel remembers the peers for a minute, too.
SEEN_SECONDS = 50
GONE_SECONDS = 50
POLL_SECONDS = 0.002
STRETCH_SECONDS = 30

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


def measure(bench: Bench, machine: Machine) -> None:
    table = bench.table("cycles", "connect, accept, close over loopback, one after the other on one CPU", COLUMNS)
    with Connections() as load:
        measure_cycles(bench, table, load, observers(machine))
    table.note("the time that the load's CPU was somebody else's is left out")
    table.note("daemon: as it comes, and nothing is stuck; daemon_with_ghost: one socket is, and is left so")
    table.note("tcpstates is libbpf-tools'; bpftrace_printing is a script that prints the same, bpftrace_marking one that "
               "keeps since when a socket is in CLOSE_WAIT, FIN_WAIT2 or LAST_ACK and prints nothing; all write to "
               "/dev/null")


def measure_stretch(bench: Bench, machine: Machine) -> None:
    table = bench.table("stretch", f"the same for {STRETCH_SECONDS} s at a stretch: all that the daemon does meanwhile",
                        {"programs": "us/cycle", "process": "us/cycle", "cost": "% of a cycle"})
    bench.progress(f"{STRETCH_SECONDS} s of cycles")
    with Connections() as load, Daemon(machine) as daemon, bpf_stats():
        eventually("the daemon sees what it is there for", lambda: sees(daemon.pids, load))
        before, begun = programs_of(daemon.pids), sum(map(cpu_ns, daemon.pids))
        ran = load.run(STRETCH_SECONDS * 1000)
        inside, beside = programs_of(daemon.pids) - before, sum(map(cpu_ns, daemon.pids)) - begun
        if found := ghosts(machine):
            raise AssertionError(f"{found} sockets are stuck on this machine, of whose end the daemon has to hear")
    table.add("daemon", programs=inside.ns / ran.cycles / 1e3, process=beside / ran.cycles / 1e3,
              cost=(inside.ns + beside) / (ran.cycles * ran.cycle_ns) * 100)
    table.note("programs: as the kernel counts it, with what its clock adds to each run; several sweeps are in it")


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
        time.sleep(SEEN_SECONDS)
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
            measure(bench, machine)
        if bench.wants("stretch"):
            measure_stretch(bench, machine)
    bench.finish()


main()
