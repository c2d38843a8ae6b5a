# SPDX-License-Identifier: Apache-2.0
"""Readout of Pauli groups against dense Pauli matrices, and sampling against exact variances."""

import numpy as np
import pytest
from qiskit.quantum_info import Operator, PauliList, SparsePauliOp, Statevector

import qlowrank as ql
from qlowrank import measurement as m
from qlowrank.circuits import circuit_cost
from qlowrank.measurement.pauli_groups import reordering_signs, strings_of
from qlowrank.measurement.pauli_readout import pauli_readout
from qlowrank.measurement.pauli_simulate import _qubit_vector, simulate_pauli_measurement

GROUPINGS = {
    "block": m.group_qubit_wise,
    "interleaved": lambda terms: m.group_qubit_wise(terms, spins="interleaved"),
    "commuting": m.group_fully_commuting,
}


@pytest.fixture(scope="module")
def triplet():
    """Three orbitals with (2, 1) electrons: a sector where signs and spins can go wrong."""
    rng = np.random.default_rng(3)
    one_body = rng.standard_normal((3, 3))
    factors = rng.standard_normal((4, 3, 3))
    factors = factors + factors.transpose(0, 2, 1)
    two_body = np.einsum("tpq,trs->pqrs", factors, factors)
    hamiltonian = ql.from_integrals(0.3, one_body + one_body.T, two_body, (2, 1))
    return hamiltonian, ql.fci_state(hamiltonian)


@pytest.mark.parametrize("name", GROUPINGS)
def test_circuits_make_their_groups_diagonal(triplet, name):
    """U G U† is diagonal, and its diagonal is what the readout says its outcomes are worth."""
    hamiltonian, _ = triplet
    groups = GROUPINGS[name](m.pauli_terms(hamiltonian))
    n_qubits = 6
    bits = (np.arange(2**n_qubits)[:, None] >> np.arange(n_qubits)) & 1
    for group in range(groups.n_groups):
        readout = pauli_readout(groups, group)
        x, z, coefficients = strings_of(groups, group)
        dense = SparsePauliOp(PauliList.from_symplectic(z, x), coefficients).to_matrix()
        unitary = Operator(readout.circuit).data
        rotated = unitary @ dense @ unitary.conj().T
        # products of a few Clifford gates and a sum of at most 64 strings: rounding only
        scale = 64 * np.finfo(float).eps * np.abs(coefficients).sum()
        assert np.abs(rotated - np.diag(readout.values(bits.astype(bool)))).max() <= scale


@pytest.mark.parametrize("name", GROUPINGS)
def test_qubit_vectors_have_the_energy_of_the_state(triplet, name):
    """Strings and vector are in one and the same order of the qubits, signs included."""
    hamiltonian, state = triplet
    terms = m.pauli_terms(hamiltonian)
    groups = GROUPINGS[name](terms)
    vector = Statevector(_qubit_vector(groups, state))
    energy = terms.constant
    for group in range(groups.n_groups):
        x, z, coefficients = strings_of(groups, group)
        operator = SparsePauliOp(PauliList.from_symplectic(z, x), coefficients)
        energy += vector.expectation_value(operator).real
    assert energy == pytest.approx(state.energy, abs=1e-10)


def test_qubit_wise_readouts_have_no_two_qubit_gates(triplet):
    groups = m.group_qubit_wise(m.pauli_terms(triplet[0]))
    for group in range(groups.n_groups):
        circuit = pauli_readout(groups, group).circuit
        assert circuit_cost(circuit).two_qubit_count == 0
        assert circuit.depth() <= 2


def test_reordering_signs_by_counting_swaps():
    """The sign of the permutation that sorts the occupied modes into the new order."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        alpha, beta = rng.integers(0, 2, size=(2, 5)).astype(bool)
        modes = [2 * p for p in np.flatnonzero(alpha)] + [2 * p + 1 for p in np.flatnonzero(beta)]
        swaps = sum(a > b for i, a in enumerate(modes) for b in modes[i + 1 :])
        assert reordering_signs(alpha, beta) == (-1) ** swaps


@pytest.mark.parametrize("name", GROUPINGS)
def test_sampled_means_and_errors_are_the_exact_ones(triplet, name, rng):
    """Chi-square over the repetitions, two-sided at 1e-6; the mean within 5 of its own errors."""
    from scipy.stats import chi2

    hamiltonian, state = triplet
    groups = GROUPINGS[name](m.pauli_terms(hamiltonian))
    variances = m.pauli_group_variances(groups, state).variances
    shots = m.allocate_shots(variances, precision=0.02)
    repetitions = 400
    runs = simulate_pauli_measurement(groups, shots, state, repetitions=repetitions, rng=rng)
    predicted = np.sqrt(np.sum(variances / shots))
    statistic = np.sum((runs.energies - runs.energies.mean()) ** 2) / predicted**2
    low, high = chi2.ppf([5e-7, 1 - 5e-7], repetitions - 1)
    assert low < statistic < high
    assert abs(runs.energies.mean() - state.energy) < 5 * predicted / np.sqrt(repetitions)


def test_bad_input(triplet, rng):
    hamiltonian, state = triplet
    groups = m.group_fully_commuting(m.pauli_terms(hamiltonian))
    shots = np.full(groups.n_groups, 10)
    other = ql.fci_state(ql.from_example("h2"))
    with pytest.raises(ql.InputError, match="group must be from 0"):
        pauli_readout(groups, groups.n_groups)
    for arguments, words in (
        ((groups, shots, other, 10), "Make the state from the same"),
        ((groups, shots, state, 1), "at least 2"),
        ((groups, shots[1:], state, 10), "shape"),
        ((groups, shots - 9, state, 10), "at least 2 shots"),
    ):
        with pytest.raises(ql.InputError, match=words):
            simulate_pauli_measurement(*arguments[:3], repetitions=arguments[3], rng=rng)
