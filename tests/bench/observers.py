# SPDX-License-Identifier: Apache-2.0
"""Whoever watches the sockets' states: the daemon, and the peers that it is measured against."""

import signal
import subprocess
import tempfile
from contextlib import AbstractContextManager

from machine import SERVICE, Machine
from network import in_root

# As little as a program can do.
EMPTY = "rawtracepoint:inet_sock_set_state { }"
# Prints every change of state of every TCP socket, as tcpstates does.
PRINTING = """
tracepoint:sock:inet_sock_set_state /args.protocol == 6/ {
    printf("%llx %d %s %s:%d %s:%d %d -> %d\\n", args.skaddr, pid, comm,
           ntop(args.family, args.saddr), args.sport, ntop(args.family, args.daddr), args.dport,
           args.oldstate, args.newstate);
}
"""
# Prints nothing, and knows since when each socket is in CLOSE_WAIT, FIN_WAIT2 or LAST_ACK, as the daemon does.
MARKING = """
tracepoint:sock:inet_sock_set_state /args.protocol == 6/ {
    if (args.newstate == 8 || args.newstate == 5 || args.newstate == 9) {
        @since[args.skaddr] = nsecs;
    } else if (args.oldstate == 8 || args.oldstate == 5 || args.oldstate == 9) {
        delete(@since, args.skaddr);
    }
}
"""


class Daemon(AbstractContextManager):
    """The appliance's, running for as long as the block lasts."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.pid = 0

    def __enter__(self) -> "Daemon":
        self._machine.run("systemctl", "start", SERVICE)
        self.pid = self._machine.host_pid()
        return self

    def __exit__(self, *_) -> None:
        self._machine.run("systemctl", "stop", SERVICE)


class Peer(AbstractContextManager):
    """A command of the bench root, with its output thrown away, running for as long as the block lasts."""

    def __init__(self, *command: str) -> None:
        self._command = in_root("EGB_BENCH_ROOT", *command)

    def __enter__(self) -> "Peer":
        self._complaints = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=self._complaints)
        self.pid = self._process.pid
        return self

    def __exit__(self, *_) -> None:
        with self._complaints:
            if self._process.poll() is not None:
                self._complaints.seek(0)
                raise AssertionError(f"{self._command[-1]} ended by itself: {self._complaints.read()}")
            self._process.send_signal(signal.SIGINT)
            self._process.wait()


def observers(machine: Machine) -> dict[str, AbstractContextManager]:
    return {
        "empty_program": Peer("bpftrace", "-e", EMPTY),
        "daemon": Daemon(machine),
        "tcpstates": Peer("tcpstates-libbpf"),
        "bpftrace_printing": Peer("bpftrace", "-e", PRINTING),
        "bpftrace_marking": Peer("bpftrace", "-e", MARKING),
    }
