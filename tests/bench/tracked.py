#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs to track sockets: the time of a sweep, the daemon's memory, its CPU time while nothing happens."""

import pathlib
import statistics
import sys
import time
from contextlib import ExitStack

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "appliance"))

from bench import Bench
from machine import KIND, TCP_PATH, Forgetful, Machine, eventually

STEPS = (0, 1_000, 10_000, 20_000)
SOCKETS_PER_PROCESS = 5_000
SWEEPS = 7
IDLE_SECONDS = 30


def sweep_ms(machine: Machine) -> float:
    """The median of several sweeps that were asked for, each with its search for the holders."""
    times = []
    for _ in range(SWEEPS):
        machine.call("Scan", "as", 1, "tcp")
        times.append(machine.get("LastSweepUSec", TCP_PATH, KIND) / 1000)
    return statistics.median(times)


def memory_mib(pid: int) -> float:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def cpu_seconds(pid: int) -> float:
    """In nanoseconds, where /proc/PID/stat would count ticks of 10 ms."""
    threads = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def idle_cpu_percent(pid: int) -> float:
    before = cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return (cpu_seconds(pid) - before) / IDLE_SECONDS * 100


def suspected(machine: Machine) -> int:
    return machine.get("Suspected", TCP_PATH, KIND)


def main() -> None:
    bench = Bench("tracked", f"Tracked sockets, all of them ghosts; idle CPU over {IDLE_SECONDS} s",
                  {"sweep": "ms", "memory": "MiB", "idle_cpu": "%"})
    # The default threshold, not the tests' short one.
    machine = Machine("egb-bench", {"/etc/eghostbuster/eghostbuster.conf.d/10-test.conf": "[tcp]\nClean=never\n"})
    with ExitStack() as cleanup:
        cleanup.callback(machine.stop)
        machine.start()
        machine.wait_ready()
        pid = machine.host_pid()
        planted = 0
        for step in STEPS:
            bench.progress(f"{step:,} sockets")
            while planted < step:
                count = min(SOCKETS_PER_PROCESS, step - planted)
                cleanup.enter_context(Forgetful("--count", str(count)))
                planted += count
            eventually(f"{step} ghosts", lambda: suspected(machine) >= step, seconds=120)
            bench.add(str(step), sweep=sweep_ms(machine), memory=memory_mib(pid), idle_cpu=idle_cpu_percent(pid))
    bench.finish()


main()
