# SPDX-License-Identifier: Apache-2.0
"""Circuits of chains against their statevectors."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Statevector

from qlowrank.checks import InputError
from qlowrank.circuits.chain import DisentanglingLayers, ExactSequence, prepare_chain
from qlowrank.circuits.chain.tensors import Chain, cut

ROUNDING = 1e-7
"""Some ten gates; Qiskit takes a two-qubit gate for a simpler one at an infidelity of 1e-9."""


def drawn(rng, length, bond, *, varied=False):
    """A random chain of qubits; with `varied`, bonds widen and narrow at random."""
    tensors, left = [], 1
    for position in range(length):
        most = int(rng.integers(1, bond + 1)) if varied else bond
        right = min(most, 2 ** (length - 1 - position), 2 * left)
        tensors.append(rng.standard_normal((left, 2, right)))
        left = right
    return tensors


def vector(tensors):
    """Its normalised vector, the first position the most significant bit."""
    found = np.ones((1, 1))
    for tensor in tensors:
        found = (found @ tensor.reshape(len(tensor), -1)).reshape(-1, tensor.shape[2])
    return found[:, 0] / np.linalg.norm(found)


def prepared(circuit):
    """The circuit's vector in the same order."""
    return Statevector(circuit.reverse_bits()).data


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.integers(1, 7),
    bond=st.integers(1, 8),
    varied=st.booleans(),
)
def test_exact_sequences_are_exact(seed, length, bond, varied):
    tensors = drawn(np.random.default_rng(seed), length, bond, varied=varied)
    found = prepare_chain(tensors, ExactSequence(max_bond=8))
    overlap = np.vdot(prepared(found.circuit), vector(tensors))
    assert found.fidelity == pytest.approx(1.0, abs=1e-12)
    assert abs(overlap) == pytest.approx(1.0, abs=ROUNDING)
    assert set(found.circuit.count_ops()) <= {"rz", "sx", "x", "cx"}
    if bond <= 2:
        assert found.two_qubit_count <= 2 * (length - 1)


@pytest.mark.parametrize("bonds", [(2, 1, 1, 1, 2), (4, 2, 1, 1, 2), (1, 1, 2, 4, 2, 1, 1)])
def test_chains_that_fall_apart(rng, bonds):
    """Gates behind a bond of one state are no part of those before it."""
    ends = [1, *bonds, 1]
    ends[1] = min(ends[1], 2)
    tensors = [rng.standard_normal((a, 2, b)) for a, b in pairwise(ends)]
    found = prepare_chain(tensors, ExactSequence())
    assert abs(np.vdot(prepared(found.circuit), vector(tensors))) == pytest.approx(1, abs=ROUNDING)


@pytest.mark.parametrize(
    "method", [ExactSequence(1), ExactSequence(3), DisentanglingLayers(1), DisentanglingLayers(3)]
)
def test_fidelities_are_those_of_the_statevector(rng, method):
    tensors = drawn(rng, 7, 6)
    found = prepare_chain(tensors, method)
    overlap = np.vdot(prepared(found.circuit), vector(tensors))
    assert found.fidelity < 0.999
    assert found.fidelity == pytest.approx(abs(overlap) ** 2, abs=ROUNDING)
    assert repr(found).startswith("ChainPreparation(7 qubits, fidelity 0.")


def test_layers_help_and_so_do_sweeps(rng):
    tensors = drawn(rng, 6, 4)
    plain, few, more = (
        prepare_chain(tensors, DisentanglingLayers(n_layers=layers, sweeps=sweeps))
        for layers, sweeps in ((2, 0), (2, 30), (3, 30))
    )
    assert plain.fidelity < few.fidelity < more.fidelity
    assert few.two_qubit_count <= 2 * 2 * 5  # two CNOTs for each gate of real determinant one
    small = prepare_chain(drawn(rng, 5, 2), DisentanglingLayers(n_layers=1))
    assert small.fidelity == pytest.approx(1.0, abs=1e-12)


def test_qubits_are_where_they_are_asked_to_be(rng):
    tensors = drawn(rng, 4, 4)
    qubits = [2, 0, 3, 1]
    plain = prepare_chain(tensors, ExactSequence())
    moved = prepare_chain(tensors, ExactSequence(), qubits=qubits)
    expected = prepared(plain.circuit).reshape((2,) * 4)  # axis k is position k
    found = prepared(moved.circuit).reshape((2,) * 4)  # axis q is qubit q
    np.testing.assert_allclose(found.transpose(qubits), expected, atol=ROUNDING)


def test_a_cut_is_the_projection_it_says(rng):
    tensors = drawn(rng, 6, 8)
    chain, kept = cut(tensors, 3)
    assert isinstance(chain, Chain)
    overlap = np.vdot(vector(chain.tensors), vector(tensors))
    assert kept == pytest.approx(overlap**2, abs=1e-12)
    assert max(tensor.shape[2] for tensor in chain.tensors) == 3


def test_refusals(rng):
    with pytest.raises(InputError, match=r"arrays \(left, 2, right\)"):
        prepare_chain([np.ones((1, 3, 1))])
    with pytest.raises(InputError, match=r"arrays \(left, 2, right\)"):
        prepare_chain([np.ones((1, 2, 2)), np.ones((3, 2, 1))])
    with pytest.raises(InputError, match=r"arrays \(left, 2, right\)"):
        prepare_chain([])
    with pytest.raises(InputError, match="nan or inf"):
        prepare_chain([np.full((1, 2, 1), np.nan)])
    with pytest.raises(InputError, match="not be zero"):
        prepare_chain([np.zeros((1, 2, 1))])
    with pytest.raises(InputError, match="qubits must name each of 0 to 2 once"):
        prepare_chain(drawn(rng, 3, 2), qubits=[0, 1, 1])
    with pytest.raises(InputError, match="max_bond must be at least 1; got 0"):
        ExactSequence(max_bond=0)
    with pytest.raises(InputError, match="n_layers must be at least 1; got 0"):
        DisentanglingLayers(n_layers=0)
    with pytest.raises(InputError, match="tolerance must be above 0"):
        DisentanglingLayers(tolerance=0.0)
