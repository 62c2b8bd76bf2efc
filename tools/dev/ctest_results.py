#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ctest's JUnit file as lines "pass|fail|skip TAB NAME TAB REASON TAB SECONDS" (see test.sh)."""

import argparse
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
    rows = []
    for case in ET.parse(file).getroot().iter("testcase") if file.exists() else []:
        name = f"{program.name}/{case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None:
            rows.append(Row("fail", name, "", case.get("time", "0")))
        elif skipped is not None:
            rows.append(Row("skip", name, skipped.get("message", "").strip(), "0"))
        else:
            rows.append(Row("pass", name, "", case.get("time", "0")))
    yield from rows
    if not rows or (program.verdict == "fail" and all(row.verdict != "fail" for row in rows)):
        yield program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--each-of", type=pathlib.Path, help="where each test is a program, and its NAME.xml is")
    parser.add_argument("file")
    arguments = parser.parse_args()
    for case in ET.parse(arguments.file).getroot().iter("testcase"):
        rows = [row_of(case)]
        if arguments.each_of:
            rows = rows_of_program(rows[0], arguments.each_of / f"{rows[0].name.removeprefix('unit/')}.xml")
        for row in rows:
            print(row.verdict, arguments.prefix + row.name, row.reason, row.took, sep="\t")


main()
