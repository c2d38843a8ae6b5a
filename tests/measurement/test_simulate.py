# SPDX-License-Identifier: Apache-2.0
"""Calibration: what a plan predicts is what repeated experiments show."""

from dataclasses import replace

import numpy as np
import pytest

from qlowrank.checks import InputError
from qlowrank.measurement import plan_measurement, simulate, simulate_measurement
from qlowrank.states import cisd_state, fci_state, hartree_fock_state

MOLECULES = {"h2": 2000, "h3": 2000, "lih": 1000, "water": 1000, "o2": 400, "n2": 300}
"""Repetitions; o2 is a triplet, (9, 7) electrons, n2 the active space (10, 8)."""


def assert_calibrated(runs, energy, standard_error):
    """Mean, spread and self-reported error agree with the exact ones within 5 standard errors.

    Sums over many shots are near normal: the mean of R energies has the standard error σ/√R, their
    standard deviation σ/√(2(R−1)). Five of these: one false alarm in two million.
    """
    repetitions = len(runs.energies)
    mean_error = standard_error / np.sqrt(repetitions)
    assert abs(runs.energies.mean() - energy) <= 5 * mean_error
    spread_error = standard_error / np.sqrt(2 * (repetitions - 1))
    assert abs(runs.empirical_standard_error - standard_error) <= 5 * spread_error
    squares = runs.standard_errors**2
    squares_error = squares.std(ddof=1) / np.sqrt(repetitions)
    assert abs(squares.mean() - standard_error**2) <= 5 * squares_error


@pytest.mark.parametrize(("name", "repetitions"), MOLECULES.items())
def test_predicted_standard_error_is_the_sampled_one(name, repetitions, system, rng):
    molecule = system(name)
    plan = molecule.plan

    runs = simulate_measurement(plan, molecule.state, repetitions=repetitions, rng=rng)

    assert_calibrated(runs, molecule.state.energy, plan.predicted_standard_error)
    # Thousands of shots a plan: rounding them up leaves the precision nearly reached.
    assert 0.9 * plan.precision < plan.predicted_standard_error <= plan.precision


@pytest.mark.parametrize("state_of", [hartree_fock_state, cisd_state])
def test_a_plan_priced_by_another_state(state_of, system, rng):
    """Shots from a proxy are unbiased still; the error is what the measured state's variances say.

    For water a Hartree-Fock price hardly misses; what counts is that nothing else does.
    """
    molecule = system("water")
    plan = plan_measurement(molecule.factorization, state_of(molecule.hamiltonian), precision=5e-3)
    true_variances = np.array([molecule.state.moments(group).variance for group in plan.groups])
    true_error = np.sqrt(np.sum(true_variances / plan.shots))

    runs = simulate_measurement(plan, molecule.state, repetitions=1000, rng=rng)

    assert_calibrated(runs, molecule.state.energy, true_error)


def test_few_shots_are_unbiased_too(system, rng):
    """Two shots a group: wide, far from normal, and still centred with unbiased variances."""
    molecule = system("h2")
    plan = replace(molecule.plan, shots=np.full(molecule.plan.n_groups, 2))
    exact = np.sum(plan.variances / plan.shots)
    runs = simulate_measurement(plan, molecule.state, repetitions=20_000, rng=rng)

    for sample, expected in (
        (runs.energies, molecule.state.energy),
        (runs.sample_standard_errors**2, exact),
        ((runs.energies - molecule.state.energy) ** 2, exact),
    ):
        assert abs(sample.mean() - expected) <= 5 * sample.std() / np.sqrt(len(sample))


def test_a_state_without_variance_is_measured_exactly(system, rng):
    """A full shell: every experiment returns the same energy, and says so."""
    molecule = system("h2")
    full = replace(molecule.hamiltonian, nelec=(2, 2))
    state = fci_state(full)
    plan = plan_measurement(replace(molecule.factorization, nelec=(2, 2)), state)
    assert plan.total_shots == 2 * plan.n_groups
    runs = simulate_measurement(plan, state, repetitions=3, rng=rng)
    # Sums of norb² terms of a few Hartree.
    np.testing.assert_allclose(runs.energies, state.energy, rtol=0, atol=1e-13)
    np.testing.assert_allclose(runs.standard_errors, 0, atol=1e-13)


def test_same_seed_same_bytes_in_any_portions(system, monkeypatch):
    """Counts are drawn in portions that fit in memory; their size changes nothing."""
    molecule = system("h3")

    def run():
        return simulate_measurement(
            molecule.plan, molecule.state, repetitions=50, rng=np.random.default_rng(7)
        )

    first = run()
    monkeypatch.setattr(simulate, "COUNTS_AT_A_TIME", 40)
    second = run()
    assert first.energies.tobytes() == second.energies.tobytes()
    assert first.standard_errors.tobytes() == second.standard_errors.tobytes()
    assert not first.energies.flags.writeable
    assert first.energies.shape == first.standard_errors.shape == (50,)


@pytest.mark.parametrize("repetitions", [1, 0, -3, 2.5, np.nan, "ten", None])
def test_bad_repetitions_are_refused(repetitions, system, rng):
    molecule = system("h2")
    with pytest.raises(InputError, match=f"an integer, at least 2; got {repetitions!r}"):
        simulate_measurement(molecule.plan, molecule.state, repetitions=repetitions, rng=rng)


def test_a_foreign_state_is_refused(system, rng):
    with pytest.raises(
        InputError, match=r"state has 3 orbitals and nelec \(2, 1\); the plan has 2 and \(1, 1\)"
    ):
        simulate_measurement(system("h2").plan, system("h3").state, repetitions=2, rng=rng)
    other = fci_state(replace(system("h3").hamiltonian, nelec=(1, 2)))
    with pytest.raises(InputError, match=r"nelec \(1, 2\).*Measure a state of the plan's own"):
        simulate_measurement(system("h3").plan, other, repetitions=2, rng=rng)
