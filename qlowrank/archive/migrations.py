# SPDX-License-Identifier: Apache-2.0
"""Bringing archives of earlier schema versions up to date, in memory, when they are read.

A migration takes the datasets of a file of version n, by path, and returns those that version
n + 1 would have: it may rename a path, leave one out, or put a computed array (None for nothing)
in its place. Datasets it only renames stay unread until they are asked for. To raise the version:

1. raise `SCHEMA_VERSION` and add a section to the prose in `qlowrank.archive.format`;
2. add the function that leads from the last version to `MIGRATIONS`;
3. store a file written by the new version beside the others in the tests, and never touch those.
"""

from collections.abc import Callable
from typing import Any

from qlowrank.archive.format import SCHEMA_VERSION

Datasets = dict[str, Any]
"""h5py datasets, arrays, or None, by path."""

MIGRATIONS: dict[int, Callable[[Datasets], Datasets]] = {}
"""From version n to n + 1, for every n below `SCHEMA_VERSION`."""


def up_to_date(datasets: Datasets, version: int) -> Datasets:
    """Return datasets of a file of an earlier version as the present version lays them out."""
    for step in range(version, SCHEMA_VERSION):
        datasets = MIGRATIONS[step](datasets)
    return datasets
