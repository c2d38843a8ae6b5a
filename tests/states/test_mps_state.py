# SPDX-License-Identifier: Apache-2.0
"""Matrix product states as sources of variances, against full CI."""

from dataclasses import replace

import numpy as np
import pytest
from pyscf.fci import addons

from qlowrank.checks import InputError
from qlowrank.factorization import double_factorize
from qlowrank.hamiltonian import DiagonalOperator
from qlowrank.measurement import FluidFragments, MeanFieldFragments, plan_measurement
from qlowrank.states import (
    ExactCI,
    FCIState,
    Fitting,
    GivenOrbitals,
    LocalOrbitals,
    fci_state,
    ground_state_mps,
    mps_state,
)

EXACT = Fitting(growth=4.0, tolerance=0.0, cutoff=0.0)
"""Nothing is cut off but what rounding hides: squared weights of 1e-16, so norms to 1e-8."""


def dense(state):
    """The same state as a CI vector in the Hamiltonian's orbitals."""
    vector = addons.transform_ci(state.mps.to_ci(), state.nelec, np.array(state.orbitals.T))
    return FCIState(vector=vector, norb=state.norb, nelec=state.nelec, energy=state.energy)


@pytest.mark.parametrize(
    ("norb", "nelec"),
    [(1, (1, 0)), (2, (1, 1)), (3, (2, 1)), (4, (2, 2)), (4, (4, 1)), (5, (2, 3))],
)
def test_moments_are_those_of_full_ci(rng, random_hamiltonian, random_operator, norb, nelec):
    """Operators with different forms for the two spins, in a state over other orbitals."""
    hamiltonian = random_hamiltonian(rng, norb, nelec)
    state = replace(ground_state_mps(hamiltonian), fitting=EXACT)
    exact = dense(state)
    assert (state.norb, state.nelec, state.label) == (norb, nelec, "mps")
    assert state.energy == pytest.approx(fci_state(hamiltonian).energy, abs=1e-9)
    for _ in range(3):
        operator = random_operator(rng, norb)
        ours, theirs = state.moments(operator), exact.moments(operator)
        size = max(1.0, theirs.variance, theirs.mean**2)
        assert ours.mean == pytest.approx(theirs.mean, abs=1e-10 * size)
        assert ours.variance == pytest.approx(theirs.variance, abs=1e-7 * size)
        assert state.fit_error(operator) < 1e-13


def test_one_body_operators_need_no_fit(rng, random_hamiltonian, random_operator):
    hamiltonian = random_hamiltonian(rng, 5, (3, 2))
    state = ground_state_mps(hamiltonian)
    operator = random_operator(rng, 5)
    nothing = np.zeros((5, 5))
    linear = DiagonalOperator(operator.frame, operator.linear, nothing, nothing)
    ours, theirs = state.moments(linear), dense(state).moments(linear)
    assert ours.variance == pytest.approx(theirs.variance, rel=1e-9)
    assert state.fit_error(linear) == 0.0
    still = DiagonalOperator(operator.frame, np.ones(5), nothing, nothing)  # counts electrons
    assert state.moments(still).mean == pytest.approx(5.0, abs=1e-12)
    assert state.moments(still).variance == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("fragments", [None, MeanFieldFragments(), FluidFragments()])
def test_plans_are_those_of_full_ci(chain, fragments):
    hamiltonian, _ = chain(4)
    factorization = double_factorize(hamiltonian)
    state = replace(ground_state_mps(hamiltonian), fitting=EXACT)
    plan = plan_measurement(factorization, state, fragments=fragments)
    exact = plan_measurement(factorization, fci_state(hamiltonian), fragments=fragments)
    assert plan.pricing.state == "mps"
    assert plan.epsilon2_shots == pytest.approx(exact.epsilon2_shots, rel=1e-4)
    np.testing.assert_allclose(plan.variances, exact.variances, atol=1e-6, rtol=1e-4)


def test_slopes_of_forms_are_those_of_full_ci(rng, random_hamiltonian, random_orbitals):
    """In other orbitals than the sites'; refused, with what to do, where no CI vector fits."""
    state = ground_state_mps(random_hamiltonian(rng, 4, (2, 1)), orbitals=LocalOrbitals())
    frame, core = random_orbitals(rng, 4), rng.standard_normal((4, 4))
    found, exact = (s.form_slope(frame, core + core.T) for s in (state, dense(state)))
    assert found.variance == pytest.approx(exact.variance, rel=1e-9)
    np.testing.assert_allclose(found.frame, exact.frame, atol=1e-8)
    np.testing.assert_allclose(found.core, exact.core, atol=1e-8)


def test_slopes_of_large_states_are_refused(rng, random_hamiltonian, monkeypatch):
    state = ground_state_mps(random_hamiltonian(rng, 3, (1, 1)))
    monkeypatch.setattr(mps_state, "DENSE_LIMIT", 8)
    with pytest.raises(InputError, match=r"Slopes of variances .* up to 8 .*hartree_fock_state"):
        state.form_slope(np.eye(3), np.eye(3))


def test_covariances_are_those_of_full_ci(rng, random_hamiltonian, random_orbitals):
    hamiltonian = random_hamiltonian(rng, 4, (2, 1))
    state = replace(ground_state_mps(hamiltonian), fitting=EXACT)
    exact = dense(state)
    np.testing.assert_allclose(state.one_body_covariance(), exact.one_body_covariance(), atol=1e-9)
    frame, values = random_orbitals(rng, 4), rng.standard_normal(4)
    np.testing.assert_allclose(
        state.square_covariances(frame, values),
        exact.square_covariances(frame, values),
        atol=1e-7,
    )


def test_small_bonds_err_by_what_they_discard(chain):
    """The energy of a cut state lies above, and the cut is in its record."""
    hamiltonian, _ = chain(6)
    exact = fci_state(hamiltonian).energy
    energies, weights = [], []
    for bond in (2, 6, 12, 64):
        state = ground_state_mps(hamiltonian, max_bond=bond)
        assert state.mps.max_bond_dimension <= bond
        energies.append(state.energy - exact)
        weights.append(float(state.convergence.discarded_weights[-1]))
    assert (np.diff(energies) < 0).all()
    assert (np.diff(weights) < 0).all()
    assert abs(energies[-1]) < 1e-10


def test_local_orbitals_help(chain):
    """At the same bond dimension, orbitals on atoms beat orbitals over all atoms."""
    hamiltonian, _ = chain(6)
    local, given = (
        ground_state_mps(hamiltonian, max_bond=12, orbitals=orbitals).energy
        for orbitals in (LocalOrbitals(), GivenOrbitals())
    )
    assert local < given - 1e-4


def test_refusals(rng, random_hamiltonian, random_operator):
    hamiltonian = random_hamiltonian(rng, 3, (1, 1))
    with pytest.raises(InputError, match="max_bond must be at least 1; got 0"):
        ground_state_mps(hamiltonian, max_bond=0, method=ExactCI())
    with pytest.raises(InputError, match="max_bond must be a whole number"):
        ground_state_mps(hamiltonian, max_bond=2.5)
    state = ground_state_mps(hamiltonian)
    with pytest.raises(InputError, match="The operator has 4 orbitals, the state 3"):
        state.moments(random_operator(rng, 4))
    with pytest.raises(InputError, match="orbitals must be orthogonal"):
        replace(state, orbitals=2 * np.eye(3))
    with pytest.raises(InputError, match="must have norm 1"):
        replace(state, mps=replace(state.mps, blocks=tuple(2 * b for b in state.mps.blocks)))
    with pytest.raises(InputError, match="growth must be above 0"):
        Fitting(growth=0.0)
    with pytest.raises(InputError, match="cutoff must be at least 0"):
        Fitting(cutoff=-1.0)
    with pytest.raises(InputError, match="tolerance must be at least 0"):
        Fitting(tolerance=-1.0)
