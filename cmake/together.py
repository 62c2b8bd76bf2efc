#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""together.py: which sources can be read as one text.

Most of what it takes to read a source is to read the headers of libraries, so that several sources together are hardly
more work than one. They can be together unless they give one name to different things, or include headers that do.

As a program, for CMake: the sources of each target as arguments, absolute, behind a "--"; a line "TARGET GROUP SOURCE"
for each, both counted from 0.
"""

import pathlib
import re
import sys

# Larger ones are worth little more, and make whoever changes one source wait for many.
MOST_IN_A_GROUP = 8
# What a source declares outside of classes and functions, where clang-format has it begin its line: types, function
# templates, values, and functions with their parameters; but main() is the same with any.
DECLARED = re.compile(
    r"^(?:int (main)(?=\()|(?:class|struct|union|enum|enum class|using) (\w+)(?= =| \{| :| final)"
    r"|template <[^\n]*>\n[\w:<][^\n=({;]*[ *&](\w+)(?=\()"
    r"|(?!namespace)[\w:<][^\n=({;]*[ *&](\w+)(?= =|[{;\[])"
    r"|[\w:<][^\n=({;]*[ *&](\w+\([^)\n]*))",
    re.MULTILINE,
)
# No text can include both.
RIVALS = {"linux/tcp.h": "netinet/tcp.h", "netinet/tcp.h": "linux/tcp.h"}


def declared_names(text: str) -> set[str]:
    """Functions with their parameters."""
    return {name for match in DECLARED.finditer(text) for name in match.groups() if name}


def includes_of_rivals(text: str) -> set[str]:
    return {header for header in RIVALS if f"#include <{header}>" in text}


def words_of(text: str) -> set[str]:
    """What no other text of a group may have: names, without parameters, for a variable may have the same."""
    names = {name.partition("(")[0].rstrip() for name in declared_names(text)}
    return names | {RIVALS[header] for header in includes_of_rivals(text)}


def groups_of(sources: list[pathlib.Path]) -> list[list[pathlib.Path]]:
    groups: list[list[pathlib.Path]] = []
    taken: list[set[str]] = []
    for source in sources:
        text = source.read_text()
        words = words_of(text)
        fit = [at for at, group in enumerate(groups) if len(group) < MOST_IN_A_GROUP and words.isdisjoint(taken[at])]
        if not fit:
            groups.append([])
            taken.append(set())
            fit = [len(groups) - 1]
        groups[fit[0]].append(source)
        taken[fit[0]] |= words | includes_of_rivals(text)
    return groups


def main() -> None:
    targets: list[list[pathlib.Path]] = []
    for argument in sys.argv[1:]:
        if argument == "--":
            targets.append([])
        else:
            targets[-1].append(pathlib.Path(argument))
    for target, sources in enumerate(targets):
        for number, group in enumerate(groups_of(sources)):
            for source in group:
                print(f"{target} {number} {source}")


if __name__ == "__main__":
    main()
