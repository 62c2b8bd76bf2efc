# SPDX-License-Identifier: Apache-2.0
"""What the benches share: the tables, the JSON, and the bars they are held against."""

import argparse
import json
import os
import pathlib
import platform
import sys
import textwrap
from collections.abc import Iterator

BARS = pathlib.Path(__file__).with_name("bars.txt")
NOTE_WIDTH = 110


class Table:
    """Figures with names: bench.table.row.column. One may be missing, where it could not be measured."""

    def __init__(self, title: str, columns: dict[str, str]) -> None:
        """`columns` are names and units, in the order in which they stand."""
        self.title = title
        self.columns = columns
        self.rows: dict[str, dict[str, float]] = {}
        self.notes: list[str] = []

    def add(self, row: str, **figures: float) -> None:
        self.rows.setdefault(row, {}).update(figures)

    def note(self, text: str) -> None:
        """What a reader must know to read the figures right."""
        self.notes.append(text)

    def print(self) -> None:
        heads = ["", *(f"{name.replace('_', ' ')} ({unit})" for name, unit in self.columns.items())]
        lines = [heads, *([row, *(show(figures.get(name)) for name in self.columns)] for row, figures in self.rows.items())]
        widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
        print(self.title)
        for line in lines:
            print("  ".join(cell.rjust(width) for cell, width in zip(line, widths)))
        for note in self.notes:
            print(textwrap.fill(note, NOTE_WIDTH, initial_indent="  * ", subsequent_indent="    "))
        print()


class Bench:
    """One run and its tables."""

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title
        self.tables: dict[str, Table] = {}
        parser = argparse.ArgumentParser(prog=f"./dev bench {name}", description=title)
        parser.add_argument("--check", action="store_true", help="exit with 1 when a bar of bars.txt is not met")
        parser.add_argument("--json", action="store_true", help="one object in place of the tables")
        parser.add_argument("--rounds", type=int, metavar="N", help="so many in place of what is usual, of what goes round")
        parser.add_argument("--table", action="append", metavar="NAME", help="only this table of it, and only its bars")
        self.options = parser.parse_args()

    def wants(self, table: str) -> bool:
        return not self.options.table or table in self.options.table

    def rounds(self, usual: int) -> int:
        return self.options.rounds or usual

    def table(self, name: str, title: str, columns: dict[str, str]) -> Table:
        self.tables[name] = Table(title, columns)
        return self.tables[name]

    def progress(self, text: str) -> None:
        print(f"  {text}", file=sys.stderr, flush=True)

    def finish(self) -> None:
        """Prints everything and ends the program."""
        if not self.tables:
            sys.exit(f"./dev bench {self.name}: there is no table {' or '.join(self.options.table)}")
        missed = list(self._missed())
        if self.options.json:
            tables = {name: {"units": table.columns, "rows": table.rows, "notes": table.notes}
                      for name, table in self.tables.items()}
            print(json.dumps({"bench": self.name, "machine": machine(), "tables": tables, "missed": missed}))
        else:
            print(f"{self.title}\n{machine()}\n")
            for table in self.tables.values():
                table.print()
            for line in missed:
                print(f"bar not met: {line}")
        sys.exit(1 if self.options.check and missed else 0)

    def _missed(self) -> Iterator[str]:
        for name, relation, number, unit in bars():
            bench, table, *_ = name.split(".")
            if bench != self.name or not self.wants(table):
                continue
            measured, bar, is_multiple = self._figure(name), float(number), unit.startswith(f"{self.name}.")
            said = f"{name} {relation} {number} {'x ' * is_multiple}{unit}"
            if is_multiple:
                other = self._figure(unit)
                bar = None if other is None else bar * other
                said += f" = {show(bar)}"
            if measured is None or bar is None:
                yield f"{said}, but it was not measured"
            elif not (measured < bar if relation == "<" else measured > bar):
                yield f"{said}, measured {show(measured)}"

    def _figure(self, name: str) -> float | None:
        _, table, row, column = name.split(".")
        return self.tables[table].rows.get(row, {}).get(column)


def bars() -> Iterator[list[str]]:
    for line in BARS.read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split()


def show(figure: float | None) -> str:
    if figure is None:
        return "-"
    return f"{figure:.3g}" if abs(figure) < 100 else f"{figure:,.0f}"


def machine() -> str:
    """The machine, as far as it matters to a reader who wants to compare."""
    info = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii")
    model = next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")),
                 platform.machine())
    kind = ", virtual" if " hypervisor" in info else ""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{os.cpu_count()} x {model}{kind}, {memory:.0f} GiB, Linux {platform.release()}"
