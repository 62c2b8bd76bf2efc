#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ctest's JUnit file as lines "pass|fail|skip TAB NAME TAB REASON TAB SECONDS" (see test.sh)."""

import argparse
import json
import pathlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import NamedTuple

from reasons import one_line


class Row(NamedTuple):
    verdict: str
    name: str
    reason: str
    took: str


FAILURE_OF_GTEST = re.compile(r"^(\S+:\d+): Failure\n((?:.+\n){1,6})", re.MULTILINE)
FAILURE_OF_SANITIZER = re.compile(r"^(SUMMARY: .*|.*runtime error: .*)$", re.MULTILINE)
# What GoogleTest says without being asked.
PROGRESS = re.compile(r"\[[-= A-Z]+\]|Running main|Note: Google Test filter")
LAST_LINES = 4


def why_skipped(case: ET.Element) -> str:
    """What a skipped test says about itself: the line after the place where it gave up."""
    output = case.findtext("system-out") or ""
    match = re.search(r": Skipped\n(.+)", output)
    return one_line(match.group(1)) if match else "skipped without a reason"


def why_failed(case: ET.Element) -> str:
    """The first failure that GoogleTest or a sanitizer tells of; else how it ended, and the last that it said."""
    output = case.findtext("system-out") or ""
    if match := FAILURE_OF_GTEST.search(output):
        return one_line(local(match[1]), match[2])
    if match := FAILURE_OF_SANITIZER.search(output):
        return one_line(match[1])
    failure = case.find("failure")
    ended = failure.get("message", "") if failure is not None else ""
    said = [line for line in output.splitlines() if not PROGRESS.match(line)][-LAST_LINES:]
    return one_line(ended + ":" if ended and said else ended, *said)


def local(place: str) -> str:
    """FILE:LINE in the tree."""
    return place.removeprefix("/src/").removeprefix("./")


def row_of(case: ET.Element) -> Row:
    verdict = {"run": "pass", "fail": "fail"}.get(case.get("status", ""), "skip")
    reason = {"pass": lambda _: "", "fail": why_failed, "skip": why_skipped}[verdict](case)
    return Row(verdict, case.get("name", "?"), reason, case.get("time", "0"))


def rows_of_program(program: Row, file: pathlib.Path) -> Iterator[Row]:
    """What GoogleTest tells of each test. A program that broke off, or was found wanting after its last test, has
    failed itself."""
    told = json.loads(file.read_text(errors="replace"), strict=False) if file.exists() else {}
    rows = [row_of_gtest(program.name, case) for suite in told.get("testsuites", []) for case in suite["testsuite"]]
    yield from rows
    if not rows or (program.verdict == "fail" and all(row.verdict != "fail" for row in rows)):
        yield program


def row_of_gtest(program: str, case: dict) -> Row:
    verdict = "fail" if case.get("failures") else "skip" if case["result"] == "SKIPPED" else "pass"
    reason = ""
    if case.get("failures"):
        reason = one_line(local(case["failures"][0]["failure"]))
    elif case.get("skipped"):
        reason = one_line(case["skipped"][0]["message"])
    return Row(verdict, f"{program}/{case['classname']}.{case['name']}", reason, case["time"].removesuffix("s"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--each-of", type=pathlib.Path, help="where each test is a program, and its NAME.json is")
    parser.add_argument("file")
    arguments = parser.parse_args()
    for case in ET.parse(arguments.file).getroot().iter("testcase"):
        rows = [row_of(case)]
        if arguments.each_of:
            rows = rows_of_program(rows[0], arguments.each_of / f"{rows[0].name.removeprefix('unit/')}.json")
        for row in rows:
            print(row.verdict, arguments.prefix + row.name, row.reason, row.took, sep="\t")


main()
