# SPDX-License-Identifier: Apache-2.0
"""A program of ours that goes round and round, for as long as it is told."""

import json
import os
import pathlib
import subprocess
from contextlib import AbstractContextManager

from cycles import Slice
from roots import built


def on_one_cpu(*program: str) -> list[str]:
    """The command for a load that is kept on the last CPU."""
    return ["taskset", "--cpu-list", str(max(os.sched_getaffinity(0))), *built(*program)]


class Load(AbstractContextManager):
    """See load.hpp for what it is told, and tells."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, milliseconds: int) -> Slice:
        """The time that its CPU was somebody else's is left out."""
        before = self._waited_ns()
        self._process.stdin.write(f"{milliseconds}\n")
        self._process.stdin.flush()
        ran = json.loads(self._process.stdout.readline())
        return Slice(ran["cycles"], (ran["ns"] - self._waited_ns() + before) / ran["cycles"])

    def _waited_ns(self) -> int:
        return int(pathlib.Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[1])
