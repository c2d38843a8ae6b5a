# SPDX-License-Identifier: Apache-2.0
"""Where a bond is cut: which singular values of which sectors stay, and what that costs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.mps.sectors import Charge


def max_bond(value: int | None) -> int | None:
    """Return a largest bond dimension, one or more, or None for no limit."""
    if value is None:
        return None
    number = checks.whole("max_bond", value)
    if number < 1:
        raise InputError(f"max_bond must be at least 1 state, or None for no limit; got {number}.")
    return number


def tolerance(value: float) -> float:
    """Return a permitted error in the norm of the vector, zero or more."""
    number = checks.finite("tolerance", value)
    if number < 0:
        raise InputError(f"tolerance must be at least 0, an error in the norm; got {number:g}.")
    return number


@dataclass(slots=True)
class Allowance:
    """Squared error that may still be made, shared among the bonds that are still to be cut.

    Successive cuts are orthogonal projections whose errors are orthogonal to each other, so squared
    errors add up: the total stays below the allowance.
    """

    left: float
    """Squared error that is left."""
    bonds: int
    """Bonds that are left."""
    max_bond: int | None
    """Most states of a bond, whatever the error."""

    def cut(self, values: Mapping[Charge, Array]) -> tuple[dict[Charge, int], float]:
        """Return how many singular values to keep in each sector, and the squares of the others.

        Args:
            values: Singular values of each sector, largest first.
        """
        kept, weight = select(values, self.share, self.max_bond)
        self.left = max(self.left - weight, 0.0)
        self.bonds -= 1
        return kept, weight

    @property
    def share(self) -> float:
        """Squared error that the next bond may make."""
        return self.left / max(self.bonds, 1)

    def keeps_all(self, matrix: Array, n_bonds: int) -> bool:
        r"""Tell whether `n_bonds` nested bonds up to this one surely drop nothing, and skip them.

        If the smallest eigenvalue of the reduced density matrix ρ = M Mᵀ exceeds what may be
        dropped, nothing is; and the reduced density matrices of bonds further out, partial traces
        of ρ, have no smaller eigenvalues. A Cholesky decomposition of ρ − μ decides it; μ includes
        the rounding of ρ, at most columns × epsilon × trace. A False proves nothing.

        Args:
            matrix: Rows are all products of the states further out.
            n_bonds: How many bonds that is.
        """
        rows, columns = matrix.shape
        if rows > columns or (self.max_bond is not None and rows > self.max_bond):
            return False
        density = matrix @ matrix.T
        rounding = columns * np.finfo(float).eps * float(np.trace(density))
        density.flat[:: rows + 1] -= self.left / max(self.bonds - n_bonds + 1, 1) + rounding
        _, failed = linalg.lapack.dpotrf(density, overwrite_a=True, clean=False)
        if failed:
            return False
        self.bonds -= n_bonds
        return True


def select(
    values: Mapping[Charge, Array], budget: float, most: int | None
) -> tuple[dict[Charge, int], float]:
    """Drop the smallest singular values of all sectors while their squares sum to at most `budget`.

    At least one stays. Exact zeros always go.
    """
    charges = list(values)
    weights = np.concatenate([values[charge] for charge in charges]) ** 2
    owners = np.repeat(np.arange(len(charges)), [len(values[charge]) for charge in charges])
    order = np.argsort(weights, kind="stable")
    tails = np.cumsum(weights[order])
    n_dropped = min(int(np.searchsorted(tails, budget, side="right")), len(order) - 1)
    if most is not None:
        n_dropped = max(n_dropped, len(order) - most)
    counts = np.bincount(owners[order[n_dropped:]], minlength=len(charges))
    kept = {charge: int(n) for charge, n in zip(charges, counts, strict=True) if n}
    return kept, float(tails[n_dropped - 1]) if n_dropped else 0.0


def svd(matrix: Array) -> tuple[Array, Array, Array]:
    """Thin singular value decomposition; the slower driver where the quick one fails."""
    try:
        return linalg.svd(matrix, full_matrices=False, check_finite=False)
    except linalg.LinAlgError:
        return linalg.svd(matrix, full_matrices=False, check_finite=False, lapack_driver="gesvd")


def left_vectors(matrix: Array) -> tuple[Array, Array]:
    """Left singular vectors and singular values, through the triangle of a wide matrix.

    `M = L Q` has the left vectors and singular values of the small L. A QR decomposition keeps
    singular values to rounding of the largest; squaring the matrix loses those below 1e-8 of it.
    """
    if len(matrix) == 1:
        return np.ones((1, 1)), np.array([np.linalg.norm(matrix)])
    vectors, values, _ = svd(triangle(matrix))
    return vectors, values


def triangle(matrix: Array) -> Array:
    """Return the factor L of `M = L Q`; the matrix itself where it is not wide."""
    rows, columns = matrix.shape
    if columns <= rows + rows // 2:
        return matrix
    (upper,) = linalg.qr(matrix.T, mode="r", check_finite=False)
    return upper[:rows].T


def split_left(matrix: Array) -> tuple[Array, Array, Array]:
    """Thin singular value decomposition of a matrix that may be very wide, through its triangle."""
    rows, columns = matrix.shape
    if columns <= 2 * rows:
        return svd(matrix)
    isometry, upper = np.linalg.qr(matrix.T)
    vectors, values, others = svd(upper.T)
    return vectors, values, others @ isometry.T
