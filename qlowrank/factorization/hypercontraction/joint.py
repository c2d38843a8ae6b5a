# SPDX-License-Identifier: Apache-2.0
"""Error and one-norm of a hypercontraction as a function of its points and its core."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from qlowrank.checks import Array
from qlowrank.factorization.compression.norms import one_body_norm, smooth_size
from qlowrank.factorization.compression.packing import packed_squares, unpacked
from qlowrank.factorization.compression.problem import Problem
from qlowrank.factorization.hypercontraction.aim import Aim, Aimed
from qlowrank.factorization.lbfgs import Function

LEAST_RIDGE = 1e-8
"""Least ridge of the core's coordinates."""
LEAST_ENTRY = 1e-3
"""Hartree; least typical size of a core entry."""


@dataclass(frozen=True, eq=False, slots=True)
class Contraction:
    """Points and a core, or derivatives with respect to them."""

    points: Array
    """x, shape (norb, n_points), unit columns."""
    core: Array
    """ζ, shape (n_points, n_points), symmetric, Hartree."""


@dataclass(frozen=True, eq=False)
class JointLandscape(Aimed):
    r"""Error and one-norm together, of points and a core that is free.

    .. math:: f(x, \zeta) = \tfrac w2 \Big\| V - \sum_{PQ} \zeta_{PQ}\,
              (x_P x_P^T) \otimes (x_Q x_Q^T) \Big\|^2 + w_\lambda \Big( \sum_k |\mathrm{eig}_k T'|
              + \tfrac12 \sum_{PQ} |\zeta_{PQ}| \Big), \qquad
              T' = \kappa + \sum_P \Big( \sum_Q \zeta_{PQ} \Big) x_P x_P^T

    In a sector, vectors lose their traces and :math:`S_{PQ} = (x_P \cdot x_Q)^2` loses 1/N, as in
    `SectorError`. The core need not be positive semidefinite.
    """

    problem: Problem
    """For which integrals; of the sector, where only that counts."""
    aim: Aim
    """What is weighed against what."""

    @cached_property
    def _error(self) -> "_Error":
        """The error of all vectors."""
        return _Error(
            self.aim.seen(self.problem), self.problem.norb, self.aim.overlap(self.problem)
        )

    def error(self, place: Contraction) -> float:
        """Return half the squared error of the integrals, Hartree²."""
        return max(self._error(place)[0], 0.0)

    def chart(
        self, place: Contraction, resolution: float
    ) -> tuple[Array, Function, Callable[[Array], Contraction]]:
        """Return the coordinates of a point, a function of coordinates, and the way back."""
        overlap = self.aim.overlap(self.problem)
        error = _Error(self.aim.seen(self.problem.resolved(resolution)), self.problem.norb, overlap)
        coordinates = _Coordinates(place, overlap, self.aim)

        def function(x: Array) -> tuple[float, Array]:
            at, norms = coordinates.at(x)
            value, by_error = error(at)
            norm, by_norm = self._norm(at)
            total = self.aim.error * value + self.aim.norm * norm
            slope = Contraction(
                self.aim.error * by_error.points + self.aim.norm * by_norm.points,
                self.aim.error * by_error.core + self.aim.norm * by_norm.core,
            )
            return total, coordinates.gradient(slope, at.points, norms)

        return coordinates.start(), function, lambda x: coordinates.at(x)[0]

    def _norm(self, place: Contraction) -> tuple[float, Contraction]:
        """Return the smoothed one-norm and its derivatives."""
        points, core = place.points, place.core
        rows = core.sum(axis=1)
        size, pull = one_body_norm(self.problem, (points * rows) @ points.T, self.aim.smoothing)
        pulled = pull @ points
        by_rows = np.einsum("np,np->p", points, pulled)
        sizes, signs = smooth_size(core, self.aim.smoothing)
        by_core = signs / 2 + (by_rows[:, None] + by_rows) / 2
        return size + float(sizes.sum()) / 2, Contraction(2 * pulled * rows, by_core)


class _Error:
    """Half the squared error of points and core, and its derivatives."""

    def __init__(self, vectors: Array, norb: int, overlap: float) -> None:
        self.vectors, self.norb, self.overlap = vectors, norb, overlap
        self.constant = float(np.sum((vectors @ vectors.T) ** 2)) / 2

    def __call__(self, place: Contraction) -> tuple[float, Contraction]:
        """Return value and derivatives: SζS − YYᵀ, and −4 (ζY)_Pm v_m x_P + 4 (ζSζ ∘ xᵀx) x."""
        points, core = place.points, place.core
        targets = (self.vectors @ packed_squares(points)).T
        products = points.T @ points
        overlaps = products**2 - self.overlap
        weighted, through = core @ targets, core @ overlaps
        value = self.constant - float(np.sum(weighted * targets))
        value += float(np.sum(through * through.T)) / 2
        matrices = unpacked(weighted @ self.vectors, self.norb)
        by_points = -4 * np.matmul(matrices, points.T[:, :, None])[..., 0].T
        by_points += 4 * points @ ((through @ core) * products)
        return value, Contraction(by_points, overlaps @ through - targets @ targets.T)


class _Coordinates:
    r"""Scaled moves of the points, and a core in coordinates in which its error is round.

    With :math:`S + \rho = L L^T`, :math:`\zeta = L^{-T} \Omega L^{-1}`: the second derivative of
    the error by Ω is then near one. ρ is where the curvature of the one-norm, its weight over the
    size of an entry, takes over.
    """

    def __init__(self, place: Contraction, overlap: float, aim: Aim) -> None:
        self.place = place
        count = len(place.core)
        overlaps = (place.points.T @ place.points) ** 2 - overlap
        entry = max(float(np.abs(place.core).mean()), LEAST_ENTRY)
        ridge = float(np.sqrt(aim.norm / aim.error / (2 * entry))) + LEAST_RIDGE
        self.root = cholesky(overlaps + ridge * np.eye(count), lower=True)
        self.inverse = solve_triangular(self.root, np.eye(count), lower=True)
        lengths = np.einsum("pq,qp->p", place.core @ overlaps, place.core)
        lengths = 2 * np.sqrt(np.maximum(lengths, 0.0))
        self.scale = 1 / np.hypot(lengths, 1e-3 * (lengths.max(initial=0.0) or 1.0))
        self.entries = np.triu_indices(count)
        self.weights = np.where(self.entries[0] == self.entries[1], 1.0, np.sqrt(0.5))

    def start(self) -> Array:
        """Return the coordinates of the place itself."""
        inner = self.root.T @ self.place.core @ self.root
        return np.concatenate(
            [np.zeros(self.place.points.size), inner[self.entries] / self.weights]
        )

    def at(self, x: Array) -> tuple[Contraction, Array]:
        """Return points and core, and the norms that columns had."""
        shape = self.place.points.shape
        columns = self.place.points + x[: self.place.points.size].reshape(shape) * self.scale
        norms = np.linalg.norm(columns, axis=0)
        inner = np.zeros(self.place.core.shape)
        inner[self.entries] = x[self.place.points.size :] * self.weights
        inner = inner + np.triu(inner, 1).T
        core = self.inverse.T @ inner @ self.inverse
        return Contraction(columns / norms, (core + core.T) / 2), norms

    def gradient(self, slope: Contraction, points: Array, norms: Array) -> Array:
        """Return the derivatives by the coordinates."""
        along = np.einsum("np,np->p", points, slope.points)
        moves = (slope.points - points * along) * self.scale / norms
        by_inner = self.inverse @ slope.core @ self.inverse.T
        return np.concatenate([moves.ravel(), by_inner[self.entries] / self.weights])
