# SPDX-License-Identifier: Apache-2.0
"""What is believed of a group's variance besides what its shots have shown."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.measurement.estimate import EnergyEstimate
from qlowrank.measurement.plan import MeasurementPlan

MEASURED = "measured"
"""The `state` of a pricing that counts measured variances."""

DRAWS = 4096
"""Random outcomes that stand for all of a sector: averages over them err by 2 % or so."""


class VariancePrior(Protocol):
    """A frozen object: variances of all groups to draw sample variances towards."""

    @property
    def shots(self) -> float:
        """How many shots the belief is worth."""
        ...

    def __call__(self, plan: MeasurementPlan, estimate: EnergyEstimate) -> Array:
        """Return V⁰ of a shot that counts, shape (n_groups,), Hartree²."""
        ...


@dataclass(frozen=True, slots=True)
class PredictedPrior:
    """The variances that priced the plan, believed to a relative error of about sqrt(2 / shots).

    For a normal sample, a variance from n shots has the relative error sqrt(2/n): a prediction
    believed to a half is worth 8 shots.
    """

    shots: float = 8.0
    """ν, above 0."""

    def __post_init__(self) -> None:
        checks.positive("shots", self.shots)

    def __call__(self, plan: MeasurementPlan, estimate: EnergyEstimate) -> Array:
        """Return the plan's variances, of a shot that counts."""
        if plan.pricing.state == MEASURED:  # those are of a shot run, whether it counts or not
            run = estimate.shots + estimate.selection.discarded
            return np.asarray(plan.variances * estimate.shots / run)
        return plan.variances


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

    def __call__(self, plan: MeasurementPlan, estimate: EnergyEstimate) -> Array:
        """Return the mean squared distance of random outcomes of the sector from the means."""
        rng = np.random.default_rng(0)  # any sample of the sector will do; always the same
        ranks = rng.random((2, DRAWS, plan.norb)).argsort(axis=2).argsort(axis=2)
        alpha, beta = (rank < n for rank, n in zip(ranks, plan.nelec, strict=True))
        distances = [
            np.mean((group.values(alpha, beta) - mean) ** 2)
            for group, mean in zip(plan.groups, estimate.means, strict=True)
        ]
        return np.array(distances)
