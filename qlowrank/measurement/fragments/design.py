# SPDX-License-Identifier: Apache-2.0
r"""The convex problem inside: the cheapest coefficients for given frames.

Groups with coefficients c_g, coordinates A_g c_g that must add up to b, and standard deviations
:math:`s_g(c) = \sqrt{c^T G_g c}`, G_g = LLᵀ positive definite:

.. math:: \Big(\sum_g s_g(c_g)\Big)^2 = \min_w \sum_g s_g(c_g)^2 / w_g, \qquad
          \min_c \sum_g s_g(c_g)^2 / w_g = b^T M(w)^{-1} b, \quad
          M(w) = \sum_g w_g A_g G_g^{-1} A_g^T

with w a distribution of shots over the groups: a c-optimal design of experiments. Taking c and w
in turns, each at its optimum, never raises the sum.

Source:
    F. Pukelsheim, Optimal Design of Experiments (SIAM, 2006), chapters 2 and 9, for c-optimality;
    the use for groups of commuting operators is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from qlowrank.checks import Array

RIDGES = (0.0, 1e-14, 1e-12, 1e-10, 1e-8)
"""Parts of M's mean diagonal added to it, one after the other, until Cholesky succeeds."""

REFINEMENTS = 3
"""Times the residual of the sum is solved for again."""


@dataclass(frozen=True, eq=False)
class Design:
    """Frames as seen by the convex problem."""

    whitened: Array
    """K = L⁻¹ Aᵀ of all groups, one below the other, shape (n_groups × width, n_coordinates)."""
    roots: Array
    """L, lower triangular, shape (n_groups, width, width)."""
    target: Array
    """b, shape (n_coordinates,)."""

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.roots)


@dataclass(frozen=True, eq=False)
class Solution:
    """The cheapest coefficients for one distribution of shots."""

    value: float
    """bᵀ M⁻¹ b = Σ_g s_g² / w_g, Hartree²."""
    shares: Array
    """w the solution was computed for, shape (n_groups,)."""
    whitened: Array
    """Lᵀ c_g / w_g, shape (n_groups, width)."""
    coefficients: Array
    """c_g, shape (n_groups, width)."""
    misfit: float
    """Largest |Σ A c − b|."""

    @property
    def rates(self) -> Array:
        """s_g / w_g, the same for all groups with a share at the optimum, Hartree."""
        return np.asarray(np.linalg.norm(self.whitened, axis=1))

    @property
    def deviations(self) -> Array:
        """s_g, shape (n_groups,), Hartree."""
        return np.asarray(self.shares * self.rates)

    @property
    def spread(self) -> float:
        """(Σ_g s_g)², Hartree²."""
        return float(self.deviations.sum()) ** 2

    @property
    def lower_bound(self) -> float:
        """No coefficients in these frames give less than this, Hartree²: Lagrange's dual."""
        highest = float(self.rates.max(initial=0.0))
        return (self.value / highest) ** 2 if highest > 0 else 0.0

    @property
    def improved_shares(self) -> Array:
        """Shares in proportion to the deviations."""
        total = self.deviations.sum()
        return np.asarray(self.deviations / total) if total > 0 else self.shares


def design(columns: Sequence[Array], covariances: Sequence[Array], target: Array) -> Design:
    """Prepare the convex problem.

    Args:
        columns: A_g, shape (n_coordinates, width).
        covariances: G_g, symmetric positive definite, shape (width, width).
        target: b, shape (n_coordinates,).
    """
    width = covariances[0].shape[0]
    roots = np.empty((len(columns), width, width))
    whitened = np.empty((len(columns) * width, len(target)))
    for group, (column, covariance) in enumerate(zip(columns, covariances, strict=True)):
        roots[group] = linalg.cholesky(covariance, lower=True, check_finite=False)
        whitened[group * width : (group + 1) * width] = linalg.solve_triangular(
            roots[group], column.T, lower=True, check_finite=False
        )
    return Design(whitened=whitened, roots=roots, target=target)


def solve(problem: Design, shares: Array) -> Solution:
    """Return the cheapest coefficients when shots are distributed by `shares`."""
    width = problem.roots.shape[1]
    weights = np.repeat(shares, width)
    scaled = problem.whitened * np.sqrt(weights)[:, None]
    normal = linalg.blas.dsyrk(1.0, scaled.T, lower=1)
    factor = _cholesky(normal)
    multiplier = linalg.cho_solve(factor, problem.target, check_finite=False)
    for step in range(REFINEMENTS + 1):
        whitened = problem.whitened @ multiplier
        misfit = problem.target - (weights * whitened) @ problem.whitened
        if step < REFINEMENTS:
            multiplier += linalg.cho_solve(factor, misfit, check_finite=False)
    whitened = whitened.reshape(problem.n_groups, width)
    coefficients = np.empty(whitened.shape)
    for group, root in enumerate(problem.roots):
        coefficients[group] = shares[group] * linalg.solve_triangular(
            root, whitened[group], lower=True, trans=1, check_finite=False
        )
    return Solution(
        value=float(shares @ np.sum(whitened**2, axis=1)),
        shares=np.array(shares),
        whitened=whitened,
        coefficients=coefficients,
        misfit=float(np.abs(misfit).max(initial=0.0)),
    )


def _cholesky(matrix: Array) -> tuple[Array, bool]:
    """Factor a symmetric matrix, lower half given, that may be singular to rounding."""
    diagonal = np.diag_indices(len(matrix))
    scale = float(np.mean(matrix[diagonal])) if len(matrix) else 0.0
    for ridge in RIDGES:
        attempt = matrix.copy(order="F")
        attempt[diagonal] += ridge * scale
        try:
            return linalg.cho_factor(attempt, lower=True, overwrite_a=True, check_finite=False)
        except linalg.LinAlgError:
            continue
    attempt = matrix.copy(order="F")
    attempt[diagonal] += scale
    return linalg.cho_factor(attempt, lower=True, overwrite_a=True, check_finite=False)
