#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ctest's JUnit file as lines "pass|fail|skip TAB NAME TAB REASON TAB SECONDS" (see test.sh)."""

import argparse
import re
import xml.etree.ElementTree as ET


def reason_of(case: ET.Element) -> str:
    """What a skipped test says about itself: the line after the place where it gave up."""
    output = case.findtext("system-out") or ""
    match = re.search(r": Skipped\n(.+)", output)
    return match.group(1).strip() if match else "skipped without a reason"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefix", default="")
    parser.add_argument("file")
    arguments = parser.parse_args()
    for case in ET.parse(arguments.file).getroot().iter("testcase"):
        name = arguments.prefix + case.get("name", "?")
        status = case.get("status")
        took = case.get("time", "0")
        if status == "run":
            print("pass", name, "", took, sep="\t")
        elif status == "fail":
            print("fail", name, "", took, sep="\t")
        else:
            print("skip", name, reason_of(case), took, sep="\t")


main()
