# SPDX-License-Identifier: Apache-2.0
"""Groups as operators on Fock space, through OpenFermion's sparse matrices."""

import numpy as np
import pytest
from openfermion import FermionOperator, get_sparse_operator
from scipy.sparse import csc_matrix

from qlowrank.factorization import CholeskyGauge, EigenGauge, double_factorize
from qlowrank.hamiltonian import from_example
from qlowrank.measurement import plain_groups, plan_measurement
from qlowrank.states import cisd_state, fci_state, hartree_fock_state

EPS = np.finfo(float).eps
SYSTEMS = ["h2", "h3", "h4"]


@pytest.fixture(scope="module")
def hamiltonian(system):
    """A function from a name to a Hamiltonian on at most 8 qubits."""

    def make(name):
        if name == "h4":
            return from_example("h10", active=(4, 4))  # an active space with a frozen core
        return system(name).hamiltonian

    return make


def rotated_modes(group):
    """ñ_kσ of a group's frame in OpenFermion's order of modes α0 β0 α1 β1 …, (2, norb)."""
    norb = group.norb
    numbers = np.empty((2, norb), dtype=object)
    for spin in (0, 1):
        for k, column in enumerate(group.frame.T):
            creator = sum(
                (FermionOperator(((2 * p + spin, 1),), c) for p, c in enumerate(column)),
                FermionOperator(),
            )
            annihilator = sum(
                (FermionOperator(((2 * p + spin, 0),), c) for p, c in enumerate(column)),
                FermionOperator(),
            )
            numbers[spin, k] = get_sparse_operator(creator * annihilator, n_qubits=2 * norb)
    return numbers


def matrix_of(group):
    """F = Σ a ñ + ½ Σ S ññ (same spin) + Σ O ññ (opposite spin)."""
    norb = group.norb
    alpha, beta = rotated_modes(group)
    total = csc_matrix((4**norb, 4**norb), dtype=complex)
    for k in range(norb):
        total += group.linear[k] * (alpha[k] + beta[k])
        for m in range(norb):
            same = alpha[k] @ alpha[m] + beta[k] @ beta[m]
            total += group.same_spin[k, m] / 2 * same
            total += group.opposite_spin[k, m] * (alpha[k] @ beta[m])
    return total


def ground_state(matrix, hamiltonian):
    """Lowest state of the sector (n_alpha, n_beta), by dense diagonalisation."""
    norb = hamiltonian.norb
    bits = np.arange(4**norb)[:, None] >> np.arange(2 * norb)[::-1] & 1  # mode 0 is the highest
    sector = (bits[:, ::2].sum(axis=1) == hamiltonian.nelec[0]) & (
        bits[:, 1::2].sum(axis=1) == hamiltonian.nelec[1]
    )
    inside = np.flatnonzero(sector)
    _, vectors = np.linalg.eigh(matrix.toarray()[np.ix_(inside, inside)])
    vector = np.zeros(4**norb)
    vector[inside] = vectors[:, 0].real
    return vector


@pytest.mark.parametrize("gauge", [CholeskyGauge(), EigenGauge()])
@pytest.mark.parametrize("name", SYSTEMS)
def test_groups_add_up_to_the_hamiltonian(name, gauge, hamiltonian):
    """On all of Fock space, not the electrons' sector alone."""
    whole = hamiltonian(name)
    groups = plain_groups(double_factorize(whole, gauge=gauge))

    total = sum(matrix_of(group) for group in groups)
    total = total + whole.constant * csc_matrix(np.eye(4**whole.norb))

    expected = get_sparse_operator(whole.to_openfermion(), n_qubits=2 * whole.norb)
    # norb⁴ terms for each group, of the size of the operator.
    size = np.abs(expected.toarray()).max()
    assert np.abs((total - expected).toarray()).max() <= (
        16 * len(groups) * whole.norb**2 * EPS * size
    )


@pytest.mark.parametrize("name", SYSTEMS)
def test_variance_of_every_group(name, hamiltonian):
    """⟨F²⟩ − ⟨F⟩² of the plan, group by group, for the exact ground state."""
    whole = hamiltonian(name)
    plan = plan_measurement(double_factorize(whole), fci_state(whole))
    dense = get_sparse_operator(whole.to_openfermion(), n_qubits=2 * whole.norb)
    vector = ground_state(dense, whole)

    for group, mean, variance in zip(plan.groups, plan.pricing.means, plan.variances, strict=True):
        image = matrix_of(group) @ vector
        expected = np.vdot(vector, image).real
        # A Davidson residual of 3e-7 over gaps of a tenth of a Hartree, times the operator.
        assert mean == pytest.approx(expected, abs=1e-5)
        spread = np.linalg.norm(image - expected * vector) ** 2
        assert variance == pytest.approx(spread, rel=1e-4, abs=1e-5)
    assert plan.predicted_energy == pytest.approx(np.vdot(vector, dense @ vector).real, abs=1e-10)


@pytest.mark.parametrize("state_of", [hartree_fock_state, cisd_state, fci_state])
@pytest.mark.parametrize("name", SYSTEMS)
def test_means_add_up_to_the_energy(name, state_of, hamiltonian):
    whole = hamiltonian(name)
    state = state_of(whole)
    plan = plan_measurement(double_factorize(whole), state)
    assert plan.predicted_energy == pytest.approx(state.energy, abs=1e-9)


def test_first_group_is_the_one_body_part(system):
    factorization = system("h3").factorization
    first, *squares = plain_groups(factorization)
    rebuilt = (first.frame * first.linear) @ first.frame.T
    size = np.abs(factorization.one_body).max()
    np.testing.assert_allclose(rebuilt, factorization.one_body, rtol=0, atol=16 * 3 * EPS * size)
    assert not first.same_spin.any()
    assert not first.opposite_spin.any()
    assert len(squares) == factorization.n_leaves
    for group, leaf, core in zip(squares, factorization.leaves, factorization.cores, strict=True):
        assert (group.frame == leaf).all()
        assert (group.same_spin == core).all()
        assert (group.opposite_spin == core).all()
