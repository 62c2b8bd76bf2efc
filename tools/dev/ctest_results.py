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


class Row(NamedTuple):
    verdict: str
    name: str
    reason: str
    took: str


def reason_of(case: ET.Element) -> str:
    """What a skipped test says about itself: the line after the place where it gave up."""
    output = case.findtext("system-out") or ""
    match = re.search(r": Skipped\n(.+)", output)
    return match.group(1).strip() if match else "skipped without a reason"


def row_of(case: ET.Element) -> Row:
    verdict = {"run": "pass", "fail": "fail"}.get(case.get("status", ""), "skip")
    return Row(verdict, case.get("name", "?"), reason_of(case) if verdict == "skip" else "", case.get("time", "0"))


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
    reason = case["skipped"][0]["message"].strip() if case.get("skipped") else ""
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
