#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [PATTERN]: the booted tests (tests/README.md says how to run one by hand).

Each scenario is a machine of its own, and waits most of the time: several run side by side. EGB_IMAGE names the image
to boot, EGB_PACKAGE the package that is in it, EGB_RESULTS a file for the results, EGB_RUNG whose scenarios these are.
"""

import concurrent.futures
import os
import pathlib
import re
import sys
import time
import traceback
import unittest
from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools/dev"))

from reasons import reason_of  # noqa: E402

JOURNAL_TAIL = 60
SIDE_BY_SIDE = 3
RUNG = os.environ.get("EGB_RUNG", "appliance")


def name_of(test: unittest.TestCase) -> str:
    """RUNG/SCENARIO/test, or RUNG/SCENARIO when the boot itself is meant."""
    method = getattr(test, "_testMethodName", None)
    if method is None or method == "runTest":
        return f"{RUNG}/{str(test)}"
    return f"{RUNG}/{type(test).__name__.lower()}/{method.removeprefix('test_')}"


class Reporter(unittest.TestResult):
    """A line per test as it ends; after a failure the daemon's journal, while the machine is still there."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[tuple[str, str, str]] = []
        self._began = 0.0

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._began = time.monotonic()

    def _tell(self, verdict: str, test: unittest.TestCase, reason: str = "") -> None:
        took = time.monotonic() - self._began if self._began else 0.0
        print(f"{verdict:<4}  {name_of(test):<75} {took:6.1f}s {reason}", flush=True)
        self.results.append((verdict, name_of(test), reason))

    def _failed(self, test: unittest.TestCase, error: tuple) -> None:
        self._tell("fail", test, reason_of(error[1]))
        print("".join(traceback.format_exception(*error)))
        machine = getattr(type(test), "machine", None)
        if machine is not None:
            done = machine.run("journalctl", "--no-pager", "--unit=eghostbuster.service", f"--lines={JOURNAL_TAIL}",
                               check=False)
            print(f"the end of the daemon's journal:\n{done.stdout}{done.stderr}", flush=True)

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self._tell("pass", test)

    def addFailure(self, test: unittest.TestCase, err: tuple) -> None:
        super().addFailure(test, err)
        self._failed(test, err)

    def addError(self, test: unittest.TestCase, err: tuple) -> None:
        super().addError(test, err)
        self._failed(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: tuple | None) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            print(subtest)
            self._failed(test, err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._tell("skip", test, reason)


def tests_of(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from tests_of(entry)
        else:
            yield entry


def scenarios(pattern: str) -> list[unittest.TestSuite]:
    """What matches, by the machine that it needs; the longest begin first."""
    found = unittest.defaultTestLoader.discover(str(HERE), pattern="scenario_*.py")
    by_class: dict[type, unittest.TestSuite] = {}
    for test in tests_of(found):
        # One whose file cannot even be read is everybody's.
        if getattr(test, "rung", RUNG) == RUNG and re.search(pattern, name_of(test)):
            by_class.setdefault(type(test), unittest.TestSuite()).addTest(test)
    return sorted(by_class.values(), reverse=True,
                  key=lambda suite: sum(getattr(test, "length", 1) for test in tests_of(suite)))


def run(scenario: unittest.TestSuite) -> Reporter:
    reporter = Reporter()
    scenario.run(reporter)
    return reporter


def main() -> int:
    sys.path.insert(0, str(HERE))
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = scenarios(pattern)
    if pattern and not chosen:
        print(f"no scenario matches {pattern}")
        return 0
    alone = [scenario for scenario in chosen if next(tests_of(scenario)).alone]
    reporters = [run(scenario) for scenario in alone]
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        reporters += pool.map(run, [scenario for scenario in chosen if scenario not in alone])
    if "EGB_RESULTS" in os.environ:
        with open(os.environ["EGB_RESULTS"], "a", encoding="utf-8") as file:
            for reporter in reporters:
                for result in reporter.results:
                    print(*result, sep="\t", file=file)
    return 0 if reporters and all(reporter.wasSuccessful() and reporter.testsRun for reporter in reporters) else 1


if __name__ == "__main__":
    sys.exit(main())
