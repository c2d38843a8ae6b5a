# SPDX-License-Identifier: Apache-2.0
"""The squared error of the integrals, and its derivatives, without a four-index tensor."""

from dataclasses import dataclass

import numpy as np

from qlowrank.checks import Array
from qlowrank.factorization.compression.objective import Evaluate
from qlowrank.factorization.compression.packing import packed, pair_weights, square_index
from qlowrank.factorization.compression.problem import Point, Problem, Slope

ENTRIES_AT_A_TIME = 2**23
"""Numbers in the largest intermediate; more leaves are worked on in turns."""


@dataclass(frozen=True, slots=True)
class FrobeniusError:
    r"""Half the squared Frobenius error of the integrals.

    .. math:: f = \tfrac12 \Big\| V - \sum_t X_t Z_t X_t^T \Big\|^2
                = \tfrac12 \|V\|^2 - \sum_t \langle Z_t, Y_t Y_t^T \rangle
                + \tfrac12 \sum_{ts} \mathrm{tr}\,(Z_t G_{ts} Z_s G_{st})

    with the columns :math:`X_t = [\mathrm{vec}(u_k u_k^T)]`, :math:`V = \sum_m v_m v_m^T`,
    :math:`Y_t = X_t^T [v_m]` and :math:`G_{ts} = X_t^T X_s = (U_t^T U_s)^{\circ 2}`. A value with
    its derivatives costs T N³ M + 5 T² N³ multiplications for T leaves of N orbitals and M
    vectors; nothing of order N⁴ is stored.

    Source:
        The model of leaves and full cores: J. Cohn, M. Motta, R. M. Parrish, arXiv:2104.08957.
    """

    @property
    def name(self) -> str:
        """Name to report."""
        return "error"

    @property
    def error_weight(self) -> float:
        """One: it is the error."""
        return 1.0

    @property
    def in_sector(self) -> bool:
        """All of the error counts."""
        return False

    def prepare(self, problem: Problem) -> Evaluate:
        """Return the function of leaves and cores."""
        return _Error(problem.vectors, problem.norb, overlap=0.0)


@dataclass(frozen=True, slots=True)
class SectorError:
    r"""Half the squared Frobenius error that a fixed number of electrons can see.

    The operator of :math:`1 \otimes b + b \otimes 1` is one-body wherever the number of electrons
    η is fixed: :math:`\tfrac12 (\hat N \hat b + \hat b \hat N) = \eta\, \hat b`. So only
    :math:`P (V - W) P` counts, with :math:`P = 1 - e e^T` and e the normalised identity matrix;
    the rest is moved, exactly, into the one-body part of the result. In the formulas of
    `FrobeniusError`, the vectors lose their traces and :math:`G_{ts}` loses 1/N.

    A result of this objective equals the Hamiltonian, but for its stated error, on states with
    `nelec` electrons only.

    Source:
        The symmetry: I. Loaiza, A. F. Izmaylov, arXiv:2304.13772 (block-invariant symmetry shift).
    """

    @property
    def name(self) -> str:
        """Name to report."""
        return "sector error"

    @property
    def error_weight(self) -> float:
        """One: it is the error."""
        return 1.0

    @property
    def in_sector(self) -> bool:
        """Errors that a fixed number of electrons cannot see are left out."""
        return True

    def prepare(self, problem: Problem) -> Evaluate:
        """Return the function of leaves and cores."""
        return _Error(without_trace(problem.vectors, problem.norb), problem.norb, 1 / problem.norb)


def without_trace(vectors: Array, norb: int) -> Array:
    """Return packed symmetric matrices with their traces removed."""
    unit = packed(np.eye(norb))
    return np.asarray(vectors - np.outer(vectors @ unit, unit) / norb)


class _Error:
    """The function that both objectives prepare."""

    def __init__(self, vectors: Array, norb: int, overlap: float) -> None:
        self.norb = norb
        self.overlap = overlap
        self.constant = float(np.sum((vectors @ vectors.T) ** 2)) / 2
        self.rank = len(vectors)
        weights = pair_weights(norb)
        self.rows, self.columns = np.tril_indices(norb)
        self.square = square_index(norb)
        self.onto_squares = np.ascontiguousarray((vectors * weights).T)
        self.entries = vectors / weights

    def __call__(self, point: Point) -> Slope:
        """Return value and derivatives, batch by batch of leaves."""
        n_leaves, norb = point.leaves.shape[:2]
        largest = norb * max(norb**2, n_leaves * norb, self.rank, 1)
        batch = max(1, ENTRIES_AT_A_TIME // largest)
        value = self.constant
        leaves, cores = np.empty(point.leaves.shape), np.empty(point.leaves.shape)
        frames = side_by_side(point.leaves)
        for start in range(0, n_leaves, batch):
            part = slice(start, start + batch)
            ours = Point(point.leaves[part], point.cores[part])
            columns = frames[:, start * norb : (start + batch) * norb]
            pull, toward = self._target(ours, columns)
            push, against = self._overlaps(ours, columns, point, frames)
            value += float(np.sum(ours.cores * (push / 2 - pull)))
            leaves[part], cores[part] = against - toward, push - pull
        return Slope(max(value, 0.0), leaves, cores)

    def _target(self, ours: Point, columns: Array) -> tuple[Array, Array]:
        """Return Y Yᵀ of each leaf, and 4 S_k u_k with S_k = Σ_m (Z Y)_km v_m."""
        n_ours, norb = ours.leaves.shape[:2]
        squares = columns[self.rows]
        squares *= columns[self.columns]
        overlaps = (squares.T @ self.onto_squares).reshape(n_ours, norb, self.rank)
        pull = overlaps @ overlaps.transpose(0, 2, 1)
        weighted = (ours.cores @ overlaps).reshape(n_ours * norb, self.rank)
        matrices = np.take(weighted @ self.entries, self.square, axis=1)
        matrices = matrices.reshape(n_ours, norb, norb, norb)
        toward = np.matmul(matrices, ours.leaves.transpose(0, 2, 1)[..., None])[..., 0]
        return pull, 4 * toward.transpose(0, 2, 1)

    def _overlaps(
        self, ours: Point, columns: Array, point: Point, frames: Array
    ) -> tuple[Array, Array]:
        """Return Σ_s G_ts Z_s G_st and 4 Σ_s U_s ((Z_t G_ts Z_s) ∘ O_ts)ᵀ of our leaves t."""
        n_ours, norb = ours.leaves.shape[:2]
        n_leaves = len(point.leaves)
        wide = (n_ours, norb, n_leaves * norb)
        rotations = columns.T @ frames
        squares = rotations**2
        if self.overlap:
            squares -= self.overlap
        by_leaf = (n_ours * norb, n_leaves, norb)
        through = np.empty(by_leaf)
        np.matmul(
            squares.reshape(by_leaf).transpose(1, 0, 2),
            point.cores,
            out=through.transpose(1, 0, 2),
        )
        through = through.reshape(wide)
        push = through @ squares.reshape(wide).transpose(0, 2, 1)
        turned = ours.cores @ through
        turned *= rotations.reshape(wide)
        against = turned.reshape(n_ours * norb, n_leaves * norb) @ frames.T
        return push, 4 * against.reshape(ours.leaves.shape).transpose(0, 2, 1)


def side_by_side(leaves: Array) -> Array:
    """Return all columns of all leaves, shape (norb, n_leaves × norb)."""
    n_leaves, norb = leaves.shape[:2]
    return np.ascontiguousarray(leaves.transpose(1, 0, 2)).reshape(norb, n_leaves * norb)
