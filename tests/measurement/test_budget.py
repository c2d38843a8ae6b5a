# SPDX-License-Identifier: Apache-2.0
"""Truncation and shots under one precision: the bias is bounded, and the plan is the cheapest."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.measurement import (
    Bias,
    SectorBias,
    StateBias,
    allocate_shots,
    plan_measurement,
    plan_with_budget,
    simulate_measurement,
)
from qlowrank.measurement.truncation import without_leaves
from qlowrank.states import FCIState, cisd_state

EPS = np.finfo(float).eps


def energy(factorization, state):
    """Mean of the factorized Hamiltonian in a state."""
    groups = ql.measurement.plain_groups(factorization)
    return factorization.constant + sum(state.moments(group).mean for group in groups)


def random_state(norb, nelec, rng):
    vector = rng.standard_normal([comb(norb, n) for n in nelec])
    return FCIState(vector / np.linalg.norm(vector), norb, nelec, 0.0)


class Leaves:
    """Leaves alone, as far as a truncation looks at them."""

    def __init__(self, eigenvalues, nelec):
        self.eigenvalues = np.atleast_2d(eigenvalues)
        self.norb, self.nelec = self.eigenvalues.shape[1], nelec


@given(st.data())
def test_the_bound_of_a_leaf_is_attained(data):
    """½(L̂ − m)² − c over all determinants of the sector: its largest and smallest are ± the bound.

    The largest is attained at both ends; the smallest is −c itself where a determinant lies in the
    middle, and never less.
    """
    norb = data.draw(st.integers(1, 5))
    nelec = data.draw(st.tuples(st.integers(0, norb), st.integers(0, norb)))
    values = np.array(data.draw(st.lists(st.floats(-3, 3), min_size=norb, max_size=norb)))
    losses = SectorBias(inherited=0.0)(Leaves(values, nelec), None)
    alpha, beta = (
        np.array([sum(values[list(chosen)]) for chosen in combinations(range(norb), n)])
        for n in nelec
    )
    deviation = (np.add.outer(alpha, beta) - losses.centres) ** 2 / 2 - losses.corrections

    tolerance = 100 * EPS * max(1.0, np.abs(values).sum() ** 2)
    assert abs(deviation.max() - losses.bounds[0]) < tolerance
    assert deviation.min() > -losses.bounds[0] - tolerance


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_dropping_leaves_stays_within_the_bound(seed, system):
    """Any leaves, any state of the sector; electrons of the two spins differ in number."""
    rng, molecule = np.random.default_rng(seed), system("h3")
    factorization = molecule.factorization
    losses = SectorBias()(factorization, molecule.state)
    dropped = np.flatnonzero(rng.random(factorization.n_leaves) < 0.5)
    less = without_leaves(factorization, losses, dropped)
    state = random_state(3, (2, 1), rng)

    off = energy(less, state) - energy(factorization, state)
    assert abs(off) <= losses.bounds[dropped].sum() + 1e-12
    assert less.n_leaves == factorization.n_leaves - len(dropped)
    gap = np.einsum("tpq,trs->pqrs", factorization.factors(), factorization.factors())
    gap = gap - np.einsum("tpq,trs->pqrs", less.factors(), less.factors())
    tolerance = 1e-12
    assert np.abs(gap).max() <= less.status.max_abs_error + tolerance
    assert np.linalg.norm(gap) <= less.status.frobenius_error + tolerance
    singular = np.linalg.svd(gap.reshape(9, 9), compute_uv=False)
    assert singular.sum() <= less.status.trace_norm_error + tolerance


def test_bias_in_the_pricing_state(system, rng):
    """Nothing is off in the state itself; elsewhere d − b, which is never below −b."""
    molecule = system("lih")
    factorization, state = molecule.factorization, cisd_state(molecule.hamiltonian)
    losses = StateBias(inherited=0.0)(factorization, state)
    dropped = np.argsort(losses.bounds)[:8]
    less = without_leaves(factorization, losses, dropped)

    assert losses.scope == "cisd"
    # moments of tens of terms of a few Hartree
    assert abs(energy(less, state) - energy(factorization, state)) < 1e-11
    other = random_state(6, (2, 2), rng)
    d, none = 0.0, np.zeros((6, 6))
    for t in dropped:
        leaf, values = factorization.leaves[t], factorization.eigenvalues[t]
        moments = other.moments(ql.DiagonalOperator(leaf, values, none, none))
        d += (moments.variance + (moments.mean - losses.centres[t]) ** 2) / 2
    off = energy(factorization, other) - energy(less, other)
    assert off == pytest.approx(d - losses.bounds[dropped].sum(), abs=1e-11)
    assert off > -losses.bounds[dropped].sum()


@pytest.mark.parametrize("truncation", [SectorBias(), StateBias()])
@pytest.mark.parametrize("precision", [1.6e-3, 0.02])
def test_a_budgeted_plan(truncation, precision, system):
    """Bias and standard error make the precision; shots are those of what the bias leaves."""
    molecule = system("lih")
    plan = plan_with_budget(
        molecule.factorization, molecule.state, precision=precision, truncation=truncation
    )
    whole = plan_measurement(molecule.factorization, molecule.state, precision=precision)

    assert plan.precision == precision
    assert 0 < plan.bias.dropped == whole.n_groups - plan.n_groups
    assert 0 < plan.bias.bound < precision
    left = np.sqrt(precision**2 - plan.bias.bound**2)
    assert plan.bias.left_of(precision) == pytest.approx(left, rel=1e-14)
    shots = allocate_shots(plan.variances, plan.bias.left_of(precision))
    assert plan.shots.tolist() == shots.tolist()
    assert plan.predicted_error <= precision * (1 + 1e-12)
    assert plan.predicted_error == pytest.approx(precision, rel=0.01)
    assert plan.total_shots <= 1.01 * whole.total_shots
    assert plan.bias.scope == ("fci" if isinstance(truncation, StateBias) else "sector")
    assert abs(plan.predicted_energy - molecule.state.energy) <= plan.bias.bound + 1e-10


def test_no_truncation_is_cheaper(system):
    """Every number of dropped leaves tried: none beats what a few tries found by a hundredth."""
    molecule, precision = system("lih"), 0.02
    factorization, state = molecule.factorization, molecule.state
    plan = plan_with_budget(factorization, state, precision=precision, truncation=StateBias())
    losses = StateBias()(factorization, state)
    order = np.argsort(losses.bounds, kind="stable")
    totals = []
    for number in range(factorization.n_leaves):
        bias = losses.inherited + losses.bounds[order[:number]].sum()
        if bias < precision:
            less = without_leaves(factorization, losses, order[:number])
            left = Bias(bias).left_of(precision)
            totals.append(plan_measurement(less, state, precision=left).total_shots)

    assert len(totals) > 8
    # one hundredth for fewer circuits, one for tries between the shares
    assert min(totals) <= plan.total_shots <= 1.02 * min(totals)


def test_energies_err_by_the_precision_at_most(system, rng):
    """Root mean square error over 1000 experiments; a χ² of four standard deviations is allowed."""
    molecule, runs, precision = system("lih"), 1000, 0.02
    plan = plan_with_budget(molecule.factorization, molecule.state, precision=precision)
    found = simulate_measurement(plan, molecule.state, repetitions=runs, rng=rng)
    squares = np.mean((found.energies - molecule.state.energy) ** 2)
    assert squares <= precision**2 * (1 + 4 * np.sqrt(2 / runs))
    spread = found.empirical_standard_error / plan.bias.left_of(precision)
    assert abs(spread - 1) < 4 / np.sqrt(2 * (runs - 1)) + 0.01  # rounding shots up


@pytest.mark.parametrize(
    ("fragments", "truncation"),
    [
        (ql.FluidFragments(), SectorBias(shares=(0.0, 0.3))),
        (ql.ResplitFragments(), SectorBias(shares=(0.3,))),
        (ql.MeanFieldFragments(), StateBias(shares=(0.3,))),
    ],
)
def test_archives_verify_the_bias(fragments, truncation, system, tmp_path):
    """Plans of fewer leaves beside the whole factorization: as near as the bias says."""
    molecule = system("lih")
    plan = plan_with_budget(
        molecule.factorization,
        molecule.state,
        precision=0.02,
        fragments=fragments,
        truncation=truncation,
    )
    assert plan.bias.dropped > 0
    assert plan.fragments.method != "plain"
    path = tmp_path / "a.h5"
    ql.save(path, molecule.hamiltonian, molecule.factorization, molecule.state, plan)
    verification = ql.verify(path)
    assert verification.passed, verification.summary()


def test_a_precision_below_the_bias_is_refused(system):
    """No number of shots helps; the message says what can be reached."""
    molecule = system("lih")
    coarse = ql.double_factorize(molecule.hamiltonian, tolerance=0.01)
    bound = sum(coarse.nelec) * coarse.status.trace_norm_error
    assert bound > 1.6e-3
    message = rf"cannot be reached with any number of shots.*may be {bound:.3g} Hartree, and only"
    for truncation in (SectorBias(), StateBias()):
        with pytest.raises(InputError, match=message):
            plan_with_budget(coarse, molecule.state, truncation=truncation)
    plan = plan_with_budget(coarse, molecule.state, truncation=SectorBias(inherited=1e-4))
    assert plan.bias.bound >= 1e-4
    assert plan_with_budget(coarse, molecule.state, precision=2 * bound).bias.bound >= bound
    with pytest.raises(InputError, match="cannot be reached with any number of shots"):
        ql.measurement.MeasurementPlan(
            **{**vars_of(molecule.plan), "bias": Bias(molecule.plan.precision)}
        )


def vars_of(plan):
    """Fields of a plan."""
    names = ("groups", "constant", "nelec", "pricing", "shots", "precision", "fragments")
    return {name: getattr(plan, name) for name in names}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SectorBias(shares=()), "shares must be numbers from 0 to less than 1, one at le"),
        (lambda: StateBias(shares=(0.2, 1.0)), "shares must be numbers from 0 to less than 1"),
        (lambda: Bias(-1.0), "bound must be at least 0 Hartree; got -1"),
        (lambda: Bias(float("nan")), "bound must be finite; got nan"),
        (lambda: Bias(dropped=-1), "dropped must be at least 0; got -1"),
        (lambda: Bias(dropped=0.5), "dropped must be a whole number; got 0"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_negative_inheritance_is_refused(system):
    molecule = system("h2")
    truncation = SectorBias(inherited=-1e-3)
    with pytest.raises(InputError, match=r"inherited must be at least 0 Hartree; got -0\.001"):
        plan_with_budget(molecule.factorization, molecule.state, truncation=truncation)


def test_progress_counts_the_truncations(system):
    molecule, calls = system("lih"), []
    plan_with_budget(
        molecule.factorization,
        molecule.state,
        precision=0.02,
        truncation=SectorBias(shares=(0.0, 0.3)),
        progress=lambda *call: calls.append(call),
    )
    assert calls == [("truncations", 1, 2), ("truncations", 2, 2)]
