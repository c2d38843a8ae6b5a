# SPDX-License-Identifier: Apache-2.0
"""Orbital rotations against ffsim and against dense matrices."""

import ffsim
import numpy as np
import pytest
from qiskit.quantum_info import Operator, Statevector
from scipy.linalg import block_diag, expm, logm

from qlowrank.checks import InputError
from qlowrank.circuits import orbital_rotation_circuit, two_qubit_count, two_qubit_depth

EPS = np.finfo(float).eps


@pytest.mark.parametrize("determinant", [1, -1])
@pytest.mark.parametrize(("norb", "nelec"), [(2, (2, 1)), (3, (1, 2)), (4, (3, 1)), (4, (0, 2))])
def test_same_as_ffsim(random_frame, rng, norb, nelec, determinant):
    frame = random_frame(norb)
    frame[:, 0] *= determinant * np.sign(np.linalg.det(frame))
    vector = ffsim.random.random_state_vector(ffsim.dim(norb, nelec), seed=rng)
    expected = ffsim.apply_orbital_rotation(vector, frame, norb, nelec)

    start = Statevector(ffsim.qiskit.ffsim_vec_to_qiskit_vec(vector, norb, nelec))
    state = start.evolve(orbital_rotation_circuit(frame))

    # norb² gates on both sides, each rounding amplitudes of a unit vector by a few eps.
    np.testing.assert_allclose(
        state.data,
        ffsim.qiskit.ffsim_vec_to_qiskit_vec(expected, norb, nelec),
        rtol=0,
        atol=8 * norb**2 * EPS,
    )


@pytest.mark.parametrize("determinant", [1, -1])
@pytest.mark.parametrize("norb", [2, 3])
def test_same_as_the_exponential_of_the_generator(random_frame, creators, norb, determinant):
    """exp(Σ log(U)_pq a†_p a_q) as a dense matrix on all of Fock space, phase included."""
    frame = random_frame(norb)
    frame[:, 0] *= determinant * np.sign(np.linalg.det(frame))
    generator = block_diag(*[logm(frame.astype(complex))] * 2)
    up = np.array(creators(2 * norb))
    dense = expm(np.einsum("pq,pij,qkj->ik", generator, up, up))

    # logm and expm of well-conditioned matrices of norm up to pi * 2 norb: some 1e2 eps times that.
    np.testing.assert_allclose(
        Operator(orbital_rotation_circuit(frame)).data, dense, rtol=0, atol=1e3 * norb * EPS
    )


@pytest.mark.parametrize("norb", [1, 2, 3])
def test_creators_go_to_columns_of_the_frame(random_frame, creators, norb):
    r"""𝒰 a†_pσ 𝒰† = Σ_q U_qp a†_qσ, for each spin orbital."""
    frame = random_frame(norb)
    unitary = Operator(orbital_rotation_circuit(frame)).data
    up = np.array(creators(2 * norb))

    rotated = np.einsum("ij,pjk,lk->pil", unitary, up, unitary.conj())

    # Two products of 4^norb terms of at most 1 each.
    np.testing.assert_allclose(
        rotated, np.tensordot(block_diag(frame, frame).T, up, 1), rtol=0, atol=4**norb * 8 * EPS
    )


def test_rotations_compose(random_frame):
    """𝒰(U V) = 𝒰(U) 𝒰(V): V's circuit first."""
    first, second = random_frame(3), random_frame(3)
    both = orbital_rotation_circuit(second).compose(orbital_rotation_circuit(first))

    # 12 gates against 6, entries of at most 1.
    np.testing.assert_allclose(
        Operator(both).data,
        Operator(orbital_rotation_circuit(first @ second)).data,
        rtol=0,
        atol=128 * EPS,
    )


@pytest.mark.parametrize("norb", [0, 1, 3])
def test_identity_is_an_empty_circuit(norb):
    circuit = orbital_rotation_circuit(np.eye(norb))
    assert circuit.num_qubits == 2 * norb
    assert not circuit.data


def test_gates_are_standard_and_depth_is_norb(random_frame):
    circuit = orbital_rotation_circuit(random_frame(6))
    assert set(circuit.count_ops()) <= {"z", "xx_plus_yy"}
    assert (two_qubit_count(circuit), two_qubit_depth(circuit)) == (30, 6)


def test_bad_frame_is_refused():
    with pytest.raises(InputError, match="frame must be orthogonal"):
        orbital_rotation_circuit(2 * np.eye(2))
