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

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from qlowrank.checks import Array, forget

BATCH = 16
"""Leaves handled at a time."""

Parts = Iterable[tuple[Array, Array]]
"""Batches of factors L and of what is cut from them Δ, each of shape (n, norb, norb)."""


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


def cut_loss(parts: Parts, norb: int) -> CutLoss:
    """Bound what it costs to cut Δ from factors.

    Args:
        parts: Batches of factors and of what is cut from each; leaves that lose nothing may be
            left out.
        norb: Number of orbitals.

    >>> factor = np.diag([2.0, 0.1])[None]
    >>> loss = cut_loss([(factor, np.diag([0.0, 0.1])[None])], norb=2)
    >>> f"{loss.trace_norm:.4f}"  # ‖Δ‖ ‖S‖ = 0.1 · sqrt(4² + 0.1²)
    '0.4001'
    """
    elements = np.zeros((norb, norb))
    above = below = 0.0
    for factors, cut in parts:
        sizes = np.linalg.norm(cut, axis=(1, 2))
        touched = sizes > 0
        lost, sizes = cut[touched], sizes[touched]
        rest = 2 * factors[touched] - lost
        norms = np.linalg.norm(rest, axis=(1, 2))
        balance = np.sqrt(norms / sizes)[:, None, None]
        elements += np.sum((balance * lost) ** 2 + (rest / balance) ** 2, axis=0) / 2
        overlap = np.einsum("tpq,tpq->t", lost, rest)
        above += float(np.sum(norms * sizes + overlap)) / 2
        below += float(np.sum(norms * sizes - overlap)) / 2
    return CutLoss(element=float(elements.max(initial=0.0)), above=above, below=max(below, 0.0))


def parts_of(cut: Array, values: Array, leaves: Array) -> Iterator[tuple[Array, Array]]:
    """Yield factors and what is cut from them, batch by batch, for leaves that lose anything.

    Args:
        cut: Eigenvalues that are cut, zero where kept, shape (n, norb).
        values: All eigenvalues, shape (n, norb).
        leaves: U, shape (n, norb, norb).
    """
    touched = np.flatnonzero(cut.any(axis=1))
    for start in range(0, len(touched), BATCH):
        some = touched[start : start + BATCH]
        frames = leaves[some]
        yield _rebuilt(frames, values[some]), _rebuilt(frames, cut[some])
        forget(leaves)


def chosen(eigenvalues: Array, leaves: Array, tolerance: float, noise: float) -> np.ndarray:
    """Mark the eigenvalues to keep: as few as a proven error allows, largest products first.

    What an eigenvalue costs is its size times that of its factor, so eigenvalues are cut by the
    product with the largest one of their leaf.

    Args:
        eigenvalues: Of each leaf, by falling magnitude, shape (n, norb).
        leaves: U, shape (n, norb, norb).
        tolerance: Largest permitted change of any (pq|rs), Hartree.
        noise: Products up to this are rounding, Hartree.
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
        loss = cut_loss(parts_of(lost, eigenvalues, leaves), leaves.shape[1])
        low, high = (middle, high) if loss.element <= tolerance else (low, middle)
    return np.asarray(products > levels[low - 1]) if low else np.asarray(kept)


def _rebuilt(frames: Array, values: Array) -> Array:
    """U diag(values) Uᵀ of each leaf."""
    return np.asarray(np.matmul(frames * values[:, None, :], frames.transpose(0, 2, 1)))
