# SPDX-License-Identifier: Apache-2.0
"""The roots that ./dev has made, and what runs in them."""

import os

from machine import TOP

ENTER_ROOT = TOP / "tools/dev/enter-root"
# In a mount namespace of its own, where tracefs is in its place for those who need it.
PRIVATELY = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c",
             '[ -e /sys/kernel/tracing/events ] || mount -t tracefs egb-tracing /sys/kernel/tracing; exec "$@"', "sh"]


def in_root(root: str, *command: str) -> list[str]:
    """The command for a process in one of the roots, which the environment names."""
    return [*PRIVATELY, str(ENTER_ROOT), os.environ[root], *command]


def in_build_root(*command: str) -> list[str]:
    """The command for a process where we compile: in the build root, if there is one."""
    return list(command) if os.environ.get("EGB_NATIVE") else in_root("EGB_BUILD_ROOT", *command)


def built(program: str, *arguments: str) -> list[str]:
    """The command for a program of ours."""
    return in_build_root(f"{os.environ['EGB_BENCH_PROGRAMS']}/{program}", *arguments)
