# SPDX-License-Identifier: Apache-2.0
"""Tables for the terminal."""

from collections.abc import Callable, Sequence
from typing import Any

COLUMNS: dict[str, Callable[[dict[str, Any]], str]] = {
    "rank": lambda a: f"{a['hamiltonian']['rank']}",
    "one-norm": lambda a: _number(a["factorization"], "one_norm", ".4f"),
    "energy": lambda a: _number(a["energy"], "estimate", ".8f"),
    "groups": lambda a: _number(a["measurement"], "n_groups", "d"),
    "eps²M": lambda a: _number(a["measurement"], "epsilon2_shots", ".6g"),
    "shots": lambda a: _number(a["measurement"], "total_shots", "d"),
    "s": lambda a: _number(a["timing"], "total", ".2f"),
}
"""Heading of each column and how it is read from the JSON object of a job."""


def answer_table(answers: Sequence[tuple[str, dict[str, Any] | None]]) -> str:
    """Return one line a job under headings; energies in Hartree, eps²M in Hartree².

    Args:
        answers: Label of each job and its JSON object, None where it failed.
    """
    rows = [["point", *COLUMNS]]
    for label, answer in answers:
        cells = ["-"] * len(COLUMNS)
        if answer is not None:
            cells = [read(answer) for read in COLUMNS.values()]
        rows.append([label, *cells])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    right = "  ".join(f"{{:>{width}}}" for width in widths[1:])
    return "\n".join(f"{row[0]:<{widths[0]}}  {right.format(*row[1:])}" for row in rows)


def _number(part: dict[str, Any] | None, key: str, form: str) -> str:
    """Return a number of the JSON object, or a dash where there is none."""
    if part is None or part[key] is None:
        return "-"
    return format(part[key], form)
