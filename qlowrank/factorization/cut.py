# SPDX-License-Identifier: Apache-2.0
r"""What cutting eigenvalues of leaves costs, proven leaf by leaf.

With Δ the part cut from a factor L, S = 2L − Δ and (Δ, S) their sum over orbital pairs,

.. math:: L \otimes L - (L - \Delta) \otimes (L - \Delta)
          = \tfrac12 (\Delta \otimes S + S \otimes \Delta),

a matrix of rank two with eigenvalues :math:`\tfrac12[(\Delta, S) \pm \|\Delta\| \|S\|]`. Its trace
norm is ‖Δ‖‖S‖. By the Cauchy-Schwarz inequality in two dimensions, with λ = ‖S‖/‖Δ‖, its
element (i, j) is at most :math:`\sqrt{c_i c_j}`, :math:`c = \tfrac12 (\lambda \Delta^2 + S^2 /
\lambda)` element by element; with it over leaves, the same holds for the sums of both.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from qlowrank.checks import Array
from qlowrank.lowrank.threads import ALONE, Workers, slices
from qlowrank.memory import forget

BATCH = 16
"""Leaves handled at a time."""


@dataclass(frozen=True, slots=True)
class CutLoss:
    """Bounds on how far cutting leaves moves (pq|rs)."""

    element: float = field(metadata={"units": "hartree"})
    """No element moves by more, Hartree."""
    above: float = field(metadata={"units": "hartree"})
    """Trace of the positive part of the change L ⊗ L − L̃ ⊗ L̃, at most, Hartree."""
    below: float = field(metadata={"units": "hartree"})
    """Trace of its negative part, at most, Hartree."""

    @property
    def trace_norm(self) -> float:
        """Trace norm of the change, at most, Hartree."""
        return self.above + self.below


def cut_loss(cut: Array, factors: Array, leaves: Array, team: Workers = ALONE) -> CutLoss:
    """Bound what it costs to cut eigenvalues.

    Args:
        cut: Eigenvalues that are cut, zero where kept, shape (n, norb).
        factors: L, shape (n, norb, norb).
        leaves: Eigenvectors of the factors, as columns, shape (n, norb, norb).
        team: Threads that share the leaves.

    >>> loss = cut_loss(np.array([[0.0, 0.1]]), np.diag([2.0, 0.1])[None], np.eye(2)[None])
    >>> f"{loss.trace_norm:.4f}"  # ‖Δ‖ ‖S‖ = 0.1 · sqrt(4² + 0.1²)
    '0.4001'
    """
    touched = np.flatnonzero(np.sum(cut**2, axis=1) > np.finfo(float).tiny)

    def price(part: slice) -> _Sums:
        some = touched[part]
        first = int(np.flatnonzero(cut[some].any(axis=0))[0])  # small ones are the last, mostly
        values, frames = cut[some, first:], leaves[some, :, first:]
        lost = np.matmul(frames * values[:, None, :], frames.transpose(0, 2, 1))
        sums = _sums(factors[some], lost)
        forget(factors)
        forget(leaves)
        return sums

    return _total(team.map(price, slices(len(touched), BATCH)), factors.shape[1])


@dataclass(frozen=True, eq=False, slots=True)
class _Sums:
    """What some leaves add."""

    elements: Array
    above: float
    below: float


def _sums(factors: Array, lost: Array) -> _Sums:
    """Σ_t c and both signs' traces of leaves that all lose something; spoils what is lost."""
    rest = 2 * factors - lost
    sizes, norms = (np.sqrt(np.einsum("tpq,tpq->t", part, part)) for part in (lost, rest))
    overlap = np.einsum("tpq,tpq->t", lost, rest)
    balance = np.sqrt(norms / sizes)[:, None, None]
    lost *= balance
    rest /= balance
    elements = np.einsum("tpq,tpq->pq", lost, lost) + np.einsum("tpq,tpq->pq", rest, rest)
    above, below = (float(np.sum(norms * sizes + sign * overlap)) / 2 for sign in (1, -1))
    return _Sums(elements / 2, above, below)


def _total(parts: Iterable[_Sums], norb: int) -> CutLoss:
    """Add up what all leaves cost."""
    elements, above, below = np.zeros((norb, norb)), 0.0, 0.0
    for part in parts:
        elements += part.elements
        above += part.above
        below += part.below
    return CutLoss(element=float(elements.max(initial=0.0)), above=above, below=max(below, 0.0))


def chosen(
    eigenvalues: Array,
    factors: Array,
    leaves: Array,
    tolerance: float,
    noise: float,
    team: Workers = ALONE,
) -> np.ndarray:
    """Mark the eigenvalues to keep: as few as a proven error allows, largest products first.

    What an eigenvalue costs is its size times that of its factor, so eigenvalues are cut by the
    product with the largest one of their leaf.

    Args:
        eigenvalues: Of each leaf, by falling magnitude, shape (n, norb).
        factors: L, shape (n, norb, norb).
        leaves: U, shape (n, norb, norb).
        tolerance: Largest permitted change of any (pq|rs), Hartree.
        noise: Products up to this are rounding, Hartree.
        team: Threads that share the leaves.
    """
    magnitudes = np.abs(eigenvalues)
    products = magnitudes * magnitudes.max(axis=1, initial=0.0)[:, None]
    kept = products > noise
    if tolerance == 0.0:
        return np.asarray(kept)
    levels = np.unique(products[kept])
    low, high = 0, len(levels) + 1  # cutting the `low` smallest is allowed, `high` is too many
    while high - low > 1:
        middle = (low + high) // 2
        lost = np.where(products > levels[middle - 1], 0.0, eigenvalues)
        loss = cut_loss(lost, factors, leaves, team)
        low, high = (middle, high) if loss.element <= tolerance else (low, middle)
    return np.asarray(products > levels[low - 1]) if low else np.asarray(kept)
