# SPDX-License-Identifier: Apache-2.0
"""Who watches the sockets' states: the daemon, and the peers that it is measured against."""

from contextlib import AbstractContextManager, ExitStack

from daemon import ghosts
from machine import CLOSE_WAIT_AFTER, Machine, eventually
from network import Network
from watchers import Daemon, peer

CONFIGURATION = "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf"
REPORTING = f"[tcp]\nClean=never\nCloseWaitAfter={CLOSE_WAIT_AFTER}s\n"

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


class SweepingDaemon(Daemon):
    """One that looks a while after a socket has begun to wait: by default this long."""

    period = 6.0


class DaemonWithGhost(SweepingDaemon):
    """One that has found a stuck socket and leaves it alone, so that it has to hear of its end."""

    def __enter__(self) -> "DaemonWithGhost":
        self._machine.put(CONFIGURATION, REPORTING)
        with ExitStack() as cleanup:
            network = cleanup.enter_context(Network())
            cleanup.enter_context(network.plant(1))
            cleanup.callback(super().__exit__)
            super().__enter__()
            eventually("the ghost is found", lambda: ghosts(self._machine))
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._cleanup.close()
        self._machine.put(CONFIGURATION, "")


def observers(machine: Machine) -> dict[str, AbstractContextManager]:
    return {
        "empty_program": peer("bpftrace", "-e", EMPTY),
        "daemon": SweepingDaemon(machine),
        "daemon_with_ghost": DaemonWithGhost(machine),
        "tcpstates": peer("tcpstates-libbpf"),
        "bpftrace_printing": peer("bpftrace", "-e", PRINTING),
        "bpftrace_marking": peer("bpftrace", "-e", MARKING),
    }
