# SPDX-License-Identifier: Apache-2.0
"""Pivoted Cholesky decomposition of a Gram matrix, in its own coordinates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpstrf, dtrtri

from qlowrank.checks import Array
from qlowrank.lowrank.cholesky import Progress, rounding_floor
from qlowrank.lowrank.passes import Passes
from qlowrank.lowrank.threads import Workers, slices

TOGETHER = 48
"""How many columns are orthogonalised at a time."""
AGAIN = 1e-7
"""A column is orthogonalised twice where less than this share of its square is left."""
MARGIN = 1e-10
"""Smallest share of its largest pivot to which a batch's own Gram matrix is trusted."""
BY_ITSELF = Passes()
"""The calling thread alone."""


@dataclass(frozen=True, eq=False, slots=True)
class Repivoted:
    """`AᵀA = BᵀB + R` with `B = Q A` and a positive semidefinite R."""

    basis: Array
    """Q, shape (rank, m), orthonormal rows."""
    pivots: np.ndarray
    """The index each row was pivoted on, shape (rank,)."""
    residual_diagonal: Array
    """Diagonal of R, shape (n,), at least zero."""
    rounding: float
    """What cannot be told from zero."""


@dataclass(frozen=True, slots=True)
class Repivot:
    r"""Method: choose new pivots for given vectors, and fewer of them.

    .. math:: A^T A = B^T B + R, \qquad R_{ii} \le a_i, \qquad B = Q A, \quad Q Q^T = 1

    A holds vectors as rows; the rows of Q are an orthonormal basis of the columns of A at the
    pivots. Vectors that came from pivots in one basis of the index i are so exchanged for fewer
    that have pivots in another. Nothing of the size of `AᵀA` is formed.

    >>> Repivot()(np.array([[2.0, 1.0], [0.0, 0.1]]), allowed=np.full(2, 0.1)).basis
    array([[1., 0.]])
    """

    span: float = 0.1
    """A pivot may enter a batch when its residual is at least this share of the largest one."""
    batch: int = 96
    """Most pivots in a batch."""

    def __call__(
        self,
        vectors: Array,
        allowed: Array,
        passes: Passes = BY_ITSELF,
        keep: Callable[[Array], None] | None = None,
        progress: Progress | None = None,
    ) -> Repivoted:
        """Decompose.

        Args:
            vectors: A, shape (m, n).
            allowed: a, the largest permitted diagonal element of R at each index, shape (n,).
            passes: Threads that share the products, and how many vectors they read at a time.
            keep: Takes the rows of B, a batch at a time, in a buffer that is used again.
            progress: Called as the vectors come.
        """
        residual = passes.squared_norms(vectors)
        floor = rounding_floor(residual)
        limit = np.maximum(allowed, floor)
        basis = np.empty((len(vectors), len(vectors)))
        pivots: list[int] = []
        while (rank := len(pivots)) < len(vectors) and np.any(residual > limit):
            chosen = self._qualified(residual, limit)
            columns = passes.columns_of(vectors, chosen)
            block = _orthogonal(basis[:rank], columns, passes.team)
            new, used = _new_directions(block, chosen, self.span * residual[chosen[0]])
            new = new[: len(vectors) - rank]
            used = used[: len(new)]
            basis[rank : rank + len(new)] = new
            found = passes.product(new, vectors)
            found[:, pivots] = 0.0
            found[:, used] = np.triu(found[:, used])  # later ones have nothing left there
            residual -= passes.squared_norms(found)
            residual[used] = 0.0
            pivots += used
            if keep is not None:
                keep(found)
            if progress is not None:
                progress("Cholesky vectors", len(pivots), None)
        return Repivoted(
            basis=basis[: len(pivots)],
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


def _orthogonal(basis: Array, columns: Array, team: Workers) -> Array:
    """Return `columns` without what the rows of `basis` span.

    Once leaves an error of eps over the share that stays; where that is little, once more.
    """
    result = np.empty(columns.shape)

    def work(part: slice) -> None:
        mine = columns[:, part]
        before = np.einsum("ti,ti->i", mine, mine)
        mine = mine - basis.T @ (basis @ mine)
        after = np.einsum("ti,ti->i", mine, mine)
        if np.any(after < AGAIN * before):
            mine -= basis.T @ (basis @ mine)
        result[:, part] = mine

    team.run(work, slices(columns.shape[1], TOGETHER))
    return result


def _new_directions(block: Array, chosen: np.ndarray, threshold: float) -> tuple[Array, list[int]]:
    """Orthonormal rows that span the chosen columns, best pivot first, and their pivots."""
    gram = block.T @ block
    threshold = max(threshold, MARGIN * float(np.diagonal(gram).max()))
    factor, order, rank, _ = dpstrf(gram, tol=threshold, lower=1)
    rank = max(int(rank), 1)
    order = order[:rank] - 1
    inverse = np.tril(dtrtri(factor[:rank, :rank], lower=1)[0])
    return inverse @ block[:, order].T, [int(pivot) for pivot in chosen[order]]
