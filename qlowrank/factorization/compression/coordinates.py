# SPDX-License-Identifier: Apache-2.0
"""Coordinates around a point in which every leaf alone is a round bowl."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from qlowrank.checks import Array
from qlowrank.factorization.compression.problem import Point, Slope

FLOOR = 0.06
"""Least length of a turn, as a share of ‖Z_t‖: pairs of equal core rows do not turn at all."""
LEAST = 1e-3
"""The same as a share of the largest ‖Z_t‖, for leaves that begin with nothing."""


@dataclass(frozen=True, eq=False)
class Coordinates:
    r"""Scaled angles and core entries around a point.

    .. math:: U_t = U^0_t (1 - A_t)^{-1} (1 + A_t), \qquad
              A_t = \tfrac12 \sum_{k<l} s^t_{kl} x^t_{kl} (e_k e_l^T - e_l e_k^T)

    is orthogonal for all x (Cayley). For one leaf alone the second derivatives of the squared
    error, residual apart, are known exactly: turning orbitals k and l moves the integrals by
    :math:`2 \|Z_{k\cdot} - Z_{l\cdot}\|` per radian, in directions orthogonal to each other and to
    those of the core entries. So :math:`s_{kl} = 1 / (2 \|Z_{k\cdot} - Z_{l\cdot}\|)`, with a
    floor, and core entries times √2 off the diagonal make each leaf's part the identity matrix;
    what is left to the quasi-Newton method is the overlap of leaves.
    """

    origin: Point
    """Where x = 0."""

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return len(self.origin.leaves)

    @property
    def norb(self) -> int:
        """Number of orbitals."""
        return self.origin.leaves.shape[-1]

    @cached_property
    def _turns(self) -> tuple[np.ndarray, np.ndarray]:
        """Pairs k < l."""
        return np.triu_indices(self.norb, 1)

    @cached_property
    def _entries(self) -> tuple[np.ndarray, np.ndarray]:
        """Pairs k ≤ l."""
        return np.triu_indices(self.norb)

    @cached_property
    def _entry_scale(self) -> Array:
        """√½ for core entries off the diagonal, which stand for two."""
        return np.where(self._entries[0] == self._entries[1], 1.0, np.sqrt(0.5))

    @cached_property
    def _turn_scale(self) -> Array:
        """Radians for a move of one Hartree, shape (n_leaves, n_turns)."""
        cores = self.origin.cores
        norms = np.linalg.norm(cores, axis=(1, 2))[:, None]
        largest = norms.max(initial=0.0) or 1.0
        k, ell = self._turns
        squared = 4 * np.sum((cores[:, k] - cores[:, ell]) ** 2, axis=2)
        return 1 / np.sqrt(squared + (FLOOR * norms) ** 2 + (LEAST * largest) ** 2)

    def start(self) -> Array:
        """Return the coordinates of the origin."""
        i, j = self._entries
        cores = self.origin.cores[:, i, j] / self._entry_scale
        return np.concatenate([np.zeros(self._turn_scale.size), cores.ravel()])

    def _half_turn(self, x: Array) -> tuple[Array, Array]:
        """Return A and (1 − A)⁻¹."""
        k, ell = self._turns
        angles = x[: self._turn_scale.size].reshape(self._turn_scale.shape) * self._turn_scale / 2
        generators = np.zeros(self.origin.leaves.shape)
        generators[:, k, ell] = angles
        generators[:, ell, k] = -angles
        return generators, np.asarray(np.linalg.inv(np.eye(self.norb) - generators))

    def point(self, x: Array) -> Point:
        """Return leaves and cores."""
        return self.point_and_pullback(x)[0]

    def point_and_pullback(self, x: Array) -> tuple[Point, Callable[[Slope], Array]]:
        """Return leaves and cores, and what turns their derivatives into those of x.

        dU = U⁰ (1 − A)⁻¹ 2dA (1 − A)⁻¹, so that ∂f/∂A, an antisymmetric matrix, is the
        antisymmetric part of 2 (1 − A)⁻ᵀ U⁰ᵀ (∂f/∂U) (1 − A)⁻ᵀ.
        """
        generators, inverse = self._half_turn(x)
        turn = inverse @ (np.eye(self.norb) + generators)
        back = inverse.transpose(0, 2, 1)

        def gradient(slope: Slope) -> Array:
            pulled = back @ self.origin.leaves.transpose(0, 2, 1) @ slope.leaves @ back
            k, ell = self._turns
            turns = (pulled[:, k, ell] - pulled[:, ell, k]) * self._turn_scale
            i, j = self._entries
            entries = slope.cores[:, i, j] / self._entry_scale  # twice √½ for two entries
            return np.concatenate([turns.ravel(), entries.ravel()])

        return Point(self.origin.leaves @ turn, self._cores(x)), gradient

    def _cores(self, x: Array) -> Array:
        """Return the cores."""
        i, j = self._entries
        entries = x[self._turn_scale.size :].reshape(self.n_leaves, -1) * self._entry_scale
        cores = np.empty(self.origin.cores.shape)
        cores[:, i, j] = entries
        cores[:, j, i] = entries
        return cores
