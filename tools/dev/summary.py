#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table at the end of ./dev test. Exits 1 when something failed, or when nothing ran at all."""

import argparse
import collections
import pathlib
import sys


def span(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}m{whole % 60:02}s" if whole >= 60 else f"{whole}s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--times", type=pathlib.Path, required=True)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()

    times = dict(line.split("\t") for line in arguments.times.read_text().splitlines())
    rows: dict[str, collections.Counter] = {}
    took: dict[str, float] = collections.defaultdict(float)
    told_times: set[tuple[str, pathlib.Path]] = set()
    stories: list[tuple[str, str, str]] = []
    for file in arguments.files:
        for line in file.read_text(errors="replace").splitlines():
            verdict, name, reason, *seconds = line.split("\t")
            if verdict == "left":
                stories.append((verdict, name, reason))
                continue
            rung = name.partition("/")[0]
            rows.setdefault(rung, collections.Counter())[verdict] += 1
            # A step that holds several rungs times its tests one by one.
            if seconds:
                took[rung] += float(seconds[0])
            elif (rung, file) not in told_times:
                told_times.add((rung, file))
                took[rung] += float(times.get(file.stem, 0))
            if verdict != "pass":
                stories.append((verdict, name, reason))

    print(f"  {'rung':<12} {'passed':>7} {'failed':>7} {'skipped':>8} {'time':>8}")
    for rung, count in rows.items():
        print(f"  {rung:<12} {count['pass']:>7} {count['fail']:>7} {count['skip']:>8} {span(took[rung]):>8}")
    total = sum(rows.values(), collections.Counter())
    print(f"  {'all':<12} {total['pass']:>7} {total['fail']:>7} {total['skip']:>8} {span(arguments.seconds):>8}")

    for wanted, title in (("skip", "What could not run here, and why:"), ("left", "What was left out, and why:"),
                          ("fail", "What failed:")):
        told = [(name, reason) for verdict, name, reason in stories if verdict == wanted]
        if told:
            print(f"\n{title}")
        for name, reason in told:
            print(f"  {name}{': ' + reason if reason else ''}")
    print(f"\n{total['pass']} passed, {total['fail']} failed")
    return 1 if total["fail"] or not total["pass"] else 0


sys.exit(main())
