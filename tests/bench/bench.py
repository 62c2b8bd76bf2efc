# SPDX-License-Identifier: Apache-2.0
"""What the benches share: the table, the JSON, and the bars they are held against."""

import argparse
import json
import pathlib
import platform
import sys
from collections.abc import Iterator

BARS = pathlib.Path(__file__).with_name("bars.txt")


class Bench:
    """A table of figures, measured in one run. Rows and columns have names, and so has each figure: bench.row.column."""

    def __init__(self, name: str, title: str, columns: dict[str, str]) -> None:
        """`columns` are names and units, in the order of the table."""
        self.name = name
        self.title = title
        self.columns = columns
        self.rows: dict[str, dict[str, float]] = {}
        parser = argparse.ArgumentParser(prog=f"./dev bench {name}", description=title)
        parser.add_argument("--check", action="store_true", help="exit with 1 when a bar of bars.txt is not met")
        parser.add_argument("--json", action="store_true", help="one object in place of the table")
        self.options = parser.parse_args()

    def progress(self, text: str) -> None:
        print(f"  {text}", file=sys.stderr, flush=True)

    def add(self, row: str, **figures: float) -> None:
        self.rows[row] = figures

    def finish(self) -> None:
        """Prints everything and ends the program."""
        missed = list(self._missed())
        if self.options.json:
            print(json.dumps({"bench": self.name, "machine": machine(), "units": self.columns, "rows": self.rows,
                              "missed": missed}))
        else:
            self._print_table()
            for line in missed:
                print(f"bar not met: {line}")
        sys.exit(1 if self.options.check and missed else 0)

    def _print_table(self) -> None:
        print(f"{self.title}\n{machine()}\n")
        heads = ["", *(f"{name.replace('_', ' ')} ({unit})" for name, unit in self.columns.items())]
        lines = [heads, *([row, *(show(figures.get(name)) for name in self.columns)] for row, figures in self.rows.items())]
        widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
        for line in lines:
            print("  ".join(cell.rjust(width) for cell, width in zip(line, widths)))
        print()

    def _missed(self) -> Iterator[str]:
        for name, relation, bar, unit in bars():
            bench, row, column = name.rsplit(".", 2)
            if bench != self.name:
                continue
            figure = self.rows.get(row, {}).get(column)
            if figure is None:
                yield f"{name} {relation} {bar} {unit}, but it was not measured"
            elif not (figure < float(bar) if relation == "<" else figure > float(bar)):
                yield f"{name} {relation} {bar} {unit}, measured {show(figure)} {unit}"


def bars() -> Iterator[list[str]]:
    for line in BARS.read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split()


def show(figure: float | None) -> str:
    if figure is None:
        return "-"
    return f"{figure:.3g}" if abs(figure) < 100 else f"{figure:,.0f}"


def machine() -> str:
    with open("/proc/cpuinfo", encoding="ascii") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), platform.machine())
    cpus = sum(1 for _ in pathlib.Path("/sys/devices/system/cpu").glob("cpu[0-9]*"))
    return f"{cpus} x {model}, Linux {platform.release()}"
