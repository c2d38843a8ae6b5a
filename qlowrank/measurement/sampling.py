# SPDX-License-Identifier: Apache-2.0
"""Counts that a perfect device would return, drawn from the exact distribution of every group."""

import numpy as np

from qlowrank.checks import InputError
from qlowrank.measurement.measurements import Measurements
from qlowrank.measurement.outcomes import Outcomes
from qlowrank.measurement.plan import MeasurementPlan
from qlowrank.states.fci import FCIState


def simulate_counts(
    plan: MeasurementPlan,
    state: FCIState,
    *,
    rng: np.random.Generator,
    measured: Measurements | None = None,
) -> Measurements:
    """Draw the shots that a plan still lacks from the state's exact distribution, without noise.

    No circuit is made: occupations of a group's rotated orbitals are drawn, also of those that it
    does not depend on. `simulate_measurement` is quicker where only energies are wanted.

    Args:
        plan: Groups and shots.
        state: The state being measured, as a full CI vector.
        rng: Source of all randomness.
        measured: What was measured before; nothing by default.

    Returns:
        What was measured before, and the new counts.

    Raises:
        InputError: Another number of orbitals or electrons, or counts of other circuits.

    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.measurement import plan_measurement
    >>> from qlowrank.states import fci_state
    >>> hamiltonian = from_example("h2")
    >>> state = fci_state(hamiltonian)
    >>> plan = plan_measurement(double_factorize(hamiltonian), state, precision=1e-2)
    >>> simulate_counts(plan, state, rng=np.random.default_rng(1))
    Measurements(4 groups, 1549 shots, 10 distinct outcomes)
    """
    if state.norb != plan.norb or state.nelec != plan.nelec:
        raise InputError(
            f"The state has {state.norb} orbitals and nelec {state.nelec}; the plan has "
            f"{plan.norb} and {plan.nelec}. Measure a state of the plan's own sector."
        )
    before = Measurements.empty(plan) if measured is None else measured
    alpha, beta = (occupations.astype(bool) for occupations in state.occupations())
    lacking = before.remaining(plan)
    groups = np.flatnonzero(lacking).tolist()
    found = []
    for group in groups:
        weights = state.distribution(plan.groups[group].frame)
        counts = rng.multinomial(int(lacking[group]), weights.ravel() / weights.sum())
        seen = np.flatnonzero(counts)
        rows, columns = np.unravel_index(seen, weights.shape)
        bits = np.hstack([alpha[rows], beta[columns]])
        found.append(Outcomes(None, None, bits, counts[seen].astype(np.int64)))
    return before.including(found, groups)
