# SPDX-License-Identifier: Apache-2.0
"""Who watches the sockets' states: the daemon, and the peers that it is measured against."""

from contextlib import AbstractContextManager

from machine import Machine
from watchers import Daemon, peer

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


def observers(machine: Machine) -> dict[str, AbstractContextManager]:
    return {
        "empty_program": peer("bpftrace", "-e", EMPTY),
        "daemon": Daemon(machine),
        "tcpstates": peer("tcpstates-libbpf"),
        "bpftrace_printing": peer("bpftrace", "-e", PRINTING),
        "bpftrace_marking": peer("bpftrace", "-e", MARKING),
    }
