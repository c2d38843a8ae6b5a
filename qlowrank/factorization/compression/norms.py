# SPDX-License-Identifier: Apache-2.0
"""One-norms and squares of the cores, smooth enough to be minimised beside the error."""

from dataclasses import dataclass

import numpy as np
from opt_einsum import contract
from scipy.optimize import brentq

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.factorization.compression.objective import Evaluate, Supplement
from qlowrank.factorization.compression.problem import Point, Problem, Slope

SMOOTHING = 1e-3
"""Hartree; what is smaller than this is treated as a square."""


@dataclass(frozen=True, slots=True)
class CoreSquares(Supplement):
    r"""Sum of squares of all core entries, :math:`\sum_t \|Z^t\|_F^2` (ridge, "L2"), Hartree².

    It keeps the large cores of opposite sign apart that otherwise cancel each other.

    Source:
        O. Oumarou et al., arXiv:2212.07957 (regularised compressed double factorization).
    """

    @property
    def name(self) -> str:
        """Name to report."""
        return "core squares"

    def prepare(self, problem: Problem) -> Evaluate:  # noqa: ARG002
        """Return the function of leaves and cores."""
        return lambda point: Slope(
            float(np.sum(point.cores**2)), np.zeros(point.leaves.shape), 2 * point.cores
        )


@dataclass(frozen=True, slots=True)
class CoreOneNorm(Supplement):
    r"""The two-body part of the one-norm ("L1"), Hartree.

    .. math:: \lambda_2 = \sum_t \Big( \tfrac12 \sum_{kl} |Z^t_{kl}|
                          - \tfrac14 \sum_k |Z^t_{kk}| \Big)

    smoothed by :math:`|x| \to \sqrt{x^2 + s^2} - s`.

    Source:
        O. Oumarou et al., arXiv:2212.07957 (regularised compressed double factorization).
    """

    smoothing: float = SMOOTHING
    """s, Hartree."""

    def __post_init__(self) -> None:
        checks.positive("smoothing", self.smoothing)

    @property
    def name(self) -> str:
        """Name to report."""
        return "core one-norm"

    def prepare(self, problem: Problem) -> Evaluate:
        """Return the function of leaves and cores."""
        weights = core_weights(problem.norb)

        def evaluate(point: Point) -> Slope:
            size, sign = smooth_size(point.cores, self.smoothing)
            return Slope(
                float(np.sum(weights * size)), np.zeros(point.leaves.shape), weights * sign
            )

        return evaluate


@dataclass(frozen=True, slots=True)
class OneNorm(Supplement):
    r"""The whole one-norm: the cores' part and that of the one-body part, Hartree.

    .. math:: \lambda = \sum_k |\mathrm{eig}_k(T')| + \lambda_2, \qquad
              T' = \kappa + \sum_t \sum_k \Big(\sum_l Z^t_{kl}\Big) u^t_k (u^t_k)^T

    smoothed as in `CoreOneNorm`. Beside `SectorError`, the one-body part is what a fixed number of
    electrons makes of it, and T' loses the multiple of the identity that lowers λ most.
    """

    smoothing: float = SMOOTHING
    """s, Hartree."""

    def __post_init__(self) -> None:
        checks.positive("smoothing", self.smoothing)

    @property
    def name(self) -> str:
        """Name to report."""
        return "one-norm"

    def prepare(self, problem: Problem) -> Evaluate:
        """Return the function of leaves and cores."""
        cores_part = CoreOneNorm(self.smoothing).prepare(problem)

        def evaluate(point: Point) -> Slope:
            slope = cores_part(point)
            size, pull = one_body_norm(problem, linear_part(point), self.smoothing)
            turned = pull @ point.leaves
            rows = np.einsum("tpk,tpk->tk", point.leaves, turned)
            return Slope(
                slope.value + size,
                2 * turned * point.cores.sum(axis=2)[:, None, :],
                slope.cores + (rows[:, :, None] + rows[:, None, :]) / 2,
            )

        return evaluate


def one_body_norm(problem: Problem, hidden: Array, smoothing: float) -> tuple[float, Array]:
    """Return the one-body part of the one-norm, smoothed, and its derivative by `hidden`.

    Args:
        problem: With κ, and with what becomes of `hidden` there.
        hidden: The one-body operator hidden in the two-body part, (norb, norb), Hartree.
        smoothing: Hartree.
    """
    energies, vectors = np.linalg.eigh(problem.one_body + problem.hidden * hidden)
    if problem.centred:
        energies = energies - _centre(energies, smoothing)
    size, sign = smooth_size(energies, smoothing)
    return float(size.sum()), np.asarray(problem.hidden * (vectors * sign) @ vectors.T)


def core_weights(norb: int) -> Array:
    """Return ½ beside and ¼ on the diagonal: what |Z_kl| counts in a one-norm."""
    return np.full((norb, norb), 0.5) - np.eye(norb) / 4


def linear_part(point: Point) -> Array:
    """Return Σ_t U diag(Z 1) Uᵀ: the one-body operator hidden in the squares, (norb, norb)."""
    rows = point.cores.sum(axis=2)
    return np.asarray(contract("tpk,tk,tqk->pq", point.leaves, rows, point.leaves))


def _centre(values: Array, smoothing: float) -> float:
    """Return the c that minimises Σ sqrt((x − c)² + s²): a smooth median."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return low
    return float(brentq(lambda c: smooth_size(values - c, smoothing)[1].sum(), low, high))


def smooth_size(values: Array, smoothing: float) -> tuple[Array, Array]:
    """Return sqrt(x² + s²) − s and its derivative."""
    root = np.hypot(values, smoothing)
    return root - smoothing, values / root
