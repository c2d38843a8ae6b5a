# SPDX-License-Identifier: Apache-2.0
"""Tensor trains of dense vectors without symmetry, from both ends to the middle.

Several sites are taken at a time: a QR decomposition replaces everything beyond them by a small
triangle, and the bonds between them are cut on the triangle. Where a bond provably keeps all its
states, the identity is its isometry and nothing is decomposed at all.
"""

from dataclasses import dataclass

import numpy as np
from opt_einsum import contract

from qlowrank.checks import Array
from qlowrank.mps import cuts
from qlowrank.mps.cuts import Allowance

_CHUNK = 64
"""Rows that are worth a QR decomposition of their own."""
_GROWTH = 8
"""Factor by which rows grow, at least, between two of them."""


@dataclass(frozen=True)
class Train:
    """Dense tensors and what their bonds discarded."""

    tensors: list[Array]
    """(left, physical, right)."""
    weights: list[float]
    """Squared norm discarded at each inner bond."""
    window: tuple[int, int]
    """First and last site that are no isometries."""


@dataclass(slots=True)
class _Side:
    """What has been taken off one end; tensors are (bond towards the end, physical, other bond)."""

    mirrored: bool
    """Whether it is the right end."""
    tensors: list[Array]
    """From the end inwards."""
    weights: list[float]
    """Squared norm discarded at the bond behind each of them."""

    @property
    def rank(self) -> int:
        """States of the bond behind them."""
        return self.tensors[-1].shape[2] if self.tensors else 1

    def append(self, tensor: Array, weight: float) -> None:
        """Take one more site."""
        self.tensors.append(tensor)
        self.weights.append(weight)

    def outwards(self) -> list[Array]:
        """Tensors as they stand in the train, (left, physical, right)."""
        if not self.mirrored:
            return self.tensors
        return [tensor.transpose(2, 1, 0) for tensor in reversed(self.tensors)]

    def inwards(self, n_sites: int) -> tuple[int, ...]:
        """Axes of rows, the bond and `n_sites` sites, in the order from the end inwards."""
        axes = tuple(range(n_sites + 1))
        return axes[::-1] if self.mirrored else axes


def decompose(vector: Array, dimension: int, n_sites: int, allowance: Allowance) -> Train:
    """Cut a vector of length dimension**n_sites into a train."""
    left, right = _Side(False, [], []), _Side(True, [], [])
    core = vector
    remaining = n_sites
    while remaining > 1:
        side, other = (left, right) if left.rank <= right.rank else (right, left)
        n_taken = _sites_to_take(side.rank, other.rank, dimension, remaining)
        core = _peel(core, side, dimension, n_taken, allowance)
        remaining -= n_taken
    centre = core.reshape(left.rank, dimension, right.rank)
    return Train(
        tensors=[*left.outwards(), centre, *right.outwards()],
        weights=[*left.weights, *reversed(right.weights)],
        window=(len(left.tensors), len(left.tensors)),
    )


def join(left: Array, right: Array, weight: float, dimension: int, allowance: Allowance) -> Train:
    """Make a train of a matrix whose singular value decomposition is known.

    Args:
        left: Left vectors times singular values, shape (dimension**k, rank).
        right: The same for the right, shape (rank, dimension**(n - k)).
        weight: Squared norm that the decomposition has discarded.
        dimension: States of a site.
        allowance: Squared error that may be made at the other bonds.
    """
    values = np.linalg.norm(right, axis=1)
    sides = []
    for matrix, mirrored in ((left, False), (right, True)):
        side, core = _Side(mirrored, [], []), matrix
        remaining = round(np.log(core.size / len(values)) / np.log(dimension))
        while remaining > 1:
            n_taken = _sites_to_take(side.rank, len(values), dimension, remaining)
            core = _peel(core, side, dimension, n_taken, allowance)
            remaining -= n_taken
        sides.append((side, core))
    (first, outer), (second, inner) = sides
    return Train(
        tensors=[
            *first.outwards(),
            outer.reshape(first.rank, dimension, -1) / values,
            inner.reshape(-1, dimension, second.rank),
            *second.outwards(),
        ],
        weights=[*first.weights, weight, *reversed(second.weights)],
        window=(len(first.tensors), len(first.tensors) + 1),
    )


def _peel(core: Array, side: _Side, dimension: int, n_taken: int, allowance: Allowance) -> Array:
    """Take sites off one end of the core."""
    rows = side.rank * dimension**n_taken
    matrix = core.reshape(-1, rows).T if side.mirrored else core.reshape(rows, -1)
    rest = _take(matrix, side, dimension, n_taken, allowance)
    return rest.T if side.mirrored else rest


def _sites_to_take(rank: int, other: int, dimension: int, remaining: int) -> int:
    """Enough sites for a worthwhile matrix, but no more rows than columns."""
    n_taken = 1
    while n_taken < remaining - 1:
        rows = rank * dimension ** (n_taken + 1)
        columns = other * dimension ** (remaining - n_taken - 1)
        if rows > columns or (rank * dimension**n_taken >= max(_CHUNK, _GROWTH * rank)):
            break
        n_taken += 1
    return n_taken


def _take(matrix: Array, side: _Side, dimension: int, n_taken: int, allowance: Allowance) -> Array:
    """Move the sites among the rows of a matrix to a side; return what the new bond sees.

    Rows are (bond, site, ..., site) from the left end and (site, ..., site, bond) from the right.
    """
    if allowance.keeps_all(matrix, n_taken):
        for _ in range(n_taken):
            side.append(_identity(side, dimension), 0.0)
        return matrix
    inwards = side.inwards(n_taken)
    shape = [side.rank if axis == inwards[0] else dimension for axis in range(n_taken + 1)]
    triangle = cuts.triangle(matrix).reshape(*shape, -1).transpose(*inwards, n_taken + 1)
    rest = triangle.reshape(side.rank, -1)
    basis = np.eye(side.rank)
    for _ in range(n_taken):
        rest = rest.reshape(side.rank * dimension, -1)
        vectors, values = cuts.left_vectors(rest)
        kept, weight = allowance.cut({(): values})
        isometry = vectors[:, : kept[()]]
        rest = isometry.T @ rest
        tensor = isometry.reshape(side.rank, dimension, -1)
        basis = contract("...a,asb->...sb", basis, tensor)
        side.append(tensor, weight)
    outwards = np.argsort(inwards)
    basis = basis.reshape(*(shape[axis] for axis in inwards), -1)
    basis = basis.transpose(*outwards, n_taken + 1).reshape(len(matrix), -1)
    return basis.T @ matrix


def _identity(side: _Side, dimension: int) -> Array:
    """The isometry that keeps every state, in the order of the rows of its side."""
    size = side.rank * dimension
    if side.mirrored:
        return np.eye(size).reshape(dimension, side.rank, size).transpose(1, 0, 2)
    return np.eye(size).reshape(side.rank, dimension, size)
