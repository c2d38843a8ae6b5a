# SPDX-License-Identifier: Apache-2.0
"""Circuits of product formulas against dense matrices on all of Fock space."""

import numpy as np
import pytest
from qiskit.quantum_info import Operator
from scipy.linalg import block_diag, expm

from qlowrank.checks import InputError
from qlowrank.circuits import circuit_cost, evolution_circuit
from qlowrank.circuits.layer import EvolutionLayer
from qlowrank.circuits.product_formula import product_formula

EPS = np.finfo(float).eps


@pytest.fixture
def dense(creators):
    """A function that writes a layer as a matrix."""

    def make(layer):
        norb = layer.norb
        up = np.tensordot(
            block_diag(layer.frame, layer.frame).T, np.array(creators(2 * norb)), axes=1
        )
        occupations = np.einsum("pij,pkj->pik", up, up)
        both = occupations[:norb] + occupations[norb:]
        return (
            np.tensordot(layer.energies, both, 1)
            + np.einsum("kl,kij,ljm->im", layer.core, both, both, optimize=True) / 2
        )

    return make


@pytest.fixture
def random_layers(random_frame, rng):
    """A function that draws layers; each knows `rank` of its orbitals."""

    def draw(norb, ranks):
        layers = []
        for rank in ranks:
            core = np.zeros((norb, norb))
            core[:rank, :rank] = rng.standard_normal((rank, rank))
            energies = np.where(np.arange(norb) < rank, rng.standard_normal(norb), 0.0)
            layers.append(EvolutionLayer(random_frame(norb), energies, core + core.T))
        return layers

    return draw


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize(
    ("norb", "ranks"), [(1, [1]), (2, [2, 2, 1]), (3, [3, 1, 2, 3]), (3, [1, 1]), (3, [0, 2])]
)
def test_same_as_the_product_of_exponentials(random_layers, dense, norb, ranks, order):
    layers = random_layers(norb, ranks)
    circuit = evolution_circuit(layers, time=0.4, steps=2, order=order, constant=-1.7)

    expected = np.exp(1j * 1.7 * 0.4) * np.eye(4**norb)
    for layer, duration in product_formula(len(layers), time=0.4, steps=2, order=order):
        expected = expm(-1j * duration * dense(layers[layer])) @ expected

    # Each gate rounds by a few eps; frames are orthogonal to eps · norb², their networks drop 1e-12
    # an element. expm of matrices of norm up to 30 rounds by some 1e2 eps each.
    gates = len(circuit.data) + 100 * len(layers) * 20
    np.testing.assert_allclose(Operator(circuit).data, expected, rtol=0, atol=gates * 8 * EPS)


def test_there_and_back(random_layers):
    """A symmetric formula with negative time undoes itself."""
    layers = random_layers(2, [2, 2])
    forth = evolution_circuit(layers, time=0.7, steps=3, constant=0.3)
    back = evolution_circuit(layers, time=-0.7, steps=3, constant=0.3)
    made = Operator(forth.compose(back)).data
    np.testing.assert_allclose(made, np.eye(16), rtol=0, atol=(2 * len(forth.data)) * 8 * EPS)


def test_free_orbitals_cost_nothing(random_layers):
    """Rank r of n: r (n - r) + r (r - 1)/2 rotations a spin, r (2 r - 1) controlled phases."""
    norb, rank, n_leaves = 6, 2, 4
    layers = random_layers(norb, [norb] + [rank] * n_leaves)
    counts = evolution_circuit(layers, time=0.1, order=2).count_ops()
    networks = norb * (norb - 1) // 2 + n_leaves * (rank * (norb - rank) + rank * (rank - 1) // 2)
    assert counts["xx_plus_yy"] == 2 * 2 * networks  # both spins, there and back
    phases = 2 * norb * (2 * norb - 1) // 2 * 2 + (2 * n_leaves - 1) * rank * (2 * rank - 1)
    assert counts["cp"] == phases
    assert "z" not in counts


def test_depth_of_a_full_layer(random_layers):
    """2 n - 1 rounds of phases between brick walls of depth n."""
    norb = 5
    layers = random_layers(norb, [norb])
    cost = circuit_cost(evolution_circuit(layers, time=0.1))
    assert cost.two_qubit_depth <= 2 * norb + 2 * norb - 1
    assert cost.two_qubit_count == 2 * norb * (norb - 1) + norb * (2 * norb - 1)


def test_a_layer_in_its_own_basis_needs_no_rotation():
    layer = EvolutionLayer(np.eye(3), [1.0, 0.0, 2.0], np.zeros((3, 3)))
    circuit = evolution_circuit([layer], time=0.5)
    assert dict(circuit.count_ops()) == {"p": 4}


def test_no_time_is_no_phase(random_layers):
    circuit = evolution_circuit(random_layers(2, [2]), time=0.0)
    np.testing.assert_allclose(Operator(circuit).data, np.eye(16), rtol=0, atol=100 * EPS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evolution_circuit([], time=1.0), "needs at least one layer"),
        (
            lambda: evolution_circuit(
                [EvolutionLayer(np.eye(n), np.ones(n), np.zeros((n, n))) for n in (2, 3)],
                time=1.0,
            ),
            r"same number of orbitals; got \[2, 3\]",
        ),
        (lambda: EvolutionLayer(2 * np.eye(2), [1, 1], np.eye(2)), "frame must be orthogonal"),
        (lambda: EvolutionLayer(np.eye(2), [1, 1, 1], np.eye(2)), "energies must have shape"),
        (lambda: EvolutionLayer(np.eye(2), [1, 1], [[0, 1], [0, 0]]), "core must be symmetric"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
