# SPDX-License-Identifier: Apache-2.0
"""The error of hypercontraction as a function of its points alone."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from qlowrank.checks import Array
from qlowrank.factorization.compression.packing import packed_squares, unpacked
from qlowrank.factorization.compression.problem import Problem
from qlowrank.factorization.hypercontraction.aim import PLAIN, Aim, Aimed
from qlowrank.factorization.lbfgs import Function

RIDGE = 1e-10
"""Added to the diagonal of S: keeps the core small where points nearly coincide."""


@dataclass(frozen=True, eq=False)
class HypercontractionLandscape(Aimed):
    r"""Half the squared error, with the best core for every set of points.

    .. math:: f(x) = \min_\zeta \tfrac12 \Big\| V - \sum_{PQ} \zeta_{PQ}\,
              (x_P x_P^T) \otimes (x_Q x_Q^T) \Big\|^2
              = \tfrac12 \|V\|^2 - \tfrac12 \|Y^T S^{-1} Y\|^2

    with :math:`S_{PQ} = (x_P \cdot x_Q)^2`, :math:`Y_{Pm} = x_P^T v_m x_P` and the minimiser
    :math:`\zeta = C C^T`, :math:`C = S^{-1} Y`, which is positive semidefinite. In a sector the
    vectors lose their traces, and S loses 1/N. S has a small
    ridge, so that f is the error with each square given a tiny component of its own.
    """

    problem: Problem
    """For which integrals."""
    aim: Aim = PLAIN
    """Which errors count, and their weight."""

    @cached_property
    def _error(self) -> "_Fit":
        """The fit to all vectors."""
        return self._fit(self.problem)

    def _fit(self, problem: Problem) -> "_Fit":
        """Return the fit to what counts of the vectors."""
        return _Fit(self.aim.seen(problem), problem.norb, self.aim.overlap(problem))

    def error(self, place: Array) -> float:
        """Return half the squared error of the integrals, Hartree²."""
        return self._error.value(place)

    def core_root(self, place: Array) -> Array:
        """Return C, shape (n_points, rank), Hartree^½."""
        return self._error.solve(place)[1]

    def chart(
        self, place: Array, resolution: float
    ) -> tuple[Array, Function, Callable[[Array], Array]]:
        r"""Return the coordinates of a point, a function of coordinates, and the way back.

        Columns are moved by scaled steps and normalised. Moving x_P by dx moves the integrals by
        about :math:`2 |dx| \sqrt{(\zeta S \zeta)_{PP}}`, which is the scale.
        """
        fit = self._fit(self.problem.resolved(resolution))
        root = self.core_root(place)
        overlaps = (place.T @ place) ** 2 - self.aim.overlap(self.problem)
        lengths = np.einsum("pm,pm->p", root, root @ (root.T @ overlaps @ root))
        lengths = 2 * np.sqrt(np.maximum(lengths, 0.0))
        scale = 1 / np.hypot(lengths, 1e-3 * (lengths.max(initial=0.0) or 1.0))

        def back(x: Array) -> Array:
            columns = place + x.reshape(place.shape) * scale
            return np.asarray(columns / np.linalg.norm(columns, axis=0))

        def function(x: Array) -> tuple[float, Array]:
            columns = place + x.reshape(place.shape) * scale
            norms = np.linalg.norm(columns, axis=0)
            points = columns / norms
            value, slope = fit.slope(points)
            tangent = slope - points * np.einsum("np,np->p", points, slope)
            return self.aim.error * value, self.aim.error * (tangent * scale / norms).ravel()

        return np.zeros(place.size), function, back


class _Fit:
    """The fit to a set of vectors."""

    def __init__(self, vectors: Array, norb: int, overlap: float) -> None:
        self.vectors, self.norb, self.overlap = vectors, norb, overlap
        self.constant = float(np.sum((vectors @ vectors.T) ** 2)) / 2

    def solve(self, points: Array) -> tuple[Array, Array]:
        """Return Y and C = S⁻¹ Y."""
        targets = (self.vectors @ packed_squares(points)).T
        overlaps = (points.T @ points) ** 2 - self.overlap
        overlaps[np.diag_indices(len(overlaps))] += RIDGE
        factor = cho_factor(overlaps, lower=True, check_finite=False)
        return targets, np.asarray(cho_solve(factor, targets, check_finite=False))

    def value(self, points: Array) -> float:
        """Return f."""
        targets, root = self.solve(points)
        return max(self.constant - float(np.sum((targets.T @ root) ** 2)) / 2, 0.0)

    def slope(self, points: Array) -> tuple[float, Array]:
        """Return f and ∂f/∂x: −2⟨C E, dY⟩ + ⟨C E Cᵀ, dS⟩ with E = Yᵀ C."""
        targets, root = self.solve(points)
        inner = targets.T @ root
        value = self.constant - float(np.sum(inner**2)) / 2
        pulled = root @ inner
        matrices = unpacked(pulled @ self.vectors, self.norb)
        slope = -4 * np.matmul(matrices, points.T[:, :, None])[..., 0].T
        slope += 4 * points @ ((pulled @ root.T) * (points.T @ points))
        return max(value, 0.0), slope
