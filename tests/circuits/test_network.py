# SPDX-License-Identifier: Apache-2.0
"""The record of a network: what it holds, what it refuses, and its schedule."""

import dataclasses

import numpy as np
import pytest

from qlowrank.checks import InputError
from qlowrank.circuits import GivensNetwork
from qlowrank.circuits.network import layer_of_each, network_in_layers


@pytest.fixture
def network():
    return GivensNetwork(
        modes=np.array([0, 2, 1, 1]), angles=np.array([0.1, 0.2, 0.3, -0.4]), signs=np.ones(4)
    )


def test_matrix_is_the_product_as_written():
    """Two rotations multiplied out by hand, with a sign on the last column."""
    network = GivensNetwork(modes=[0, 1], angles=[0.3, -0.7], signs=[1, 1, -1])
    c, s, d, t = np.cos(0.3), np.sin(0.3), np.cos(-0.7), np.sin(-0.7)
    first = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    second = np.array([[1, 0, 0], [0, d, -t], [0, t, d]])

    # Three products of numbers below 1: a few roundings each.
    np.testing.assert_allclose(
        network.matrix(), first @ second @ np.diag([1, 1, -1]), atol=4 * np.finfo(float).eps
    )


def test_layers_are_as_early_as_possible(network):
    assert [layer.tolist() for layer in network.layers] == [[0, 1], [2], [3]]
    assert (network.norb, network.n_rotations, network.depth) == (4, 4, 3)
    assert repr(network) == "GivensNetwork(norb=4, rotations=4, depth=3)"


def test_reordering_into_layers_keeps_the_matrix(rng):
    """Only rotations on disjoint modes change places: equal to the bit."""
    modes, angles = rng.integers(0, 6, size=30), rng.uniform(-1.5, 1.5, size=30)
    given = GivensNetwork(modes=modes, angles=angles, signs=np.ones(7))

    sorted_network = network_in_layers(list(zip(modes, angles, strict=True)), np.ones(7))

    assert (np.diff(layer_of_each(sorted_network.modes, 7)) >= 0).all()
    assert sorted_network.modes.tolist() != modes.tolist()
    np.testing.assert_array_equal(sorted_network.matrix(), given.matrix())


def test_no_mode_is_used_twice_in_a_layer(rng):
    modes = rng.integers(0, 9, size=60)
    network = GivensNetwork(modes=modes, angles=np.zeros(60), signs=np.ones(10))

    for layer in network.layers:
        assert (np.diff(np.sort(modes[layer])) >= 2).all()
    assert sorted(np.concatenate(network.layers).tolist()) == list(range(60))


@pytest.mark.parametrize("norb", [0, 1])
def test_nothing_to_rotate(norb):
    network = GivensNetwork(modes=[], angles=[], signs=-np.ones(norb))
    assert network.layers == ()
    np.testing.assert_array_equal(network.matrix(), -np.eye(norb))


def test_arrays_are_read_only_and_described(network):
    for field in dataclasses.fields(network):
        array = getattr(network, field.name)
        assert not array.flags.writeable
        assert len(field.metadata["axes"].split(",")) == array.ndim
        assert field.metadata["units"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"modes": np.array([0, 2, 1, 3])}, "between 0 and 2.*got 0 to 3"),
        ({"modes": np.array([0, -1, 1, 0])}, "got -1 to 1"),
        ({"modes": np.array([0.0, 2.0, 1.0, 1.0])}, "list of integers"),
        ({"modes": np.zeros((2, 2), dtype=int)}, "list of integers"),
        ({"angles": np.zeros(3)}, r"angles must have shape \(4,\); got \(3,\)"),
        ({"angles": np.array([0, 0, 0, np.nan])}, "1 entries that are nan or inf"),
        ({"signs": np.array([1, 1, 0.5, 1])}, r"signs must all be \+1 or -1"),
        ({"signs": np.ones((2, 2))}, r"signs must have shape \(4,\)"),
    ],
)
def test_bad_fields_are_refused(network, change, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(network, **change)
