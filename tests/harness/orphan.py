# SPDX-License-Identifier: Apache-2.0
"""A process that nobody who lives has forked, so that whatever it takes is its own."""

import os
import signal
from collections.abc import Callable


def start(act: Callable[[], None], prepare: Callable[[], None] = lambda: None) -> int:
    """Its pid, once it has acted; it stays until it is killed. Who forks it prepares, and is no more by then."""
    told, go = os.pipe(), os.pipe()
    middle = os.fork()
    if middle == 0:
        prepare()
        pid = os.fork()
        if pid == 0:
            os.read(go[0], 1)
            act()
            os.write(told[1], b"!")
            while True:
                signal.pause()
        os.write(told[1], f"{pid}\n".encode())
        os._exit(0)
    pid = int(os.read(told[0], 16))
    os.waitpid(middle, 0)
    os.write(go[1], b"!")
    os.read(told[0], 1)
    for end in (*told, *go):
        os.close(end)
    return pid
