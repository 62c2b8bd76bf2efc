# SPDX-License-Identifier: Apache-2.0
"""Why a test has failed, as one line for the summary of ./dev test: all that is seen of it at a glance in CI."""

MOST = 300


def one_line(*parts: str) -> str:
    """Of whatever lines, without what would end a column or a line of the results."""
    text = " ".join(" ".join(parts).split())
    return text if len(text) <= MOST else text[:MOST - 3] + "..."


def reason_of(error: BaseException) -> str:
    """What an exception says, after its kind when it is not that of an assertion."""
    kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}:"
    return one_line(kind, str(error) or "it does not say why")
