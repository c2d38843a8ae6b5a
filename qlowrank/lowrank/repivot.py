# SPDX-License-Identifier: Apache-2.0
"""Pivoted Cholesky decomposition of a Gram matrix, in its own coordinates."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from qlowrank.checks import Array
from qlowrank.lowrank.cholesky import CholeskyFactors, Progress, rounding_floor

MARGIN = 1e-10
"""Smallest share of its largest pivot to which a batch's own Gram matrix is trusted."""


@dataclass(frozen=True, slots=True)
class Repivot:
    r"""Method: choose new pivots for given vectors, and fewer of them.

    .. math:: A^T A = B^T B + R, \qquad R_{ii} \le a_i, \qquad B = Q A, \quad Q Q^T = 1

    A holds vectors as rows; the rows of Q are an orthonormal basis of the columns of A at the
    pivots. Vectors that came from pivots in one basis of the index i are so exchanged for fewer
    that have pivots in another. Nothing of the size of `AᵀA` is formed.

    >>> Repivot()(np.array([[2.0, 1.0], [0.0, 0.1]]), allowed=np.full(2, 0.1)).vectors
    array([[2., 1.]])
    """

    span: float = 0.1
    """A pivot may enter a batch when its residual is at least this share of the largest one."""
    batch: int = 96
    """Most pivots in a batch."""

    def __call__(
        self, vectors: Array, allowed: Array, progress: Progress | None = None
    ) -> CholeskyFactors:
        """Decompose.

        Args:
            vectors: A, shape (m, n).
            allowed: a, the largest permitted diagonal element of R at each index, shape (n,).
            progress: Called as the vectors come.
        """
        residual = np.einsum("ti,ti->i", vectors, vectors)
        floor = rounding_floor(residual)
        limit = np.maximum(allowed, floor)
        basis = np.empty((len(vectors), len(vectors)))
        found = np.empty(vectors.shape)
        pivots: list[int] = []
        while (rank := len(pivots)) < len(vectors) and np.any(residual > limit):
            chosen = self._qualified(residual, limit)
            block = _orthogonal(basis[:rank], vectors[:, chosen])
            new, used = _new_directions(block, chosen, self.span * residual[chosen[0]])
            new = new[: len(vectors) - rank]
            used = used[: len(new)]
            part = slice(rank, rank + len(new))
            basis[part] = new
            np.matmul(new, vectors, out=found[part])
            found[part, pivots] = 0.0
            for step, pivot in enumerate(used):
                found[rank + step + 1 : part.stop, pivot] = 0.0
            residual -= np.einsum("ti,ti->i", found[part], found[part])
            residual[used] = 0.0
            pivots += used
            if progress is not None:
                progress("Cholesky vectors", len(pivots), None)
        return CholeskyFactors(
            vectors=found[: len(pivots)],
            pivots=np.array(pivots, dtype=np.int64),
            residual_diagonal=np.maximum(residual, 0.0),
            rounding=max(floor, -float(residual.min(initial=0.0))),
        )

    def _qualified(self, residual: Array, limit: Array) -> np.ndarray:
        """Indices of the next batch, largest residual first, equal ones by index."""
        largest = residual[residual > limit].max()
        candidates = np.flatnonzero((residual > limit) & (residual >= self.span * largest))
        order = np.argsort(-residual[candidates], kind="stable")[: self.batch]
        return np.asarray(candidates[order])


def _orthogonal(basis: Array, columns: Array) -> Array:
    """Return `columns` without what the rows of `basis` span; twice is enough."""
    for _ in range(2):
        columns = columns - basis.T @ (basis @ columns)
    return columns


def _new_directions(block: Array, chosen: np.ndarray, threshold: float) -> tuple[Array, list[int]]:
    """Orthonormal rows that span the chosen columns, best pivot first, and their pivots."""
    gram = block.T @ block
    threshold = max(threshold, MARGIN * float(np.diagonal(gram).max()))
    factor, order, rank, _ = dpstrf(gram, tol=threshold, lower=1)
    rank = max(int(rank), 1)
    order = order[:rank] - 1
    rows = solve_triangular(factor[:rank, :rank], block[:, order].T, lower=True, check_finite=False)
    return rows, [int(pivot) for pivot in chosen[order]]
