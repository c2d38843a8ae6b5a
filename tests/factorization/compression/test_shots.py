# SPDX-License-Identifier: Apache-2.0
"""Shots as an objective: its value is the plan's, its slope a quotient, and it lowers the plan."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.factorization.compression.coordinates import Coordinates
from qlowrank.factorization.compression.problem import Point, problem_of
from qlowrank.factorization.compression.start import random_frames
from qlowrank.states import DeterminantState, FCIState
from tests.molecules import mean_field
from tests.strategies import generators

EPS = np.finfo(float).eps


def posed(factorization):
    return problem_of(factorization.factors(), factorization.one_body, factorization.nelec)


def random_state(rng, norb, nelec, kind):
    if kind == "hf":
        return DeterminantState(random_frames(1, norb, rng)[0], nelec, 0.0)
    vector = rng.standard_normal([comb(norb, n) for n in nelec])
    return FCIState(vector / np.linalg.norm(vector), norb, nelec, 0.0)


@pytest.mark.parametrize("kind", ["hf", "fci"])
@pytest.mark.parametrize("sector", [True, False])
@settings(max_examples=10)
@given(rng=generators, norb=st.integers(2, 4), n_leaves=st.integers(1, 3))
def test_derivatives(kind, sector, rng, norb, n_leaves):
    """Fourth-order differences along a random direction, beside either error.

    Errors are step⁴ of fifth derivatives. Those of roots smoothed by 1, of variances of a hundred,
    stay below fifty times the value.
    """
    nelec = (int(rng.integers(1, norb)), int(rng.integers(0, norb)))
    factors = rng.standard_normal((norb, norb, norb))
    factors += factors.transpose(0, 2, 1)
    one_body = rng.standard_normal((norb, norb))
    problem = problem_of(factors, one_body + one_body.T, nelec)
    problem = problem.sector() if sector else problem
    cores = rng.standard_normal((n_leaves, norb, norb))
    point = Point(random_frames(n_leaves, norb, rng), cores + cores.transpose(0, 2, 1))
    function = ql.ShotCost(random_state(rng, norb, nelec, kind), smoothing=1.0).prepare(problem)
    here = Coordinates(point)
    x = here.start()
    direction = rng.standard_normal(len(x))
    direction /= np.linalg.norm(direction)

    def at(distance):
        place, pullback = here.point_and_pullback(x + distance * direction)
        slope = function(place)
        return slope.value, pullback(slope) @ direction

    step = 1e-3  # coordinates are of length one a Hartree
    quotients = [(at(d)[0] - at(-d)[0]) / (2 * d) for d in (step, 2 * step)]
    value, slope = at(0.0)
    allowed = 50 * step**4 * value + 1e3 * EPS * value / step
    assert value > 1e-3
    assert abs((4 * quotients[0] - quotients[1]) / 3 - slope) <= allowed


@pytest.mark.parametrize("error", [ql.FrobeniusError(), ql.SectorError()], ids=["all", "sector"])
@pytest.mark.parametrize("kind", ["hf", "cisd", "fci"])
def test_the_value_is_what_the_plan_predicts(error, kind):
    """For the same leaves, to a share of the smoothing; the last entry of the history is it."""
    hamiltonian = ql.from_pyscf(mean_field("lih"))
    make = {"hf": ql.hartree_fock_state, "cisd": ql.cisd_state, "fci": ql.fci_state}[kind]
    state = make(hamiltonian)
    cost = ql.ShotCost(state, smoothing=1e-7)
    explicit = ql.double_factorize(hamiltonian)
    steps = ql.QuasiNewton(max_steps=25)
    weight = 1e-2
    aim = ql.WeightedSum((1.0, error), (weight, cost))
    fit = ql.compress(explicit, n_leaves=6, objective=aim, optimizer=steps)
    plan = ql.plan_measurement(fit, state, precision=1.0)
    problem = posed(explicit)
    problem = problem.sector() if aim.in_sector else problem
    point = Point(fit.leaves, fit.cores)
    value = cost.prepare(problem)(point).value
    # each of the seven roots is at most s too small: by 2 · 7 s sqrt(value) in the square
    assert value == pytest.approx(plan.epsilon2_shots, rel=1e-6, abs=1e-5)
    total = error.prepare(problem)(point).value + weight * value
    assert fit.optimizer.history[-1] == pytest.approx(total, rel=1e-2)
    assert fit.optimizer.history[-1] < fit.optimizer.history[0]
    assert fit.optimizer.objective == f"1 × {error.name} + 0.01 × shots ({kind})"
    assert fit.optimizer.gradient_norm > 0


def test_a_chain_guides_as_its_vector_does():
    """An MPS that is full CI, in local orbitals, gives the value that full CI gives."""
    hamiltonian = ql.from_pyscf(mean_field("lih"))
    explicit = ql.double_factorize(hamiltonian)
    point = Point(explicit.leaves, explicit.cores)
    values = [
        ql.ShotCost(state).prepare(posed(explicit))(point).value
        for state in (ql.ground_state_mps(hamiltonian), ql.fci_state(hamiltonian))
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-5)


@pytest.mark.parametrize(("name", "n_leaves", "share"), [("lih", 6, 0.2), ("water", 7, 0.05)])
def test_fewer_shots_for_the_same_energy(name, n_leaves, share):
    """Against the fit alone, in the state itself; the fitted operator has the same energy."""
    hamiltonian = ql.from_pyscf(mean_field(name))
    state = ql.fci_state(hamiltonian)
    explicit = ql.double_factorize(hamiltonian)
    steps = ql.QuasiNewton(max_steps=100)
    alone = ql.compress(explicit, n_leaves=n_leaves, objective=ql.SectorError(), optimizer=steps)
    aim = ql.WeightedSum((1.0, ql.SectorError()), (1e-3, ql.ShotCost(state)))
    both = ql.compress(explicit, n_leaves=n_leaves, objective=aim, optimizer=steps)
    plans = [ql.plan_measurement(fit, state, precision=1.0) for fit in (alone, both)]
    before, after = (plan.epsilon2_shots for plan in plans)
    assert after < share * before
    plan = plans[1]
    mean = plan.constant + plan.pricing.means.sum()
    electrons = sum(hamiltonian.nelec)
    bound = electrons * both.status.trace_norm_error
    assert abs(mean - state.energy) <= bound
    assert both.status.frobenius_error < 0.1


def test_the_same_seed_gives_the_same_bytes():
    hamiltonian = ql.from_example("h2")
    explicit, state = ql.double_factorize(hamiltonian), ql.fci_state(hamiltonian)
    aim = ql.WeightedSum((1.0, ql.SectorError()), (1e-2, ql.ShotCost(state)))
    first, second = (
        ql.compress(explicit, n_leaves=2, objective=aim, start=ql.RandomLeaves(3)) for _ in range(2)
    )
    assert first.leaves.tobytes() == second.leaves.tobytes()
    assert first.optimizer.history.tobytes() == second.optimizer.history.tobytes()
    assert first.optimizer.seed == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: ql.ShotCost(None), r"needs a state with one_body_covariance and form_slope\(\)"),
        (lambda _: ql.ShotCost(FCIState), "needs a state"),
        (lambda state: ql.ShotCost(state, smoothing=0.0), "smoothing must be above 0"),
    ],
)
def test_costs_without_a_state(make, message):
    with pytest.raises(InputError, match=message):
        make(ql.fci_state(ql.from_example("h2")))


def test_a_state_of_something_else_and_no_error_to_fit():
    explicit = ql.double_factorize(ql.from_example("h2"))
    other = ql.hartree_fock_state(ql.from_example("water"))
    aim = ql.WeightedSum((1.0, ql.SectorError()), (1.0, ql.ShotCost(other)))
    with pytest.raises(InputError, match=r"has 7 orbitals and nelec=\(5, 5\), the factorization 2"):
        ql.compress(explicit, n_leaves=2, objective=aim)
    alone = ql.ShotCost(ql.hartree_fock_state(ql.from_example("h2")))
    with pytest.raises(InputError, match=r"'shots \(hf\)' holds no error of the integrals"):
        ql.compress(explicit, n_leaves=2, objective=alone)
