# SPDX-License-Identifier: Apache-2.0
"""Non-negative factors: parts that only add up, and groups read from them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.lowrank.svd import at_least, real_matrix

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class NonnegativeFit:
    """Two factors without negative entries, and how well they were found."""

    left: Array = field(metadata={"units": "1", "axes": "row,part"})
    """W, shape (m, rank), at least zero; each column's largest entry is one."""
    right: Array = field(metadata={"units": "1", "axes": "column,part"})
    """H, shape (n, rank), at least zero; the matrix is W Hᵀ. Largest part first."""
    history: Array = field(metadata={"units": "1", "axes": "iteration"})
    """Frobenius error after each iteration, the start first; it never rises."""
    converged: bool
    """Whether the last iteration gained less than was asked for."""

    def __post_init__(self) -> None:
        rank = np.shape(self.left)[-1]
        for name in ("left", "right"):
            array = getattr(self, name)
            object.__setattr__(self, name, checks.readonly(name, array, (len(array), rank)))
        object.__setattr__(
            self, "history", checks.readonly("history", self.history, (len(self.history),))
        )

    @property
    def frobenius_error(self) -> float:
        """Frobenius norm of what is left over."""
        return float(self.history[-1])

    def matrix(self) -> Array:
        """Multiply out, shape (m, n)."""
        return self.left @ self.right.T

    def __repr__(self) -> str:
        """Say how it went."""
        word = "converged" if self.converged else "not converged"
        return (
            f"NonnegativeFit(rank {self.left.shape[1]}, Frobenius error "
            f"{self.frobenius_error:.4g}, {word} in {len(self.history) - 1} iterations)"
        )


@dataclass(frozen=True, slots=True)
class NonnegativeFactorization:
    r"""Method: non-negative matrix factorization by alternating least squares.

    .. math:: \min_{W \ge 0,\, H \ge 0} \|W H^T - A\|_F

    Each half step is convex and solved exactly, row by row, by SciPy's `nnls`. Unlike those of the
    SVD, the factors cannot cancel, so that each column is a part of the whole; but the problem has
    minima that are not the best. So several starts are made and the best is kept.

    Source:
        D. D. Lee and H. S. Seung, Nature 401, 788 (1999); H. Kim and H. Park, SIAM J. Matrix Anal.
        Appl. 30, 713 (2008).

    >>> blocks = np.kron(np.eye(2), np.ones((2, 2)))
    >>> NonnegativeFactorization(rank=2, seed=1)(blocks).left.round(6)
    array([[1., 0.],
           [1., 0.],
           [0., 1.],
           [0., 1.]])
    """

    rank: int
    """Number of parts."""
    seed: int
    """Of the starts."""
    starts: int = 5
    """How many."""
    max_iterations: int = 500
    """Of each start."""
    tolerance: float = 1e-8
    """An iteration that gains less than this share of the matrix's norm is the last."""

    def __post_init__(self) -> None:
        at_least("rank", self.rank, 1)
        at_least("starts", self.starts, 1)
        at_least("max_iterations", self.max_iterations, 1)
        checks.positive("tolerance", self.tolerance)

    def __call__(self, matrix: ArrayLike, *, known: ArrayLike | None = None) -> NonnegativeFit:
        """Factorize `matrix`, shape (m, n), at least zero.

        Args:
            matrix: Numbers that add up from parts.
            known: Which entries count, booleans of the same shape; None: all.

        Raises:
            InputError: It has negative entries, or is no real, finite matrix.
        """
        matrix = real_matrix(matrix)
        if matrix.size and matrix.min() < 0:
            raise InputError(
                f"matrix must have no negative entries; the smallest is {matrix.min():.3g}."
            )
        mask = np.ones(matrix.shape, dtype=bool) if known is None else np.asarray(known)
        if mask.dtype != bool or mask.shape != matrix.shape:
            raise InputError(
                f"known must be booleans of shape {matrix.shape}; got {mask.dtype} of shape "
                f"{mask.shape}."
            )
        generator = np.random.default_rng(self.seed)
        fits = [self._from(matrix, mask, generator) for _ in range(self.starts)]
        return min(fits, key=lambda fit: fit.frobenius_error)

    def _from(self, matrix: Array, known: Mask, generator: np.random.Generator) -> NonnegativeFit:
        """Alternate from one random start."""
        right = generator.uniform(size=(matrix.shape[1], self.rank))
        norm = float(np.linalg.norm(matrix[known]))
        history, converged = [norm], False
        while not converged and len(history) <= self.max_iterations:
            left = _least_squares(right, matrix, known)
            right = _least_squares(left, matrix.T, known.T)
            history.append(float(np.linalg.norm((left @ right.T - matrix)[known])))
            converged = history[-2] - history[-1] <= self.tolerance * norm
        left, right = _normalised(left, right)
        return NonnegativeFit(left, right, np.array(history), converged)


def _least_squares(basis: Array, targets: Array, known: Mask) -> Array:
    """Best non-negative coefficients of every row of `targets` in the columns of `basis`."""
    triangle_of_all = np.linalg.qr(basis) if known.all() else None
    rows = np.empty((len(targets), basis.shape[1]))
    for row, (target, counts) in enumerate(zip(targets, known, strict=True)):
        if triangle_of_all is None:
            rows[row] = nnls(basis[counts], target[counts])[0]
        else:
            rows[row] = nnls(triangle_of_all.R, triangle_of_all.Q.T @ target)[0]
    return rows


def _normalised(left: Array, right: Array) -> tuple[Array, Array]:
    """Scale each column of the first to a largest entry of one, and put the largest part first."""
    peaks = left.max(axis=0, initial=0.0)
    left = left / np.where(peaks > 0, peaks, 1.0)
    right = right * peaks
    order = by_size(left.sum(axis=0) * right.sum(axis=0), left)
    return left[:, order], right[:, order]


def by_size(sizes: Array, columns: Array) -> NDArray[np.int64]:
    """Order of parts: largest first, equal ones by where their largest entry stands."""
    largest = sizes.max(initial=0.0) or 1.0
    return np.lexsort((columns.argmax(axis=0), -np.round(sizes / largest, 6)))
