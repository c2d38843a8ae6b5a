# SPDX-License-Identifier: Apache-2.0
"""Repeated measurement experiments, drawn from the exact distribution of every group."""

from dataclasses import dataclass, field

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.measurement.plan import MeasurementPlan
from qlowrank.measurement.pricing import no_variances
from qlowrank.measurement.prior import moderated, prior_of
from qlowrank.states.fci import FCIState

COUNTS_AT_A_TIME = 2**22
"""Numbers of shots, one for every outcome of every repetition, that are held at a time."""


@dataclass(frozen=True, eq=False)
class SimulatedExperiments:
    """Outcomes of carrying a plan out many times."""

    energies: Array = field(metadata={"units": "hartree", "axes": "repetition"})
    """Energy each experiment reports, shape (repetitions,), Hartree."""
    standard_errors: Array = field(metadata={"units": "hartree", "axes": "repetition"})
    """Standard error each experiment reports for itself, shape (repetitions,), Hartree."""
    sample_standard_errors: Array = field(
        default_factory=no_variances, metadata={"units": "hartree", "axes": "repetition"}
    )
    """What each would report from its shots alone, shape (repetitions,), Hartree; by default the
    same."""

    def __post_init__(self) -> None:
        shape = np.shape(self.energies)
        if np.size(self.sample_standard_errors) == 0:
            object.__setattr__(self, "sample_standard_errors", self.standard_errors)
        for name in ("energies", "standard_errors", "sample_standard_errors"):
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))

    def __repr__(self) -> str:
        """Say how far the outcomes scatter."""
        return (
            f"SimulatedExperiments({len(self.energies)} repetitions, mean "
            f"{self.energies.mean():.6f} Hartree, scatter "
            f"{self.empirical_standard_error:.3g} Hartree)"
        )

    @property
    def empirical_standard_error(self) -> float:
        """Standard deviation of the reported energies, Hartree."""
        return float(self.energies.std(ddof=1))


def simulate_measurement(
    plan: MeasurementPlan, state: FCIState, *, repetitions: int, rng: np.random.Generator
) -> SimulatedExperiments:
    """Carry out a plan on a state, many times over, without noise.

    Every group's outcomes are drawn from the state's exact distribution in the group's frame, as
    many as the plan gives it shots.

    Args:
        plan: Groups and shots.
        state: The state being measured, as a full CI vector.
        repetitions: How many independent experiments, at least 2.
        rng: Source of all randomness.

    Raises:
        InputError: Another number of orbitals or electrons, or fewer than two repetitions.

    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.measurement import plan_measurement
    >>> from qlowrank.states import fci_state
    >>> hamiltonian = from_example("h2")
    >>> state = fci_state(hamiltonian)
    >>> plan = plan_measurement(double_factorize(hamiltonian), state, precision=1e-2)
    >>> runs = simulate_measurement(plan, state, repetitions=2000, rng=np.random.default_rng(1))
    >>> round(runs.empirical_standard_error / plan.precision, 1)
    1.0
    """
    if not isinstance(repetitions, int | np.integer) or repetitions < 2:
        raise InputError(f"repetitions must be an integer, at least 2; got {repetitions!r:.60}.")
    if state.norb != plan.norb or state.nelec != plan.nelec:
        raise InputError(
            f"The state has {state.norb} orbitals and nelec {state.nelec}; the plan has "
            f"{plan.norb} and {plan.nelec}. Measure a state of the plan's own sector."
        )
    alpha, beta = state.occupations()
    means = np.empty((repetitions, plan.n_groups))
    variances = np.empty((repetitions, plan.n_groups))
    for number, (group, shots) in enumerate(zip(plan.groups, plan.shots, strict=True)):
        values = group.values(alpha[:, None, :], beta[None, :, :]).ravel()
        probabilities = state.distribution(group.frame).ravel()
        means[:, number], variances[:, number] = draw_means(
            values, probabilities, int(shots), repetitions, rng
        )
    belief = prior_of(plan)(plan, means, np.ones(plan.n_groups))
    believed = moderated(belief, variances, plan.shots)
    return SimulatedExperiments(
        energies=plan.constant + means.sum(axis=1),
        standard_errors=np.sqrt(np.sum(believed / plan.shots, axis=1)),
        sample_standard_errors=np.sqrt(np.sum(variances / plan.shots, axis=1)),
    )


def draw_means(
    values: Array, probabilities: Array, shots: int, repetitions: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return sample means and unbiased sample variances of `shots` draws, one a repetition."""
    likely = probabilities > 0
    values, weights = values[likely], probabilities[likely] / probabilities[likely].sum()
    centre = float(weights @ values)
    deviations = values - centre
    moments = np.stack([deviations, deviations**2], axis=1)
    sums = np.empty((repetitions, 2))
    step = max(1, COUNTS_AT_A_TIME // len(weights))
    for start in range(0, repetitions, step):
        part = sums[start : start + step]
        part[:] = rng.multinomial(shots, weights, size=len(part)) @ moments
    means = sums[:, 0] / shots
    return centre + means, np.maximum(sums[:, 1] - shots * means**2, 0.0) / (shots - 1)
