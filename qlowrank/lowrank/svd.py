# SPDX-License-Identifier: Apache-2.0
"""Low-rank approximation by singular values: truncated, and from random samples of the range."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from qlowrank import checks
from qlowrank.checks import Array, InputError


@dataclass(frozen=True, eq=False)
class LowRank:
    r"""A matrix as few outer products, and what the rest amounts to.

    .. math:: A \approx \sum_{k < r} u_k \sigma_k v_k^T, \qquad U^T U = V^T V = 1

    >>> low_rank = TruncatedSVD(rank=1)([[3.0, 0.0], [0.0, 1.0]])
    >>> low_rank
    LowRank(2 × 2, rank 1, Frobenius error 1, spectral error <= 1)
    >>> low_rank.matrix()
    array([[3., 0.],
           [0., 0.]])
    """

    left: Array = field(metadata={"units": "1", "axes": "row,term"})
    """U, shape (m, rank), orthonormal columns."""
    values: Array = field(metadata={"units": "1", "axes": "term"})
    """σ, shape (rank,), at least zero, largest first; in the unit of the matrix."""
    right: Array = field(metadata={"units": "1", "axes": "column,term"})
    """V, shape (n, rank), orthonormal columns."""
    frobenius_error: float = field(metadata={"units": "1"})
    """Frobenius norm of what is left out, in the unit of the matrix."""
    spectral_error: float = field(metadata={"units": "1"})
    """Upper bound of its largest singular value; exact where all singular values were computed."""

    def __post_init__(self) -> None:
        rank = len(self.values)
        for name, shape in {
            "left": (len(self.left), rank),
            "values": (rank,),
            "right": (len(self.right), rank),
        }.items():
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))

    @property
    def rank(self) -> int:
        """Number of terms."""
        return len(self.values)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix."""
        return len(self.left), len(self.right)

    @property
    def storage(self) -> int:
        """Numbers that the factors hold: r (m + n + 1)."""
        return self.left.size + self.values.size + self.right.size

    @property
    def parameters(self) -> int:
        """Dimension of the set of such matrices: r (m + n - r); what a fit has to determine."""
        return self.rank * (sum(self.shape) - self.rank)

    @property
    def compression_ratio(self) -> float:
        """Numbers of the dense matrix for each number stored; above one is a gain."""
        rows, columns = self.shape
        return rows * columns / self.storage if self.storage else float("inf")

    def matrix(self) -> Array:
        """Multiply out, shape (m, n)."""
        return (self.left * self.values) @ self.right.T

    def __repr__(self) -> str:
        """Say how large it is and what it cost."""
        rows, columns = self.shape
        return (
            f"LowRank({rows} × {columns}, rank {self.rank}, Frobenius error "
            f"{self.frobenius_error:.3g}, spectral error <= {self.spectral_error:.3g})"
        )


@dataclass(frozen=True, slots=True)
class TruncatedSVD:
    r"""Method: keep the largest singular values.

    No matrix of this rank comes closer, in the Frobenius or in the spectral norm:

    .. math:: \min_{\mathrm{rank} X \le r} \|A - X\|_F = \Big( \sum_{k \ge r} \sigma_k^2
              \Big)^{1/2}, \qquad \min_{\mathrm{rank} X \le r} \|A - X\|_2 = \sigma_r

    Where :math:`\sigma_{r-1} = \sigma_r` the best approximation is not unique; the errors are.

    Source:
        C. Eckart and G. Young, Psychometrika 1, 211 (1936); L. Mirsky, Q. J. Math. 11, 50 (1960).
    """

    rank: int
    """Number of singular values to keep; more than there are keeps all."""

    def __post_init__(self) -> None:
        at_least("rank", self.rank, 0)

    def __call__(self, matrix: ArrayLike) -> LowRank:
        """Approximate `matrix`, shape (m, n).

        Raises:
            InputError: It is no real, finite matrix.
        """
        left, values, right = np.linalg.svd(real_matrix(matrix), full_matrices=False)
        kept = slice(0, self.rank)
        rest = values[self.rank :]
        return LowRank(
            left=left[:, kept],
            values=values[kept],
            right=right[kept].T,
            frobenius_error=float(np.linalg.norm(rest)),
            spectral_error=float(rest.max(initial=0.0)),
        )


@dataclass(frozen=True, slots=True)
class RandomizedSVD:
    r"""Method: singular values from the products of the matrix with few random vectors.

    .. math:: Q = \mathrm{orth}\big((A A^T)^q A \Omega\big), \qquad A \approx Q (Q^T A)

    The matrix is only multiplied with, so that it may be a SciPy `LinearOperator` that is never
    formed. Expected error, with oversampling p and no power iterations:
    :math:`(1 + r/(p - 1))^{1/2} (\sum_{k \ge r} \sigma_k^2)^{1/2}`; each power iteration takes the
    ratio to the best error closer to one.

    Source:
        N. Halko, P. G. Martinsson, J. A. Tropp, SIAM Rev. 53, 217 (2011), algorithms 4.4 and 5.1,
        theorem 10.5.

    >>> matrix = np.outer([1.0, 2.0, 2.0], [3.0, 4.0])
    >>> RandomizedSVD(rank=1, seed=7)(matrix).values.round(12)
    array([15.])
    """

    rank: int
    """Number of singular values to keep."""
    seed: int
    """Of the random vectors."""
    oversampling: int = 10
    """Random vectors beyond the rank."""
    power: int = 2
    """Power iterations; more for spectra that fall slowly."""

    def __post_init__(self) -> None:
        at_least("rank", self.rank, 1)
        at_least("oversampling", self.oversampling, 0)
        at_least("power", self.power, 0)

    def __call__(self, matrix: Any) -> LowRank:
        """Approximate a matrix or linear operator, shape (m, n).

        For an operator, the Frobenius norm of the matrix is taken from n more products.

        Raises:
            InputError: It is no real, finite matrix and no linear operator.
        """
        operator = _as_operator(matrix)
        basis = range_finder(
            operator, self.rank + self.oversampling, power=self.power, seed=self.seed
        )
        small = np.asarray(operator.rmatmat(basis)).T
        inner, values, right = np.linalg.svd(small, full_matrices=False)
        kept = slice(0, self.rank)
        square = _square_norm(operator, matrix)
        error = float(np.sqrt(max(square - np.sum(values[kept] ** 2), 0.0)))
        return LowRank(
            left=basis @ inner[:, kept],
            values=values[kept],
            right=right[kept].T,
            frobenius_error=error,
            spectral_error=error,
        )


def range_finder(matrix: Any, size: int, *, power: int, seed: int) -> Array:
    """Orthonormal columns that nearly span the range of a matrix, shape (m, at most `size`).

    Between power iterations the vectors are made orthonormal, which keeps the small singular
    values from being rounded away.

    Args:
        matrix: Matrix or SciPy `LinearOperator`, shape (m, n).
        size: Number of random vectors.
        power: Power iterations.
        seed: Of the random vectors.
    """
    operator = _as_operator(matrix)
    size = min(size, *operator.shape)
    start = np.random.default_rng(seed).standard_normal((operator.shape[1], size))
    basis = np.linalg.qr(operator.matmat(start))[0]
    for _ in range(power):
        back = np.linalg.qr(operator.rmatmat(basis))[0]
        basis = np.linalg.qr(operator.matmat(back))[0]
    return np.asarray(basis)


def real_matrix(value: ArrayLike, name: str = "matrix") -> Array:
    """Return a read-only view of a real, finite matrix, or say what it is instead."""
    array = np.asarray(value)
    if array.ndim != 2:
        raise InputError(f"{name} must have two axes; got {array.ndim}.")
    return checks.readonly(name, array, array.shape)


def at_least(name: str, value: int, least: int) -> None:
    """Refuse a number that is not whole or below the least that makes sense."""
    if checks.whole(name, value) < least:
        raise InputError(f"{name} must be at least {least}; got {value}.")


def _as_operator(matrix: Any) -> LinearOperator:
    """Return what can be multiplied with."""
    if isinstance(matrix, LinearOperator):
        return matrix
    return aslinearoperator(real_matrix(matrix))


def _square_norm(operator: LinearOperator, matrix: Any) -> float:
    """Square of the Frobenius norm."""
    if operator is matrix:
        dense = operator.matmat(np.eye(operator.shape[1]))
        return float(np.sum(np.asarray(dense) ** 2))
    return float(np.sum(np.asarray(matrix, dtype=np.float64) ** 2))
