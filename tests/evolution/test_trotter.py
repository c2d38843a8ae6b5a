# SPDX-License-Identifier: Apache-2.0
"""Trotter circuits of factorized Hamiltonians against exact evolution and against ffsim."""

import ffsim
import numpy as np
import pytest
from qiskit.quantum_info import Statevector
from scipy.linalg import expm

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.circuits import circuit_cost

EPS = np.finfo(float).eps


def random_molecule(rng, norb, rank, nelec):
    """Integrals of no molecule, with everything a molecule's have."""
    one_body = rng.standard_normal((norb, norb))
    factors = rng.standard_normal((rank, norb, norb)) / 2
    factors = factors + factors.transpose(0, 2, 1)
    two_body = np.einsum("tpq,trs->pqrs", factors, factors)
    return ql.from_integrals(0.7, one_body + one_body.T, two_body, nelec, tolerance=0)


def as_ffsim(factorization):
    return ffsim.DoubleFactorizedHamiltonian(
        one_body_tensor=factorization.one_body,
        diag_coulomb_mats=factorization.cores,
        orbital_rotations=factorization.leaves,
        constant=factorization.constant,
    )


def evolved(circuit, vector, norb, nelec):
    start = Statevector(ffsim.qiskit.ffsim_vec_to_qiskit_vec(vector, norb, nelec))
    return ffsim.qiskit.qiskit_vec_to_ffsim_vec(start.evolve(circuit).data, norb, nelec)


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize(("norb", "nelec"), [(2, (1, 1)), (3, (2, 1)), (4, (1, 3))])
def test_same_as_ffsim(rng, norb, nelec, order):
    factorization = ql.double_factorize(random_molecule(rng, norb, 3, nelec))
    vector = ffsim.random.random_state_vector(ffsim.dim(norb, nelec), seed=rng)
    circuit = ql.trotter_circuit(factorization, time=0.3, steps=2, order=order)
    expected = ffsim.simulate_trotter_double_factorized(
        vector,
        as_ffsim(factorization),
        0.3,
        norb=norb,
        nelec=nelec,
        n_steps=2,
        order=order // 2,  # ffsim counts 0 for the first order, k for the order 2k
    )
    # Each gate rounds by a few eps, on both sides; frames are orthogonal to some norb² eps, and
    # times of order 10 in energies of up to 100 Hartree enlarge that.
    bound = len(circuit.data) * 100 * EPS
    np.testing.assert_allclose(evolved(circuit, vector, norb, nelec), expected, rtol=0, atol=bound)


@pytest.mark.parametrize(("order", "time"), [(1, 2e-3), (2, 8e-3), (4, 3e-2)])
def test_error_falls_as_promised(rng, order, time):
    """One step against the exact exponential: halving it divides its error by 2^(order + 1)."""
    norb, nelec = 3, (2, 1)
    factorization = ql.double_factorize(random_molecule(rng, norb, 3, nelec))
    operator = ffsim.linear_operator(as_ffsim(factorization), norb=norb, nelec=nelec)
    dense = operator @ np.eye(ffsim.dim(norb, nelec), dtype=complex)
    vector = ffsim.random.random_state_vector(len(dense), seed=rng)

    def error(time):
        circuit = ql.trotter_circuit(factorization, time=time, order=order)
        return np.linalg.norm(
            evolved(circuit, vector, norb, nelec) - expm(-1j * time * dense) @ vector
        )

    slope = np.log2(error(time) / error(time / 2))
    # The term of the next order is smaller by time · energy: 0.1 to 0.5 of it at these times.
    assert slope == pytest.approx(order + 1, abs=0.4)


def test_many_steps_reach_the_exact_state():
    """Hydrogen, with its own integrals and its constant: phase and all."""
    hamiltonian = ql.from_example("h2")
    factorization = ql.double_factorize(hamiltonian)
    norb, nelec = hamiltonian.norb, hamiltonian.nelec
    operator = ffsim.linear_operator(as_ffsim(factorization), norb=norb, nelec=nelec)
    dense = operator @ np.eye(ffsim.dim(norb, nelec), dtype=complex)
    vector = ffsim.hartree_fock_state(norb, nelec)
    circuit = ql.trotter_circuit(factorization, time=1.0, steps=8, order=4)
    state = evolved(circuit, vector, norb, nelec)
    assert np.linalg.norm(state - expm(-1j * dense) @ vector) < 1e-6


def test_small_leaves_make_short_circuits():
    """Cut leaves know fewer orbitals, and rotate fewer."""
    hamiltonian = ql.from_example("water")
    whole = ql.double_factorize(hamiltonian)
    cut = ql.double_factorize(hamiltonian, tolerance=1e-3)
    assert cut.inner_ranks.sum() < whole.inner_ranks.sum()
    short, long = (
        circuit_cost(ql.trotter_circuit(factorization, time=0.1)).two_qubit_count
        for factorization in (cut, whole)
    )
    assert short < long


def test_first_order_costs_half_of_second():
    factorization = ql.double_factorize(ql.from_example("water"))
    first, second = (
        circuit_cost(ql.trotter_circuit(factorization, time=0.1, order=order)).two_qubit_count
        for order in (1, 2)
    )
    # But for the way home from the last leaf, and the layers in the middle and at the ends.
    assert 1.9 < second / first < 2.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"time": np.nan}, "time must be finite"),
        ({"time": 1.0, "steps": 0}, "steps must be at least 1"),
        ({"time": 1.0, "order": 3}, "order must be 1 or an even number"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        ql.trotter_circuit(ql.double_factorize(ql.from_example("h2")), **arguments)
