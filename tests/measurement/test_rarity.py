# SPDX-License-Identifier: Apache-2.0
"""Rare outcomes: how they are foreseen, and error bars that hold where shots do not show them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.hamiltonian import DiagonalOperator
from qlowrank.measurement import MeasurementPlan, OptimizedFragments, Pricing, plan_measurement
from qlowrank.measurement.prior import Belief, moderated
from qlowrank.measurement.rarity import (
    estimated_kurtoses,
    sample_error_uncertainty,
    sector_moments,
    shots_for_own_error,
)
from qlowrank.report.summary import _measurement


def test_moments_over_a_sector_are_those_of_all_its_outcomes(system):
    """1024 draws, all outcomes as likely: five standard errors of a mean and of a variance."""
    molecule = system("h3")
    alpha, beta = molecule.state.occupations()

    means, variances = sector_moments(molecule.plan.groups, molecule.plan.nelec)

    for group, mean, variance in zip(molecule.plan.groups, means, variances, strict=True):
        values = group.values(alpha[:, None], beta[None]).ravel()
        assert abs(mean - values.mean()) <= 5 * values.std() / 32 + 1e-12
        spread = np.sqrt(np.mean((values - values.mean()) ** 4)) / 32
        assert abs(variance - values.var()) <= 6 * spread + 1e-12


def test_kurtosis_of_an_electron_that_is_rarely_elsewhere():
    """One electron, two orbitals, in the second with probability p: κ is exactly 1/(pq) − 3."""
    nothing = np.zeros((2, 2))
    group = DiagonalOperator(np.eye(2), np.array([0.0, 1.0]), nothing, nothing)
    for p in (0.3, 1e-2, 1e-4):
        exact = 1 / (p * (1 - p)) - 3
        plan = MeasurementPlan(
            groups=(group,),
            constant=0.0,
            nelec=(1, 0),
            pricing=Pricing("fci", np.array([p]), np.array([p * (1 - p)])),
            shots=np.array([100]),
            precision=0.1,
        )
        # Of the two outcomes one is at the distance 1 and the other at p: D is about a half.
        assert max(3.0, 0.4 * exact) <= plan.kurtoses[0] <= max(3.0, 0.6 * exact + 2)


def test_kurtoses_of_molecules_are_foreseen_where_outcomes_are_rare(system, outcomes):
    """Within a factor of sixteen where the exact one is above a hundred; at least 3 everywhere."""
    molecule = system("lih")
    method = OptimizedFragments(max_steps=10)
    plan = plan_measurement(molecule.factorization, molecule.state, fragments=method)
    rare = 0
    for group, variance, foreseen in zip(plan.groups, plan.variances, plan.kurtoses, strict=True):
        values, weights = outcomes(group, molecule.state)
        exact = weights @ (values - weights @ values) ** 4 / variance**2
        assert foreseen >= 3
        if exact > 100:
            rare += 1
            assert exact / 16 < foreseen < 16 * exact
    assert rare > plan.n_groups / 2


def test_groups_without_variance_have_no_kurtosis_that_matters():
    kurtoses = estimated_kurtoses(np.array([0.0, 0.0, 1.0]), np.array([0.0, 2.0, 2.0]))

    assert kurtoses[0] == kurtoses[2] == 3
    assert np.isfinite(kurtoses).all()
    shots = np.full(3, 5)
    assert sample_error_uncertainty(np.zeros(3), kurtoses, shots) == 0
    assert shots_for_own_error(np.zeros(3), kurtoses, shots, 0.1).tolist() == [5, 5, 5]


@settings(max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 6), relative=st.floats(0.05, 2))
def test_shots_for_an_own_error_are_enough_and_not_too_many(seed, count, relative):
    rng = np.random.default_rng(seed)
    variances = 10 ** rng.uniform(-8, 0, count)
    kurtoses = 3 + 10 ** rng.uniform(-1, 6, count)
    given_shots = rng.integers(2, 1000, count)

    shots = shots_for_own_error(variances, kurtoses, given_shots, relative)

    assert (shots >= given_shots).all()
    assert sample_error_uncertainty(variances, kurtoses, shots) <= relative
    added = shots > given_shots
    if added.any() and shots[added].min() >= 100:
        # A multiple smaller by a thousandth is not enough, and whole numbers change shots by a
        # hundredth at most; the uncertainty goes with a power of the shots of 2.5 at most.
        reached = sample_error_uncertainty(variances, kurtoses, shots)
        assert reached >= (1 - 2.5 * 0.011) * relative


def test_the_uncertainty_is_the_spread_of_sampled_errors(system, outcomes, rng):
    """To first order, with exact kurtoses and so many shots that squares of it do not count."""
    molecule = system("h2")
    exact = []
    for group in molecule.plan.groups:
        values, weights = outcomes(group, molecule.state)
        centred = values - weights @ values
        exact.append(weights @ centred**4 / (weights @ centred**2) ** 2)
    plan = molecule.plan
    shots = shots_for_own_error(plan.variances, np.array(exact), plan.shots, 0.02)
    plan = replace(plan, shots=shots)
    runs = ql.simulate_measurement(plan, molecule.state, repetitions=4000, rng=rng)

    found = runs.sample_standard_errors.std() / runs.sample_standard_errors.mean()

    # A standard deviation of 4000 numbers is known to 1.1 %; five of these.
    expected = sample_error_uncertainty(plan.variances, np.array(exact), shots)
    assert found == pytest.approx(expected, rel=0.06)


def test_error_bars_hold_where_the_shots_do_not_show_them(system):
    """Optimised LiH: a few hundred shots, of which most experiments see nothing rare."""
    molecule = system("lih")
    method = OptimizedFragments(max_steps=15)
    plan = plan_measurement(molecule.factorization, molecule.state, fragments=method)
    rng = np.random.default_rng(8)
    runs = ql.simulate_measurement(plan, molecule.state, repetitions=4000, rng=rng)
    promised = plan.predicted_standard_error

    assert plan.total_shots < 2000
    assert plan.sample_error_uncertainty > 1
    assert plan.shows_too_little
    assert "samples alone tell the error to" in repr(plan)
    assert any("rare outcomes" in text for _, text in _measurement(plan))
    assert np.median(runs.sample_standard_errors) < 0.6 * promised
    assert np.median(runs.standard_errors) == pytest.approx(promised, rel=0.03)
    # Chebyshev's bound holds at least for what is stated: 3 σ in 8 of 9 experiments.
    within = np.abs(runs.energies - molecule.state.energy) <= 3 * runs.standard_errors
    assert within.mean() > 8 / 9

    # With a thousand times the shots the data speak, and say the same.
    sure = plan.with_own_error_bar(0.2)
    assert sure.sample_error_uncertainty <= 0.2
    assert (sure.shots >= plan.shots).all()
    assert not sure.shows_too_little
    assert "samples alone" not in repr(sure)
    assert not any("rare outcomes" in text for _, text in _measurement(sure))
    runs = ql.simulate_measurement(sure, molecule.state, repetitions=200, rng=rng)
    true = sure.predicted_standard_error
    assert np.median(runs.sample_standard_errors) == pytest.approx(true, rel=0.3)


def test_beliefs_are_weighted_and_given_up_when_contradicted():
    belief = Belief(np.array([1.0, 1e-6, 0.0]), np.array([8.0, 4e6, 8.0]), 0.5)
    shots = np.array([101, 101, 101])

    calm = moderated(belief, np.array([0.5, 0.0, 0.0]), shots)
    np.testing.assert_allclose(calm, [(8 + 50) / 108, 4e6 * 1e-6 / (4e6 + 100), 0], rtol=1e-12)

    # Ten times what is plausible in the second group: z = 1 / (5e-7 sqrt(4e4)) = 1e4.
    loud = moderated(belief, np.array([1.0, 1.0, 1.0]), shots)
    np.testing.assert_allclose(loud[[1, 2]], 1.0, rtol=1e-6)
    stacked = moderated(belief, np.array([[0.5, 0.0, 0.0], [1.0, 1.0, 1.0]]), shots)
    np.testing.assert_array_equal(stacked, [calm, loud])


@settings(max_examples=100)
@given(st.floats(0, 1e3), st.floats(0, 1e3), st.floats(1e-3, 1e9), st.integers(2, 10**9))
def test_what_is_believed_lies_between_sample_and_prediction(sample, predicted, worth, shots):
    belief = Belief(np.array([predicted]), np.array([worth]), 0.5)

    (found,) = moderated(belief, np.array([sample]), np.array([shots]))

    slack = 1e-12 * max(sample, predicted)
    assert min(sample, predicted) - slack <= found <= max(sample, predicted) + slack


def test_bad_input(system):
    with pytest.raises(InputError, match="relative must be above 0; got 0"):
        system("h2").plan.with_own_error_bar(0)
