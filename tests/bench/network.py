# SPDX-License-Identifier: Apache-2.0
"""Network namespaces of their own, in which the benches put their load."""

import pathlib
import re
from contextlib import AbstractContextManager, ExitStack

from cycles import Slice
from load import Load, on_one_cpu
from machine import Forgetful, eventually
from roots import in_root
from shell import Shell

# Below every limit on open files that a distribution sets.
SOCKETS_PER_PROCESS = 10_000
# A setting under which nothing is left of a forgotten socket's peer after a second; it would be a minute.
SOON_ALONE = {"tcp_fin_timeout": 1}


class Network(Shell):
    """A network namespace with a loopback, and a shell in it that sees the bench root, where ss is."""

    def __init__(self, **settings: int) -> None:
        """Settings are those of net.ipv4, which each namespace has for itself."""
        super().__init__(["unshare", "--net", "--", *in_root("EGB_BENCH_ROOT", "sh")])
        self.run("ip link set lo up")
        for name, value in settings.items():
            self.run(f"echo {value} >/proc/sys/net/ipv4/{name}")

    def command(self, *command: str) -> list[str]:
        """The command for another process in this namespace."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", "--", *command]

    def sockets(self) -> int:
        """TCP sockets that a process holds; a look that costs nearly nothing, however many there are."""
        counts = self._counts()
        return counts["inuse"] - counts["orphan"]

    def _counts(self) -> dict[str, int]:
        text = pathlib.Path(f"/proc/{self.pid}/net/sockstat").read_text()
        fields = re.search(r"^TCP: (.*)$", text, re.MULTILINE).group(1).split()
        return dict(zip(fields[::2], map(int, fields[1::2])))

    def plant(self, count: int, *options: str) -> ExitStack:
        """Forgets so many sockets here, for as long as the block lasts. The peers have closed their ends, and the kernel
        remembers that for tcp_fin_timeout."""
        with ExitStack() as planted:
            for start in range(0, count, SOCKETS_PER_PROCESS):
                part = min(SOCKETS_PER_PROCESS, count - start)
                planted.enter_context(Forgetful("--network", str(self.pid), "--count", str(part), *options))
            return planted.pop_all()

    def plant_alone(self, count: int) -> ExitStack:
        """The same, and nothing is left of the peers. For a network that is SOON_ALONE."""
        goal = self.sockets() + count
        with ExitStack() as planted:
            # Now and then the kernel ends a peer with a reset, and its ghost with it: such are made up for.
            while missing := goal - self.sockets():
                planted.enter_context(self.plant(missing))
                eventually("the peers are gone", self._has_no_peers)
            return planted.pop_all()

    def _has_no_peers(self) -> bool:
        counts = self._counts()
        return counts["orphan"] == 0 and counts["tw"] == 0


class Connections(AbstractContextManager):
    """tests/bench/tcp_cycles in a network of its own, kept on one CPU."""

    def __init__(self) -> None:
        with ExitStack() as cleanup:
            # The client's ends must not fill the machine with TIME_WAIT: without room for it they close when the
            # server's FIN is acknowledged, as every connection does. A longer tcp_fin_timeout than that of
            # TIME_WAIT keeps them sockets until then.
            network = cleanup.enter_context(Network(tcp_max_tw_buckets=0, tcp_fin_timeout=61))
            self._load = cleanup.enter_context(Load(network.command(*on_one_cpu("tcp_cycles"))))
            self._cleanup = cleanup.pop_all()

    def __exit__(self, *_) -> None:
        self._cleanup.close()

    def run(self, milliseconds: int) -> Slice:
        return self._load.run(milliseconds)
