# SPDX-License-Identifier: Apache-2.0
"""The measurement circuit: bits are the frame's occupation numbers, in the frame's order."""

from itertools import combinations

import ffsim
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorSampler
from qiskit.quantum_info import Operator, Statevector
from scipy.linalg import block_diag

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.circuits import (
    determinant_circuit,
    measurement_circuit,
    readout_circuit,
    readout_network,
    two_qubit_count,
    two_qubit_depth,
)
from qlowrank.circuits.elimination import NEGLIGIBLE
from qlowrank.measurement import plain_groups

EPS = np.finfo(float).eps


def haar(generator, norb):
    return np.linalg.qr(generator.standard_normal((norb, norb)))[0]


def bit_probabilities(circuit, start=None):
    """Exact distribution of the register `meas`, shape (2,) * bits, bit 0 first.

    `start` is the state before the circuit; None is all zeros.
    """
    qubit_of_bit = {}
    for instruction in circuit.data:
        if instruction.operation.name == "measure":
            bit = circuit.find_bit(instruction.clbits[0]).index
            qubit_of_bit[bit] = circuit.find_bit(instruction.qubits[0]).index
    n_bits = len(qubit_of_bit)
    gates = circuit.remove_final_measurements(inplace=False)
    state = Statevector.from_int(0, 2**n_bits) if start is None else Statevector(start)
    by_qubit = state.evolve(gates).probabilities().reshape((2,) * n_bits)
    # Qiskit's index counts qubit 0 as its lowest bit: it is the last axis.
    return by_qubit.transpose([n_bits - 1 - qubit_of_bit[bit] for bit in range(n_bits)])


def exact_distribution(vector, frame, nelec):
    """Occupations of the frame's columns by ffsim, shape (2,) * (2 norb), alpha first."""
    norb = len(frame)
    rotated = ffsim.apply_orbital_rotation(vector, frame.T, norb, nelec)
    flat = np.abs(ffsim.qiskit.ffsim_vec_to_qiskit_vec(rotated, norb, nelec)) ** 2
    return flat.reshape((2,) * (2 * norb)).transpose()


@pytest.mark.parametrize("norb", [1, 2, 3])
def test_rotated_creators_become_computational_ones(random_frame, creators, norb):
    r"""W ã†_kσ W† = ± a†_mσ on the qubit m that bit k is read from, the sign as for both spins."""
    frame = random_frame(norb)[:, ::-1]
    circuit = measurement_circuit(frame)
    modes = readout_network(frame).modes
    unitary = Operator(circuit.remove_final_measurements(inplace=False)).data
    up = np.array(creators(2 * norb)).reshape(2, norb, 4**norb, 4**norb)
    rotated = np.einsum("pk,spij->skij", frame, up)
    expected = up[:, modes]

    carried = np.einsum("ij,skjl,ml->skim", unitary, rotated, unitary.conj())

    signs = np.einsum("skij,skij->sk", carried.real, expected) / (4**norb / 2)
    # Products of 4^norb terms of at most 1 each, twice.
    tolerance = 8 * 4**norb * EPS
    np.testing.assert_allclose(np.abs(signs), 1, rtol=0, atol=tolerance)
    np.testing.assert_allclose(signs[0], signs[1], rtol=0, atol=tolerance)
    np.testing.assert_allclose(carried, np.round(signs)[..., None, None] * expected, atol=tolerance)


@settings(deadline=None)
@given(
    norb=st.integers(1, 7),
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["general", "blocks", "permutation"]),
)
def test_needed_bits_have_the_exact_marginal_distribution(norb, seed, kind):
    """Any state, n_alpha ≠ n_beta, any columns: against ffsim's rotation of the state vector."""
    generator = np.random.default_rng(seed)
    frame = {
        "general": lambda: haar(generator, norb),
        "blocks": lambda: generator.permutation(
            block_diag(haar(generator, norb // 2), haar(generator, norb - norb // 2))
        ),
        "permutation": lambda: generator.permutation(np.eye(norb)),
    }[kind]()
    needed = np.arange(norb) < generator.integers(0, norb + 1)
    generator.shuffle(needed)
    n_alpha = int(generator.integers(0, norb + 1))
    nelec = (n_alpha, (n_alpha + int(generator.integers(1, norb + 1))) % (norb + 1))
    vector = ffsim.random.random_state_vector(ffsim.dim(norb, nelec), seed=generator)

    circuit = measurement_circuit(frame, needed=needed)
    start = ffsim.qiskit.ffsim_vec_to_qiskit_vec(vector, norb, nelec)
    measured = bit_probabilities(circuit, start)
    exact = exact_distribution(vector, frame, nelec)

    # norb² gates on both sides, and columns off by 3 norb negligible elements, which every one of
    # up to 2 norb electrons may feel, in amplitudes and so twice in probabilities.
    tolerance = 16 * norb**2 * EPS + 12 * norb**2 * NEGLIGIBLE
    free = tuple(np.flatnonzero(~np.tile(needed, 2)))
    np.testing.assert_allclose(measured.sum(axis=free), exact.sum(axis=free), 0, tolerance)
    # All bits together still count each spin's electrons.
    for count, block in zip(nelec, (range(norb), range(norb, 2 * norb)), strict=True):
        others = tuple(axis for axis in range(2 * norb) if axis not in block)
        bits = np.indices((2,) * norb).sum(axis=0)
        wrong = measured.sum(axis=others)[bits != count].sum()
        assert wrong <= 16 * norb**2 * EPS


def test_water_groups_have_their_exact_moments():
    """Mean and second moment of each group of water STO-3G, from its needed bits alone."""
    hamiltonian = ql.from_example("water")
    state, norb = ql.fci_state(hamiltonian), hamiltonian.norb
    alpha, beta = state.occupations()
    index = [rows.astype(int) @ 2 ** np.arange(norb) for rows in (alpha, beta)]
    start = np.zeros(4**norb)
    start[index[0][:, None] + 2**norb * index[1]] = state.vector
    bits = np.indices((2,) * (2 * norb)).reshape(2 * norb, -1).T.astype(float)

    for group in plain_groups(ql.double_factorize(hamiltonian)):
        size = np.maximum(np.abs(group.linear), np.abs(group.same_spin).max(axis=0))
        needed = size > 1e-9
        measured = bit_probabilities(measurement_circuit(group.frame, needed=needed), start)
        values = group.values(bits[:, :norb], bits[:, norb:])
        exact_values = group.values(alpha[:, None], beta[None])
        weights = state.distribution(group.frame)

        # Values are sums of (2 norb)² numbers of at most `size`. What is not needed adds 1e-9
        # each; probabilities are off as above, each value as wrong as its weight.
        scale = (2 * norb) ** 2 * size.max()
        off = (2 * norb) ** 2 * 1e-9 + scale * (4**norb * 4 * EPS + 12 * norb**2 * NEGLIGIBLE)
        for power in (1, 2):
            found = measured.ravel() @ values**power
            assert abs(found - np.sum(weights * exact_values**power)) <= off * scale ** (power - 1)


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

    circuit = measurement_circuit(frame, determinant_circuit(orbitals, nelec))

    # Two circuits of norb² gates, and minors of matrices of norm 1.
    np.testing.assert_allclose(
        bit_probabilities(circuit).transpose().reshape(2**norb, 2**norb),
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
    exact = bit_probabilities(circuit).transpose().ravel() @ bits
    result = StatevectorSampler(seed=rng).run([circuit], shots=shots).result()[0]
    sampled = result.data.meas.to_bool_array(order="little").mean(axis=0)

    # Two circuits of norb² gates, 4^norb probabilities summed.
    np.testing.assert_allclose(exact, expected, rtol=0, atol=16 * norb**2 * EPS)
    # Five standard errors of a frequency: one false alarm in 10^6 for each of six numbers.
    assert (np.abs(sampled - expected) <= 5 * np.sqrt(expected * (1 - expected) / shots)).all()
    key = next(iter(result.data.meas.get_counts()))
    assert (key[norb:].count("1"), key[:norb].count("1")) == nelec


def test_columns_keep_their_places():
    """A permuted frame costs nothing and answers in its own order: column 0 is orbital 2."""
    frame = np.eye(3)[:, [2, 0, 1]]
    circuit = measurement_circuit(frame, determinant_circuit(np.eye(3), (1, 2)))
    assert two_qubit_count(circuit) == 0
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


def test_a_network_found_before_makes_the_same_circuit(random_frame):
    frame, needed = random_frame(5), np.array([True, False, False, True, False])
    preparation = determinant_circuit(random_frame(5), (2, 1))
    readout = readout_network(frame, needed=needed)
    circuit = readout_circuit(readout, preparation)
    assert circuit == measurement_circuit(frame, preparation, needed=needed)
    assert two_qubit_count(circuit) - two_qubit_count(preparation) == 2 * 7


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
