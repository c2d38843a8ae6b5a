# SPDX-License-Identifier: Apache-2.0
"""Chains from lists of determinants: selected CI, single determinants, CISD."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.mps import cuts, strings
from qlowrank.mps.cuts import Allowance
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import ORBITAL, Blocks, Charge, IntArray, plus

_MOST_ORBITALS = 62
"""Bits of a signed integer that are free."""


@dataclass(frozen=True, eq=False, slots=True)
class _Rest:
    """What one charge still has to the right."""

    matrix: Array
    """Shape (bond states, suffixes)."""
    alpha: IntArray
    """Occupation of the remaining orbitals, the next one in the lowest bit."""
    beta: IntArray
    """The same for beta."""


def mps_from_determinants(
    alpha: ArrayLike,
    beta: ArrayLike,
    coefficients: ArrayLike,
    norb: int,
    *,
    tolerance: float = 1e-12,
    max_bond: int | None = None,
) -> MPS:
    r"""Build a chain from determinants and their coefficients, without the CI space.

    .. math:: |\psi\rangle = \sum_i c_i \prod_{p \in \alpha_i} a^\dagger_{p\alpha}
              \prod_{p \in \beta_i} a^\dagger_{p\beta} |0\rangle

    Products run over rising orbitals. The cost grows with the number of determinants times the
    square of the bond dimension. One sweep from the left; squared errors add up exactly.

    Args:
        alpha: Integers whose bit p says that orbital p holds an alpha electron, shape (n,). Strings
            of PySCF's `cistring` are of this kind.
        beta: The same for beta electrons.
        coefficients: c, shape (n,); those of a repeated determinant are added.
        norb: Spatial orbitals, at most 62.
        tolerance: Largest permitted error in the norm of the vector.
        max_bond: Most states of a bond; where it binds, the error may exceed the tolerance.

    Raises:
        InputError: Determinants of different electron numbers, bits beyond `norb`, or only zeros.

    >>> import qlowrank as ql
    >>> mps = ql.mps_from_determinants([0b01, 0b10], [0b01, 0b10], [0.8, -0.6], 2)
    >>> mps.to_ci() + 0.0
    array([[ 0.8,  0. ],
           [ 0. , -0.6]])
    """
    norb = checks.whole("norb", norb)
    if not 1 <= norb <= _MOST_ORBITALS:
        raise InputError(f"norb must be 1 to {_MOST_ORBITALS}; got {norb}.")
    ups, downs, weights = _determinants(alpha, beta, coefficients, norb)
    bits = [strings.occupations(spin, norb) for spin in (ups, downs)]
    above = bits[0].sum(axis=1, keepdims=True) - np.cumsum(bits[0], axis=1)
    signs = 1 - 2 * ((above * bits[1]).sum(axis=1).astype(np.int64) & 1)
    start = _merged([_Rest((weights * signs)[None], ups, downs)])
    allowance = Allowance(cuts.tolerance(tolerance) ** 2, norb - 1, cuts.max_bond(max_bond))
    rest: dict[Charge, _Rest] = {(0, 0): start}
    sites, discarded = [], []
    for _ in range(norb - 1):
        blocks, rest, weight = _peel(rest, allowance)
        sites.append(blocks)
        discarded.append(weight)
    sites.append(_last(rest))
    return MPS.from_blocks(
        sites,
        [ORBITAL] * norb,
        window=(norb - 1, norb - 1),
        discarded_weights=np.array(discarded),
    )


def _peel(
    rest: dict[Charge, _Rest], allowance: Allowance
) -> tuple[Blocks, dict[Charge, _Rest], float]:
    """Take the next orbital off."""
    pieces: dict[Charge, dict[Charge, _Rest]] = {}
    for charge, part in rest.items():
        for step in ORBITAL:
            columns = np.flatnonzero(((part.alpha & 1) == step[0]) & ((part.beta & 1) == step[1]))
            if columns.size:
                alpha, beta = part.alpha[columns] >> 1, part.beta[columns] >> 1
                group = pieces.setdefault(plus(charge, step), {})
                group[charge] = _Rest(part.matrix[:, columns], alpha, beta)
    merged = {target: _merged(list(group.values())) for target, group in pieces.items()}
    found = {target: cuts.left_vectors(part.matrix) for target, part in merged.items()}
    kept, weight = allowance.cut({target: values for target, (_, values) in found.items()})
    blocks: Blocks = {}
    after: dict[Charge, _Rest] = {}
    for target, rank in kept.items():
        isometry, start = found[target][0][:, :rank], 0
        for charge, piece in pieces[target].items():
            stop = start + len(piece.matrix)
            blocks[charge, target] = isometry[start:stop, None, :]
            start = stop
        part = merged[target]
        after[target] = _Rest(isometry.T @ part.matrix, part.alpha, part.beta)
    return blocks, after, weight


def _merged(pieces: list[_Rest]) -> _Rest:
    """Stack pieces below each other, their columns matched by suffix."""
    alpha = np.concatenate([piece.alpha for piece in pieces])
    beta = np.concatenate([piece.beta for piece in pieces])
    order = np.lexsort((beta, alpha))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(alpha[order]) != 0) | (np.diff(beta[order]) != 0)
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.cumsum(new) - 1
    first = order[new]
    stack = np.zeros((sum(len(piece.matrix) for piece in pieces), len(first)))
    row = column = 0
    for piece in pieces:
        height, width = piece.matrix.shape
        for source, place in _without_repeats(places[column : column + width]):
            stack[row : row + height, place] += piece.matrix[:, source]
        row, column = row + height, column + width
    return _Rest(stack, alpha[first], beta[first])


def _without_repeats(places: IntArray) -> list[tuple[Any, IntArray]]:
    """Columns and where they go, in rounds in which no place occurs twice."""
    if len(np.unique(places)) == len(places):
        return [(slice(None), places)]
    order = np.argsort(places, kind="stable")
    ranks = np.arange(len(order)) - np.searchsorted(places[order], places[order])
    return [(order[ranks == r], places[order[ranks == r]]) for r in range(ranks.max() + 1)]


def _last(rest: dict[Charge, _Rest]) -> Blocks:
    """The last tensor: one orbital is left, and with it one suffix for each charge."""
    blocks: Blocks = {}
    for charge, part in rest.items():
        target = plus(charge, (int(part.alpha[0]), int(part.beta[0])))
        blocks[charge, target] = part.matrix[:, :, None]
    return blocks


def _determinants(
    alpha: ArrayLike, beta: ArrayLike, coefficients: ArrayLike, norb: int
) -> tuple[IntArray, IntArray, Array]:
    """Return strings and coefficients that can be used, or say what is wrong."""
    values = np.asarray(coefficients)
    weights = checks.readonly("coefficients", values, (values.size,))
    ups = _strings("alpha", alpha, len(weights), norb)
    downs = _strings("beta", beta, len(weights), norb)
    counts = np.unique(np.stack([np.bitwise_count(ups), np.bitwise_count(downs)]), axis=1)
    if counts.shape[1] > 1:
        found = ", ".join(f"({a}, {b})" for a, b in counts.T[:3])
        raise InputError(
            f"All determinants must have the same (n_alpha, n_beta); got {found}. Build one MPS "
            "for each sector."
        )
    if not weights.any():
        raise InputError("All coefficients are zero; pass at least one determinant.")
    keep = weights != 0
    return ups[keep], downs[keep], weights[keep]


def _strings(name: str, values: ArrayLike, length: int, norb: int) -> IntArray:
    """Return strings of one spin as integers, or say what is wrong."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu" or array.shape != (length,):
        raise InputError(
            f"{name} must hold one integer for each of {length} coefficients; got {array.dtype} of "
            f"shape {array.shape}."
        )
    found = array.astype(np.int64)
    if np.any((found < 0) | (found >> norb != 0)):
        raise InputError(
            f"{name} has electrons outside the {norb} orbitals (bits 0 to {norb - 1})."
        )
    return found
