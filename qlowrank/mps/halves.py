# SPDX-License-Identifier: Apache-2.0
"""One half of a chain, decomposed from its outer end to the middle, sector by sector."""

from dataclasses import dataclass
from math import comb

import numpy as np

from qlowrank.checks import Array
from qlowrank.mps.cuts import Allowance, left_vectors
from qlowrank.mps.sectors import ORBITAL, Blocks, Charge, plus

Rest = dict[tuple[Charge, Charge], Array]
"""(charge so far, charge of the half) → shape (bond states, alpha strings and
beta strings of the remaining orbitals, states of the middle bond)."""


@dataclass(frozen=True)
class Half:
    """Tensors of a half, from the outer end; the middle bond is their last index."""

    sites: list[Blocks]
    """Isometries from the outer end, but for the last."""
    weights: list[float]
    """Squared norm discarded at each bond between them."""


def decompose_half(vectors: dict[Charge, Array], n_sites: int, allowance: Allowance) -> Half:
    """Split a half into tensors, one orbital at a time.

    Args:
        vectors: For each charge (n_alpha, n_beta) of the half, shape (alpha strings, beta strings,
            states of the middle bond); the outermost orbital varies slowest in the strings.
        n_sites: Orbitals of the half.
        allowance: Squared error that may be made.
    """
    rest: Rest = {((0, 0), charge): array[None] for charge, array in vectors.items()}
    sites, weights = [], []
    for remaining in range(n_sites - 1, 0, -1):
        blocks, rest, weight = _peel(rest, remaining, allowance)
        sites.append(blocks)
        weights.append(weight)
    last = {key: array.reshape(len(array), 1, -1) for key, array in rest.items()}
    return Half([*sites, last], weights)


def _peel(rest: Rest, remaining: int, allowance: Allowance) -> tuple[Blocks, Rest, float]:
    """Take the outermost orbital off; `remaining` orbitals stay."""
    pieces = _by_target(rest, remaining)
    stacked = {target: _stack(group) for target, group in pieces.items()}
    found = {target: left_vectors(matrix) for target, (matrix, _, _) in stacked.items()}
    kept, weight = allowance.cut({target: values for target, (_, values) in found.items()})
    blocks: Blocks = {}
    after: Rest = {}
    for target, rank in kept.items():
        matrix, rows, columns = stacked[target]
        isometry = found[target][0][:, :rank]
        for charge, span in rows.items():
            blocks[charge, target] = isometry[span][:, None, :]
        projected = isometry.T @ matrix
        for whole, (span, shape) in columns.items():
            after[target, whole] = projected[:, span].reshape(rank, *shape)
    return blocks, after, weight


def _by_target(rest: Rest, remaining: int) -> dict[Charge, Rest]:
    """Parts of the rest by the charge after the next orbital."""
    found: dict[Charge, Rest] = {}
    for (charge, whole), array in rest.items():
        cuts = [comb(remaining, whole[spin] - charge[spin]) for spin in (0, 1)]
        for step in ORBITAL:
            alpha, beta = (
                slice(cut, None) if n else slice(0, cut) for n, cut in zip(step, cuts, strict=True)
            )
            part = array[:, alpha, beta]
            if part.size:
                found.setdefault(plus(charge, step), {})[charge, whole] = part
    return found


def _stack(
    parts: Rest,
) -> tuple[Array, dict[Charge, slice], dict[Charge, tuple[slice, tuple[int, ...]]]]:
    """Lay parts of one target into a matrix: rows by charge so far, columns by that of the half."""
    rows: dict[Charge, slice] = {}
    columns: dict[Charge, tuple[slice, tuple[int, ...]]] = {}
    n_rows = n_columns = 0
    for (charge, whole), part in parts.items():
        if charge not in rows:
            rows[charge] = slice(n_rows, n_rows + len(part))
            n_rows += len(part)
        if whole not in columns:
            width = part[0].size
            columns[whole] = slice(n_columns, n_columns + width), part.shape[1:]
            n_columns += width
    matrix = np.zeros((n_rows, n_columns))
    for (charge, whole), part in parts.items():
        matrix[rows[charge], columns[whole][0]] = part.reshape(len(part), -1)
    return matrix, rows, columns
