# SPDX-License-Identifier: Apache-2.0
"""Determinants: the right state, sign included, in the fewest rotations."""

import ffsim
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Statevector
from scipy.linalg import block_diag

from qlowrank.checks import InputError
from qlowrank.circuits import determinant_circuit, two_qubit_count, two_qubit_depth
from qlowrank.circuits.determinant import determinant_rotations
from qlowrank.circuits.elimination import NEGLIGIBLE

EPS = np.finfo(float).eps


@pytest.mark.parametrize(
    ("norb", "nelec"),
    [(1, (1, 0)), (2, (1, 0)), (3, (2, 1)), (4, (1, 3)), (4, (4, 2)), (5, (0, 2)), (3, (0, 0))],
)
@pytest.mark.parametrize("determinant", [1, -1])
def test_same_state_as_ffsim(random_frame, norb, nelec, determinant):
    orbitals = random_frame(norb)
    orbitals[:, 0] *= determinant * np.sign(np.linalg.det(orbitals))
    occupied = [range(n) for n in nelec]
    expected = ffsim.slater_determinant(norb, occupied, orbital_rotation=orbitals)

    state = Statevector(determinant_circuit(orbitals, nelec))

    # norb² gates on both sides, each rounding amplitudes of a unit vector by a few eps.
    np.testing.assert_allclose(
        state.data,
        ffsim.qiskit.ffsim_vec_to_qiskit_vec(expected, norb, nelec),
        rtol=0,
        atol=8 * norb**2 * EPS,
    )


@settings(deadline=None)
@given(
    norb=st.integers(1, 8),
    n_occupied=st.integers(0, 8),
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["general", "permutation", "small"]),
)
def test_network_spans_the_occupied_space(norb, n_occupied, seed, kind):
    """The same space with the same orientation, in n (norb - n) rotations of depth norb - 1."""
    generator, n_occupied = np.random.default_rng(seed), min(n_occupied, norb)
    orbitals = {
        "general": lambda: np.linalg.qr(generator.standard_normal((norb, norb)))[0],
        "permutation": lambda: generator.permutation(np.eye(norb)),
        "small": lambda: np.linalg.qr(
            np.eye(norb) + 1e-9 * generator.standard_normal((norb, norb))
        )[0],
    }[kind]()

    network = determinant_rotations(orbitals, n_occupied)
    overlap = network.matrix()[:, :n_occupied].T @ orbitals[:, :n_occupied]

    # A rotation among the occupied: orthogonal with determinant +1. Rounding of norb² rotations,
    # and norb n dropped elements.
    bound = 16 * EPS * norb**2.5 + 2 * norb * NEGLIGIBLE
    assert np.linalg.norm(overlap.T @ overlap - np.eye(n_occupied)) <= bound
    assert abs(np.linalg.det(overlap) - 1) <= bound
    assert network.n_rotations <= n_occupied * (norb - n_occupied)
    assert network.depth <= max(norb - 1, 0)


def test_general_orbitals_take_n_times_hole_rotations(random_frame):
    circuit = determinant_circuit(random_frame(8), (3, 5))
    assert dict(circuit.count_ops()) == {"x": 8, "xx_plus_yy": 30}
    assert (two_qubit_count(circuit), two_qubit_depth(circuit)) == (30, 7)


@pytest.mark.parametrize("nelec", [(0, 0), (2, 1), (3, 5), (5, 5)])
def test_computational_orbitals_are_x_gates(nelec):
    circuit = determinant_circuit(np.eye(5), nelec)
    assert set(circuit.count_ops()) <= {"x"}
    bits = 2 ** nelec[0] - 1 + (2 ** nelec[1] - 1) * 2**5
    assert Statevector(circuit).data[bits] == 1


def test_mixing_among_occupied_or_empty_is_free(random_frame):
    """The determinant does not see it; only a sign remains."""
    circuit = determinant_circuit(block_diag(random_frame(2), random_frame(3)), (2, 2))
    assert dict(circuit.count_ops()) == {"x": 4}


def test_a_full_shell_is_free(random_frame):
    assert two_qubit_count(determinant_circuit(random_frame(4), (4, 4))) == 0


@pytest.mark.parametrize(
    ("orbitals", "nelec", "message"),
    [
        (2 * np.eye(2), (1, 1), "orbitals must be orthogonal"),
        (np.eye(2), (3, 1), r"0 to 2 electrons of each spin.*got \(3, 1\)"),
        (np.eye(2), (-1, 1), r"got \(-1, 1\)"),
        (np.eye(2), 2, "nelec must be two integers"),
        (np.eye(2), (1.5, 1), "nelec must be two integers"),
    ],
)
def test_bad_input_is_refused(orbitals, nelec, message):
    with pytest.raises(InputError, match=message):
        determinant_circuit(orbitals, nelec)
