# SPDX-License-Identifier: Apache-2.0
"""Amplitudes by auxiliary fields against the circuit they stand for."""

import ffsim
import numpy as np
import pytest
from qiskit.quantum_info import Statevector

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.evolution import sampled_amplitude


@pytest.mark.parametrize("order", [1, 2])
def test_mean_is_the_circuit_s_amplitude(rng, order):
    norb, nelec = 3, (2, 1)
    one_body = rng.standard_normal((norb, norb))
    factors = rng.standard_normal((2, norb, norb)) / 3
    factors = factors + factors.transpose(0, 2, 1)
    hamiltonian = ql.from_integrals(
        0.4,
        one_body + one_body.T,
        np.einsum("tpq,trs->pqrs", factors, factors),
        nelec,
        tolerance=0,
    )
    factorization = ql.double_factorize(hamiltonian)
    circuit = ql.trotter_circuit(factorization, time=0.1, steps=2, order=order)
    start = ffsim.qiskit.ffsim_vec_to_qiskit_vec(ffsim.hartree_fock_state(norb, nelec), norb, nelec)
    exact = np.vdot(start, Statevector(start).evolve(circuit).data)
    found = sampled_amplitude(factorization, time=0.1, steps=2, order=order, samples=2000, seed=7)
    assert found.standard_error < 0.05
    assert abs(found.value - exact) < 4 * found.standard_error


def test_no_leaves_need_no_samples():
    """Free electrons: every sample is the amplitude."""
    factorization = ql.double_factorize(
        ql.from_integrals(0.0, np.diag([-1.0, 0.5]), np.zeros((2,) * 4), (1, 1))
    )
    found = sampled_amplitude(factorization, time=0.3, samples=2, seed=0)
    assert found.value == pytest.approx(np.exp(0.6j), abs=1e-13)
    assert found.standard_error < 1e-13


def test_too_few_samples():
    factorization = ql.double_factorize(ql.from_example("h2"))
    with pytest.raises(InputError, match="samples must be at least 2; got 1"):
        sampled_amplitude(factorization, time=0.1, samples=1, seed=0)
