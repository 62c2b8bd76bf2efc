# SPDX-License-Identifier: Apache-2.0
"""What the tests of packages are written with. They run in the build root, at the top of the tree."""

import os
import pathlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

PACKAGES = pathlib.Path(os.environ["EGB_PACKAGES"])


def said_by(*command: str | pathlib.Path) -> str:
    """What a program prints; it fails the test when it fails."""
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def version_of_project() -> str:
    return re.search(r"^project\(.* VERSION ([0-9.]+)", pathlib.Path("CMakeLists.txt").read_text(), re.MULTILINE)[1]


def the_one(pattern: str) -> pathlib.Path:
    found = sorted(PACKAGES.glob(pattern))
    if len(found) != 1:
        raise SystemExit(f"there should be one {PACKAGES}/{pattern}, and there are {[file.name for file in found]}")
    return found[0]


def deb() -> pathlib.Path:
    return the_one("eghostbuster_*.deb")


def rpm() -> pathlib.Path:
    return the_one(f"eghostbuster-{version_of_project()}-*[!c].rpm")


@contextmanager
def unpacked(package: pathlib.Path) -> Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory() as folder:
        if package.suffix == ".deb":
            said_by("dpkg-deb", "--extract", package, folder)
        else:
            with package.open("rb") as stream, tempfile.TemporaryFile() as archive:
                subprocess.run(["rpm2archive", "--nocompression", "-"], check=True, stdin=stream, stdout=archive)
                archive.seek(0)
                subprocess.run(["tar", "--extract", "--directory", folder], check=True, stdin=archive)
        yield pathlib.Path(folder)


class Complaints:
    """What is wrong, one line each; the end of the test."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, complaint: str) -> None:
        print(complaint)
        self._count += 1

    def unless(self, true: bool, complaint: str) -> None:
        if not true:
            self(complaint)

    def end(self, good: str) -> None:
        if self._count:
            raise SystemExit(1)
        print(good)
