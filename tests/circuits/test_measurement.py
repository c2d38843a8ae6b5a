# SPDX-License-Identifier: Apache-2.0
"""The measurement circuit: bits are the frame's occupation numbers, in the frame's order."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorSampler
from qiskit.quantum_info import Operator, Statevector

from qlowrank.checks import InputError
from qlowrank.circuits import (
    determinant_circuit,
    measurement_circuit,
    two_qubit_count,
    two_qubit_depth,
)

EPS = np.finfo(float).eps


def unmeasured(circuit):
    return circuit.remove_final_measurements(inplace=False)


@pytest.mark.parametrize("norb", [1, 2, 3])
def test_rotated_creators_become_computational_ones(random_frame, creators, norb):
    r"""W ã†_kσ W† = ± a†_kσ, the sign the same for both spins."""
    frame = random_frame(norb)
    unitary = Operator(unmeasured(measurement_circuit(frame))).data
    up = np.array(creators(2 * norb)).reshape(2, norb, 4**norb, 4**norb)
    rotated = np.einsum("pk,spij->skij", frame, up)

    carried = np.einsum("ij,skjl,ml->skim", unitary, rotated, unitary.conj())

    signs = np.einsum("skij,skij->sk", carried.real, up) / (4**norb / 2)
    # Products of 4^norb terms of at most 1 each, twice.
    tolerance = 8 * 4**norb * EPS
    np.testing.assert_allclose(np.abs(signs), 1, rtol=0, atol=tolerance)
    np.testing.assert_allclose(signs[0], signs[1], rtol=0, atol=tolerance)
    np.testing.assert_allclose(carried, np.round(signs)[..., None, None] * up, atol=tolerance)


def test_bits_of_a_determinant_follow_the_minors(random_frame):
    """P(bits) is a squared minor of Uᵀ C for each spin: each bit, its order and its spin."""
    norb, nelec = 4, (3, 1)
    frame, orbitals = random_frame(norb), random_frame(norb)
    expected = np.zeros((2**norb, 2**norb))
    minors = [
        {
            sum(2**k for k in chosen): np.linalg.det((frame.T @ orbitals)[list(chosen), :n]) ** 2
            for chosen in combinations(range(norb), n)
        }
        for n in nelec
    ]
    for alpha, p_alpha in minors[0].items():
        for beta, p_beta in minors[1].items():
            expected[beta, alpha] = p_alpha * p_beta

    circuit = unmeasured(measurement_circuit(frame, determinant_circuit(orbitals, nelec)))

    # Two circuits of norb² gates, and minors of matrices of norm 1.
    np.testing.assert_allclose(
        Statevector(circuit).probabilities().reshape(2**norb, 2**norb),
        expected,
        rtol=0,
        atol=16 * norb**2 * EPS,
    )


def test_sampled_occupations_are_those_of_the_density_matrix(random_frame, rng):
    """End to end: <ñ_kσ> = (Uᵀ D_σ U)_kk, exact from probabilities, noisy from shots."""
    norb, nelec, shots = 3, (2, 1), 20_000
    frame, orbitals = random_frame(norb), random_frame(norb)
    expected = np.concatenate(
        [np.diag(frame.T @ orbitals[:, :n] @ orbitals[:, :n].T @ frame) for n in nelec]
    )
    circuit = measurement_circuit(frame, determinant_circuit(orbitals, nelec))

    bits = np.arange(4**norb)[:, None] >> np.arange(2 * norb) & 1
    exact = Statevector(unmeasured(circuit)).probabilities() @ bits
    result = StatevectorSampler(seed=rng).run([circuit], shots=shots).result()[0]
    sampled = result.data.meas.to_bool_array(order="little").mean(axis=0)

    # Two circuits of norb² gates, 4^norb probabilities summed.
    np.testing.assert_allclose(exact, expected, rtol=0, atol=16 * norb**2 * EPS)
    # Five standard errors of a frequency: one false alarm in 10^6 for each of six numbers.
    assert (np.abs(sampled - expected) <= 5 * np.sqrt(expected * (1 - expected) / shots)).all()
    key = next(iter(result.data.meas.get_counts()))
    assert (key[norb:].count("1"), key[:norb].count("1")) == nelec


def test_columns_keep_their_places():
    """A permuted frame costs swaps and answers in its own order: column 0 is orbital 2."""
    frame = np.eye(3)[:, [2, 0, 1]]
    circuit = measurement_circuit(frame, determinant_circuit(np.eye(3), (1, 2)))
    counts = StatevectorSampler().run([circuit], shots=1).result()[0].data.meas.get_counts()
    # alpha occupies orbital 0, column 1; beta occupies orbitals 0 and 1, columns 1 and 2.
    assert counts == {"110" + "010": 1}


@settings(deadline=None)
@given(norb=st.integers(1, 8), seed=st.integers(0, 2**32 - 1))
def test_depth_is_at_most_norb(norb, seed):
    frame = np.linalg.qr(np.random.default_rng(seed).standard_normal((norb, norb)))[0]
    circuit = measurement_circuit(frame)
    assert two_qubit_depth(circuit) <= norb
    assert two_qubit_count(circuit) == norb * (norb - 1)
    assert set(circuit.count_ops()) <= {"xx_plus_yy", "measure"}


@pytest.mark.parametrize("norb", [0, 1, 3])
def test_signs_and_identity_are_free(norb):
    for frame in (np.eye(norb), -np.eye(norb)):
        circuit = measurement_circuit(frame)
        assert set(circuit.count_ops()) <= {"measure"}
        assert [register.name for register in circuit.cregs] == ["meas"]
        assert circuit.num_clbits == circuit.num_qubits == 2 * norb


def test_preparation_comes_first_and_stays_as_it_was(random_frame):
    preparation = QuantumCircuit(4, global_phase=0.5)
    preparation.rx(Parameter("angle"), 0)
    copy = preparation.copy()

    circuit = measurement_circuit(random_frame(2), preparation)

    assert preparation == copy
    assert circuit.data[0].operation.name == "rx"
    assert [parameter.name for parameter in circuit.parameters] == ["angle"]
    assert circuit.global_phase == 0.5


@pytest.mark.parametrize(
    ("preparation", "message"),
    [
        (QuantumCircuit(3), "must act on 4 qubits.*it has 3.*before any transpilation"),
        (QuantumCircuit(4, 2), "no classical bits; it has 2.*remove_final_measurements"),
        ("h q[0];", "must be a qiskit.QuantumCircuit; got str"),
    ],
)
def test_bad_preparation_is_refused(preparation, message):
    with pytest.raises(InputError, match=message):
        measurement_circuit(np.eye(2), preparation)


def test_bad_frame_is_refused():
    with pytest.raises(InputError, match="frame must be orthogonal"):
        measurement_circuit(np.ones((2, 2)))
