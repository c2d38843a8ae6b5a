# SPDX-License-Identifier: Apache-2.0
"""What is believed of a group's variance besides what its shots have shown."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.measurement.plan import MeasurementPlan

MEASURED = "measured"
"""The `state` of a pricing that counts measured variances."""

CONTRADICTION = 4.0
"""Joint standard deviations between sample and belief, beyond which the belief loses weight."""


@dataclass(frozen=True, eq=False, slots=True)
class Belief:
    """Variances believed before a shot is seen, and how far they are believed."""

    variances: Array
    """V⁰ of a shot that counts, shape (..., n_groups), Hartree²."""
    shots: Array
    """ν, the shots each belief is worth, shape (n_groups,)."""
    error: float
    """Relative standard deviation of V⁰."""


class VariancePrior(Protocol):
    """A frozen object: variances of all groups to draw sample variances towards."""

    def __call__(self, plan: MeasurementPlan, means: Array, kept: Array) -> Belief:
        """Return the belief.

        Args:
            plan: What is measured.
            means: Sample means, shape (..., n_groups), Hartree.
            kept: Share of each group's shots that counts, shape (n_groups,).
        """
        ...


@dataclass(frozen=True, slots=True)
class PredictedPrior:
    r"""The variances that priced the plan, believed to a relative error τ = sqrt(2 / shots).

    A sample variance of m shots has the relative variance (κ − 1) / m, κ the kurtosis. Weights in
    proportion to the inverse squared errors make the belief worth

    .. math:: \nu_g = (\kappa_g - 1) / \tau^2

    shots: `shots` for a normal distribution, κ = 3, and many where rare outcomes hold the variance,
    which a few shots do not show (`plan.kurtoses`). By default τ = ½, and `shots` is 8.

    Source:
        The linear estimator of least squared error, known as H. Bühlmann's credibility, ASTIN
        Bulletin 4, 199 (1967).
    """

    shots: float = 8.0
    """Worth for a normal distribution, above 0."""

    def __post_init__(self) -> None:
        checks.positive("shots", self.shots)

    def __call__(self, plan: MeasurementPlan, means: Array, kept: Array) -> Belief:  # noqa: ARG002
        """Return the plan's variances, of a shot that counts."""
        variances = plan.variances
        if plan.pricing.state == MEASURED:  # those are of a shot run, whether it counts or not
            variances = np.asarray(variances * kept)
        worth = self.shots * (plan.kurtoses - 1) / 2
        return Belief(variances, worth, float(np.sqrt(2 / self.shots)))


@dataclass(frozen=True, slots=True)
class IgnorantPrior:
    r"""Nothing is believed but that an outcome not seen yet may come, any as likely as another.

    .. math:: V^0_g = \frac{1}{D} \sum_{x} \big(F_g(x) - \bar F_g\big)^2

    over the occupations x of the sector. With half a shot's weight (Jeffreys' prior of an event
    not seen), a group whose m shots all agreed is believed to have the variance V⁰/2m. It vanishes
    as shots come in, and costs shots where groups are much quieter than their operators look.
    """

    shots: float = 0.5
    """ν, above 0."""

    def __post_init__(self) -> None:
        checks.positive("shots", self.shots)

    def __call__(self, plan: MeasurementPlan, means: Array, kept: Array) -> Belief:
        """Return the mean squared distance of random outcomes of the sector from the means."""
        centres, variances = plan.sector_moments
        return Belief(
            variances=np.asarray(variances + (centres - means) ** 2),
            shots=np.full(len(kept), self.shots),
            error=float(np.sqrt(2 / self.shots)),
        )


def prior_of(plan: MeasurementPlan) -> VariancePrior:
    """Return `IgnorantPrior()` for a plan that a determinant priced, else `PredictedPrior()`.

    A determinant's variances are zero in whole groups, and nothing follows from that.
    """
    return IgnorantPrior() if plan.pricing.state == "hf" else PredictedPrior()


def moderated(belief: Belief, variances: Array, shots: np.ndarray) -> Array:
    r"""Return what to think of variances after some shots.

    .. math:: \tilde V_g = \frac{\nu_g V^0_g + (m_g - 1) s_g^2}{\nu_g + m_g - 1}

    Where the sample says so much more than V⁰ that it is a contradiction, z > 4 of their joint
    standard deviations :math:`\tau V^0 \sqrt{1 + \nu / m}`, ν is lowered by the factor (4 / z)⁴: a
    prediction that was wrong does not hold out against the data.

    Args:
        belief: V⁰, ν and τ.
        variances: s², unbiased, shape (..., n_groups).
        shots: m, shape (n_groups,).

    Source:
        G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 3, 3 (2004), for the weighted mean.
    """
    expected = belief.variances * belief.error * np.sqrt(1 + belief.shots / shots)
    surplus = np.maximum(variances - belief.variances, 0.0)
    calm = np.maximum(expected, surplus / CONTRADICTION)  # expected, where z is at most 4
    ratio = np.divide(expected, calm, out=np.ones(np.shape(calm)), where=calm > 0)
    worth, freedom = belief.shots * ratio**4, shots - 1
    return np.asarray((worth * belief.variances + freedom * variances) / (worth + freedom))
