# SPDX-License-Identifier: Apache-2.0
r"""How rare the outcomes are that make up a group's variance, and what that does to error bars.

A sample variance of m shots has the relative variance (κ − 1) / m, with κ = μ₄ / V² the kurtosis.
Good groups have nearly no variance: the state is nearly an eigenstate, and an outcome seen once in
a thousand shots holds it all. For outcomes at a distance Δ from the mean that come with a
probability p ≪ 1, V = p Δ² and κ = 1 / p. So with D the mean of Δ² over the outcomes of the
sector, κ ≈ D / V; and at least 3, that of a normal distribution.
"""

from collections.abc import Sequence

import numpy as np

from qlowrank.checks import Array
from qlowrank.hamiltonian.diagonal import DiagonalOperator

DRAWS = 1024
"""Random outcomes that stand for all of a sector: averages over them err by 3 % or so. Stored
estimates are checked with these same draws: another number needs another schema version."""

NORMAL = 3.0
"""Kurtosis of a normal distribution."""

RAREST = 1e-12
"""Smallest V / D that is told from zero."""


def sector_moments(
    groups: Sequence[DiagonalOperator], nelec: tuple[int, int]
) -> tuple[Array, Array]:
    """Return means and variances of operators over random outcomes of a sector.

    Args:
        groups: The operators.
        nelec: (n_alpha, n_beta).

    Returns:
        Shapes (n_groups,), Hartree and Hartree².
    """
    norb = groups[0].norb
    rng = np.random.default_rng(0)  # any sample of the sector will do; always the same
    ranks = rng.random((2, DRAWS, norb)).argsort(axis=2).argsort(axis=2)
    alpha, beta = (rank < n for rank, n in zip(ranks, nelec, strict=True))
    means, variances = np.empty(len(groups)), np.empty(len(groups))
    for index, group in enumerate(groups):
        values = group.values(alpha, beta)
        means[index], variances[index] = values.mean(), values.var()
    return means, variances


def estimated_kurtoses(variances: Array, distances: Array) -> Array:
    """Return max(3, D / V) for every group.

    Args:
        variances: V in the state, Hartree².
        distances: D, mean squared distance of the sector's outcomes from the state's mean.
    """
    smallest = np.maximum(variances, RAREST * distances)
    ratios = np.divide(distances, smallest, out=np.zeros(len(distances)), where=smallest > 0)
    return np.maximum(ratios, NORMAL)


def sample_error_uncertainty(variances: Array, kurtoses: Array, shots: np.ndarray) -> float:
    r"""Return the relative standard deviation of a standard error that is taken from the shots.

    .. math:: \delta = \frac{\sqrt{\sum_g (\kappa_g - 1) V_g^2 / m_g^3}}{2 \sum_g V_g / m_g}

    Above one or so it is no standard deviation any more but a warning: most experiments then see
    none of the outcomes that matter, and state almost no error.
    """
    total = float(np.sum(variances / shots))
    if total == 0:
        return 0.0
    noise = np.sum((kurtoses - 1) * (variances / shots) ** 2 / shots)
    return float(np.sqrt(noise) / total / 2)


def shots_for_own_error(
    variances: Array, kurtoses: Array, shots: np.ndarray, relative: float
) -> np.ndarray:
    r"""Return the shots, none fewer than given, that show their own standard error.

    Shots beyond those given follow Lagrange's optimum for Σ (κ − 1) V² / m³, which is
    :math:`m_g \propto ((\kappa_g - 1) V_g^2)^{1/4}`; the least multiple of these is taken that
    brings `sample_error_uncertainty` to `relative`.

    Args:
        variances: V, Hartree².
        kurtoses: κ.
        shots: Integers, what a precision needs.
        relative: δ.
    """
    shape = ((kurtoses - 1) * variances**2) ** 0.25

    def at(scale: float) -> np.ndarray:
        return np.maximum(shots, np.ceil(scale * shape).astype(np.int64))

    def enough(scale: float) -> bool:
        return sample_error_uncertainty(variances, kurtoses, at(scale)) <= relative

    if enough(0.0):
        return np.array(shots)
    low, high = 0.0, 1 / float(shape.max())
    while not enough(high):
        low, high = high, 2 * high
    while high > 1.001 * low:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return at(high)
