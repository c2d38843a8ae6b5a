# SPDX-License-Identifier: Apache-2.0
"""Mixed factors: the same integrals, fewer shots, and what they cannot do."""

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.integrals.geometry import converge


@pytest.fixture(scope="module", params=[0, 1], ids=["H4", "H3"])
def case(request):
    """A ring of four hydrogen atoms, or three with a doublet and more orbitals."""
    atoms = [("H", (0.0, 0.0, 0.0)), ("H", (0.0, 0.0, 1.0)), ("H", (0.0, 1.1, 0.0))]
    atoms += [("H", (0.0, 1.0, 1.2))] * (1 - request.param)
    basis = ("sto-3g", "6-31g")[request.param]
    hamiltonian = ql.from_pyscf(converge(atoms, basis=basis))
    return hamiltonian, ql.double_factorize(hamiltonian), ql.cisd_state(hamiltonian)


def spread(fragments, state):
    return sum(np.sqrt(state.moments(group).variance) for group in fragments.groups) ** 2


def test_groups_are_the_hamiltonian_and_need_fewer_shots(case):
    hamiltonian, factorization, state = case
    exact = ql.fci_state(hamiltonian)
    calls = []

    mixed = ql.MixedFragments(max_steps=20)(factorization, state, lambda *call: calls.append(call))

    fluid = ql.FluidFragments()(factorization, state)
    assert len(mixed.groups) == len(fluid.groups) == factorization.n_leaves + 1
    image = mixed.constant * exact.vector
    for group in mixed.groups:
        image = image + exact._apply(group)
    # An eigenvector, to the square root of the solver's 1e-13 in the energy.
    np.testing.assert_allclose(image, exact.energy * exact.vector, atol=1e-6)
    assert spread(mixed, state) < 0.95 * spread(fluid, state)
    assert spread(mixed, exact) < spread(fluid, exact)
    assert calls[0] == ("mixing factors", 1, 40)
    assert all(done <= total for name, done, total in calls if name == "mixing factors")


def test_the_same_seed_gives_the_same_bytes():
    hamiltonian = ql.from_example("h2", basis="6-31g")
    factorization, state = ql.double_factorize(hamiltonian), ql.cisd_state(hamiltonian)
    one, two, other = (
        ql.MixedFragments(max_steps=2, seed=seed)(factorization, state) for seed in (1, 1, 2)
    )
    for first, second in zip(one.groups, two.groups, strict=True):
        np.testing.assert_array_equal(first.frame, second.frame)
        np.testing.assert_array_equal(first.linear, second.linear)
    assert not np.allclose(one.groups[1].frame, other.groups[1].frame)


def test_the_slope_of_the_objective_is_its_difference_quotient(case, rng):
    from qlowrank.measurement.fragments.mixed import _cayley, _evaluator

    _, factorization, state = case
    factors = factorization.factors()
    evaluate = _evaluator(factors, state, None, 1)
    direction = rng.standard_normal((len(factors),) * 2)
    direction -= direction.T
    point = _cayley(0.1 * direction.T)[1]
    _, towards = evaluate(point)
    ahead, behind = (evaluate(_cayley(s * direction)[1] @ point)[0] for s in (1e-4, -1e-4))
    # Central differences err by their step squared, and rounding over the step.
    expected = np.vdot(towards, direction @ point)
    assert (ahead - behind) / 2e-4 == pytest.approx(expected, rel=1e-5)


def test_plans_are_archived_and_verified(tmp_path):
    hamiltonian = ql.from_example("h2", basis="6-31g")
    factorization, state = ql.double_factorize(hamiltonian), ql.cisd_state(hamiltonian)
    plan = ql.plan_measurement(factorization, state, fragments=ql.MixedFragments(max_steps=2))
    ql.save(tmp_path / "a.h5", hamiltonian, factorization, state, plan)

    assert ql.load(tmp_path / "a.h5").plan.fragments.method == "mixed"
    assert ql.verify(tmp_path / "a.h5").passed


def test_one_leaf_has_nothing_to_mix():
    one_body, two_body = np.diag([-1.0, -0.5, 0.2]), np.zeros((3,) * 4)
    factor = np.array([[0.5, 0.1, 0.0], [0.1, 0.2, 0.1], [0.0, 0.1, 0.3]])
    two_body = np.einsum("pq,rs->pqrs", factor, factor)
    hamiltonian = ql.from_integrals(0.0, one_body, two_body, (1, 1))
    factorization, state = ql.double_factorize(hamiltonian), ql.cisd_state(hamiltonian)

    mixed, fluid = (m(factorization, state) for m in (ql.MixedFragments(), ql.FluidFragments()))

    assert mixed.status.method == "mixed"
    assert spread(mixed, state) == pytest.approx(spread(fluid, state))


def test_bad_input(case):
    hamiltonian, factorization, state = case
    for other in (ql.fci_state(hamiltonian), ql.hartree_fock_state(hamiltonian)):
        with pytest.raises(InputError, match=r"mixed for a CISD state; got the state .*Optimized"):
            ql.MixedFragments()(factorization, other)
    with pytest.raises(InputError, match="max_steps must be at least 1; got 0"):
        ql.MixedFragments(max_steps=0)
    with pytest.raises(InputError, match="They must be the same"):
        ql.plan_measurement(ql.double_factorize(ql.from_example("h2")), state)
