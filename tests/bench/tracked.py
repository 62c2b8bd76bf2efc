#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs to track sockets: the time of a sweep, the daemon's memory, its CPU time while nothing happens."""

import pathlib
import sys
import time
from contextlib import ExitStack

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "appliance"))

from bench import Bench
from daemon import cpu_ns, ghosts, memory_mib, sweep_ms
from machine import Machine, eventually
from network import SOON_ALONE, Network

STEPS = (0, 1_000, 10_000, 20_000)
IDLE_SECONDS = 30


def idle_cpu_percent(pid: int) -> float:
    before = cpu_ns(pid)
    time.sleep(IDLE_SECONDS)
    return (cpu_ns(pid) - before) / 1e9 / IDLE_SECONDS * 100


def main() -> None:
    bench = Bench("tracked", __doc__)
    table = bench.table("sockets", f"Tracked sockets, all of them ghosts; idle CPU over {IDLE_SECONDS} s",
                        {"sweep": "ms", "memory": "MiB", "idle_cpu": "%"})
    # The defaults, not the tests' short threshold; but what is to be tracked must not be cleaned.
    machine = Machine("egb-bench", {"/etc/eghostbuster/eghostbuster.conf.d/10-test.conf": "[tcp]\nClean=never\n"})
    with ExitStack() as cleanup:
        cleanup.callback(machine.stop)
        machine.start()
        machine.wait_ready()
        pid = machine.host_pid()
        network = cleanup.enter_context(Network(**SOON_ALONE))
        planted = 0
        for step in STEPS:
            bench.progress(f"{step:,} sockets")
            cleanup.enter_context(network.plant_alone(step - planted))
            planted = step
            eventually(f"{step} ghosts", lambda: ghosts(machine) >= step, seconds=120)
            table.add(str(step), sweep=sweep_ms(machine), memory=memory_mib(pid), idle_cpu=idle_cpu_percent(pid))
    bench.finish()


main()
