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

import numpy as np

from qlowrank.archive.format import SCHEMA_VERSION

Datasets = dict[str, Any]
"""h5py datasets, arrays, or None, by path."""


def _from_1_to_2(datasets: Datasets) -> Datasets:
    """Plans are unbiased with nothing spent; estimates count all shots, the plan's."""
    new = dict(datasets)
    if "plan/shots" in new:
        new["plan/pricing/spent"] = np.zeros(new["plan/shots"].shape, dtype="<i8")
        new["plan/bias/bound"] = np.array(0.0)
        new["plan/bias/scope"] = np.array(b"sector")
        new["plan/bias/dropped"] = np.array(0)
    if "estimate/means" in new:
        none = np.zeros(new["estimate/means"].shape, dtype="<i8")
        new["estimate/shots"] = new.get("plan/shots", none)
        new["estimate/selection/method"] = np.array(b"all")
        new["estimate/selection/discarded"] = none
        new["estimate/selection/shift"] = np.array(0.0)
        new["estimate/selection/shift_error"] = np.array(0.0)
    return new


def _from_2_to_3(datasets: Datasets) -> Datasets:
    """Standard errors came from sample variances alone."""
    new = dict(datasets)
    for old, young in (
        ("estimate/variances", "estimate/believed"),
        ("experiments/standard_errors", "experiments/sample_standard_errors"),
    ):
        if old in new:
            new[young] = new[old]
    return new


MIGRATIONS: dict[int, Callable[[Datasets], Datasets]] = {1: _from_1_to_2, 2: _from_2_to_3}
"""From version n to n + 1, for every n below `SCHEMA_VERSION`."""


def up_to_date(datasets: Datasets, version: int) -> Datasets:
    """Return datasets of a file of an earlier version as the present version lays them out."""
    for step in range(version, SCHEMA_VERSION):
        datasets = MIGRATIONS[step](datasets)
    return datasets
