# SPDX-License-Identifier: Apache-2.0
"""Pivoted Cholesky decomposition of a positive semidefinite matrix that is read by columns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from qlowrank import checks
from qlowrank.checks import Array, InputError

Progress = Callable[[str, int, int | None], None]
"""Called with (what is done, steps done, steps in all or None where not known)."""

INDEFINITE = 1e-6
"""Where no tolerance is asked for, a residual diagonal below minus this share of the largest
element is no rounding: the matrix is indefinite. (Rounding reaches a tenth of it in molecular
orbitals of nearly linearly dependent basis sets.)"""


class IndefiniteError(InputError):
    """A matrix that is to be positive semidefinite is not."""


class SemidefiniteMatrix(Protocol):
    """A symmetric positive semidefinite matrix whose columns are computed when asked for."""

    def diagonal(self) -> Array:
        """Return the diagonal, shape (n,)."""
        ...

    def columns(self, indices: np.ndarray) -> Array:
        """Return the columns with these indices as rows, shape (len(indices), n)."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class CholeskyFactors:
    """`M = vectorsᵀ vectors + R` with a positive semidefinite residual R."""

    vectors: Array
    """Cholesky vectors, shape (rank, n); vector t is zero at the pivots of those before it."""
    pivots: np.ndarray
    """The index each vector was pivoted on, shape (rank,)."""
    residual_diagonal: Array
    """Diagonal of R, shape (n,), at least zero. `|R_ij| <= sqrt(R_ii R_jj)` bounds the rest."""
    rounding: float
    """What cannot be told from zero: `n eps max(diagonal)`, or how far below zero the residual's
    diagonal was seen to fall if that is more."""

    @property
    def max_error(self) -> float:
        """No element of the residual is larger than this, rounding included."""
        return float(self.residual_diagonal.max(initial=0.0)) + self.rounding


@dataclass(frozen=True, slots=True)
class PivotedCholesky:
    r"""Method: pivoted Cholesky decomposition with batches of qualified columns.

    .. math:: M \approx \sum_t v_t v_t^T, \qquad
              |R_{ij}| \le \sqrt{R_{ii} R_{jj}} \le \text{tolerance}

    The residual of a Cholesky step is a Schur complement, so it stays positive semidefinite
    and its largest diagonal entry bounds every element. Columns are read in batches: those whose
    residual diagonal is at least `span` times the largest.

    Source:
        H. Koch, A. Sánchez de Merás, T. B. Pedersen, J. Chem. Phys. 118, 9481 (2003)
        (qualified columns, span factor).

    >>> matrix = DenseMatrix(np.array([[4.0, 2.0], [2.0, 1.0]]))
    >>> PivotedCholesky(tolerance=1e-10)(matrix).vectors
    array([[2., 1.]])
    """

    tolerance: float
    """Largest permitted element of the residual; 0 goes as far as rounding allows."""
    span: float = 0.2
    """A column may enter a batch when its residual is at least this share of the largest one."""
    batch: int = 64
    """Most columns read at a time."""

    def __post_init__(self) -> None:
        checks.tolerance(self.tolerance)
        if not 0 < checks.finite("span", self.span) <= 1:
            raise InputError(f"span must be above 0 and at most 1; got {self.span}.")
        if checks.whole("batch", self.batch) < 1:
            raise InputError(f"batch must be at least 1; got {self.batch}.")

    def __call__(
        self, matrix: SemidefiniteMatrix, progress: Progress | None = None
    ) -> CholeskyFactors:
        """Decompose `matrix`.

        Raises:
            IndefiniteError: The matrix has a negative diagonal or is visibly indefinite.
            InputError: It is not finite, or the tolerance is below what double precision resolves.
        """
        diagonal = matrix.diagonal()
        residual = np.array(checks.readonly("the diagonal", diagonal, (len(diagonal),)))
        floor = rounding_floor(residual)
        if 0 < self.tolerance < 2 * floor:
            raise InputError(
                f"tolerance {self.tolerance:.1e} is below what double precision can resolve here, "
                f"{2 * floor:.1e}; ask for at least that, or for 0 to go as far as rounding allows."
            )
        allowed = self.tolerance / 2 or max(floor, INDEFINITE * residual.max(initial=0.0))
        noise = _noise(residual, floor, allowed)
        vectors = np.empty((min(self.batch, len(residual)), len(residual)))
        pivots: list[int] = []
        while residual.size and residual.max() > (stop := max(self.tolerance - noise, noise)):
            rank = len(pivots)
            threshold = max(self.span * residual.max(), stop)
            chosen = self._qualified(residual, threshold)
            block = matrix.columns(chosen) - vectors[:rank, chosen].T @ vectors[:rank]
            block[:, pivots] = 0.0  # exactly, where there is only rounding left
            found, used = eliminate(block, chosen, threshold)
            vectors = _with_room(vectors, rank + len(used))
            vectors[rank : rank + len(used)] = found
            pivots += used
            residual -= np.einsum("ti,ti->i", found, found)
            residual[used] = 0.0
            noise = _noise(residual, floor, allowed)
            if progress is not None:
                progress("Cholesky vectors", len(pivots), None)
        return CholeskyFactors(
            vectors=vectors[: len(pivots)],
            pivots=np.array(pivots, dtype=np.int64),
            residual_diagonal=np.maximum(residual, 0.0),
            rounding=noise,
        )

    def _qualified(self, residual: Array, threshold: float) -> np.ndarray:
        """Indices of the next batch, largest residual first, equal ones by index."""
        candidates = np.flatnonzero(residual >= threshold)
        order = np.argsort(-residual[candidates], kind="stable")[: self.batch]
        return np.asarray(candidates[order])


def eliminate(block: Array, chosen: np.ndarray, threshold: float) -> tuple[Array, list[int]]:
    """Turn a batch of residual columns into Cholesky vectors, best pivot first.

    Only the small block of the chosen rows is pivoted (LAPACK); the long rows follow from one
    triangular solve. Columns whose residual falls below `threshold` on the way are left out.
    """
    factor, order, rank, _ = dpstrf(block[:, chosen], tol=threshold, lower=1)
    rank = max(int(rank), 1)
    order = order[:rank] - 1
    vectors = solve_triangular(factor[:rank, :rank], block[order], lower=True, check_finite=False)
    for step, pivot in enumerate(chosen[order]):
        vectors[step + 1 :, pivot] = 0.0
    return vectors, [int(pivot) for pivot in chosen[order]]


@dataclass(frozen=True, eq=False, slots=True)
class DenseMatrix:
    """A matrix held in memory, behind the same door as one computed column by column."""

    array: Array
    """Shape (n, n), symmetric."""

    def __post_init__(self) -> None:
        matrix = checks.symmetric("array", self.array, len(self.array))
        object.__setattr__(self, "array", matrix)

    def diagonal(self) -> Array:
        """Return the diagonal, shape (n,)."""
        return np.diagonal(self.array)

    def columns(self, indices: np.ndarray) -> Array:
        """Return the columns with these indices as rows, shape (len(indices), n)."""
        return self.array[indices]


def rounding_floor(diagonal: Array) -> float:
    """Smallest residual that double precision can tell from zero: `n eps max(diagonal)`."""
    if diagonal.size == 0:
        return 0.0
    return float(diagonal.size * np.finfo(float).eps * max(diagonal.max(), 0.0))


def _with_room(vectors: Array, rows: int) -> Array:
    """Return `vectors` with space for at least `rows` rows, doubling when it is full."""
    if rows <= len(vectors):
        return vectors
    grown = np.empty((max(rows, 2 * len(vectors)), vectors.shape[1]))
    grown[: len(vectors)] = vectors
    return grown


def _noise(residual: Array, floor: float, allowed: float) -> float:
    """Return what a residual's diagonal shows of rounding; refuse what is more than `allowed`."""
    lowest = float(residual.min(initial=0.0))
    if -lowest <= allowed:
        return max(floor, -lowest)
    raise IndefiniteError(
        "The matrix is not positive semidefinite: after elimination its diagonal reaches "
        f"{lowest:.2e}, and zero is the least possible. Integrals of real orbitals in chemists' "
        "order are, up to rounding: check the index order, that no integrals are missing, and that "
        "the tolerance is not below the precision of the input."
    )
