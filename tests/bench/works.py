# SPDX-License-Identifier: Apache-2.0
"""What people wait for on a machine that is watched: an archive unpacked, another branch checked out, a build."""

import pathlib
import time
from contextlib import AbstractContextManager

from cycles import Slice
from roots import in_build_root
from shell import Shell

# Of the root that we compile in: some nine thousand files of text, as a source tree has them.
TREE = "usr/include usr/lib/python3* usr/share/perl usr/share/cmake*"
SOURCES = 80
FUNCTIONS = 10
GIT = "git -C repository -c user.name=egb -c user.email=egb@localhost -c gc.auto=0 -c advice.detachedHead=false"


class Work:
    """A slice of it is all of it, once; `first` is what must be done before and does not count."""

    def __init__(self, shell: Shell, script: str, first: str = "") -> None:
        self._shell = shell
        self._script = script
        self._first = first

    def run(self, _: int) -> Slice:
        if self._first:
            self._shell.run(self._first)
        begun = time.monotonic_ns()
        self._shell.run(self._script)
        return Slice(1, time.monotonic_ns() - begun)


class Works(AbstractContextManager):
    """A shell in a folder in memory, so that no disk has a say, and all that is needed for the works in it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._shell = Shell(in_build_root("sh"))
        self._shell.run(f"cd / && tar -cf {folder}/tree.tar {TREE} && cd {folder}")
        self.untar = Work(self._shell, "tar -C unpacked -xf tree.tar", first="rm -rf unpacked; mkdir unpacked")
        self.checkout = self._make_checkout()
        self.build = self._make_build(folder)

    def __exit__(self, *_) -> None:
        self._shell.__exit__(*_)

    def _make_checkout(self) -> Work:
        """From one branch to another, in which every file is another, and back the next time."""
        self._shell.run(f"mkdir repository && tar -C repository -xf tree.tar && {GIT} init --quiet --initial-branch=one")
        self._shell.run(f"{GIT} add --all && {GIT} commit --quiet --message=one && {GIT} checkout --quiet -b two")
        self._shell.run("find repository/usr -type f -exec sed -i '1i another line' {} +")
        self._shell.run(f"{GIT} add --all && {GIT} commit --quiet --message=two")
        self._shell.run(f"for branch in one two; do {GIT} checkout --quiet $branch; done")
        return Work(self._shell, f"{GIT} checkout --quiet @{{-1}}")

    def _make_build(self, folder: pathlib.Path) -> Work:
        sources = folder / "build"
        sources.mkdir()
        for number in range(SOURCES):
            (sources / f"part{number}.c").write_text(part(number))
        (sources / "main.c").write_text("int main(void) { return 0; }\n")
        (sources / "Makefile").write_text(MAKEFILE)
        return Work(self._shell, 'make -C build --silent --always-make --jobs="$(nproc)"')


# It is as generated code is, and includes what most code includes.
PART = """#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

"""
FUNCTION = """int part{number}_{function}(const char *text, size_t length)
{{
	char copy[{function} + 16];
	int sum = {number};

	snprintf(copy, sizeof(copy), "%s", text);
	for (size_t at = 0; at < length; at++)
		sum = sum * 31 + copy[at % sizeof(copy)];
	return sum < 0 ? open(copy, O_RDONLY) : sum;
}}

"""
MAKEFILE = """parts := $(patsubst %.c,%.o,$(wildcard *.c))
program: $(parts)
	cc -o $@ $^
%.o: %.c
	cc -O1 -g -MMD -c -o $@ $<
"""


def part(number: int) -> str:
    return PART + "".join(FUNCTION.format(number=number, function=function) for function in range(FUNCTIONS))
