# SPDX-License-Identifier: Apache-2.0
"""A shell that is told what to do, one script after the other: what it costs to start one is paid once."""

import subprocess
from contextlib import AbstractContextManager

END = "--- end of output ---"


class Shell(AbstractContextManager):
    """One that `command` starts, for as long as the block lasts."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self._process.pid

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, script: str) -> str:
        """Back when the script is done; it costs nothing but its own processes."""
        self._process.stdin.write(f"{{ {script}\n}} </dev/null; echo; echo '{END}' $?\n")
        self._process.stdin.flush()
        lines = []
        while not (line := self._process.stdout.readline()).startswith(END):
            if not line:
                raise AssertionError(f"the shell is gone: {script}")
            lines.append(line)
        if line != f"{END} 0\n":
            raise AssertionError(f"{script}: exit code {line.split()[-1]}\n{''.join(lines)}")
        return "".join(lines).strip()
