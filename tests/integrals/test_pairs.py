# SPDX-License-Identifier: Apache-2.0
"""Pairs of orbitals: packing, the door to a dense tensor, and the exchange of the identity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.integrals.pairs import DensePairs, pack, pair_index, unpack
from tests.strategies import generators, tensors


def dense_pairs(tensor):
    """The tensor behind its door."""
    rows, cols = np.tril_indices(len(tensor))
    return DensePairs(tensor[rows, cols][:, rows, cols])


@given(st.integers(0, 9))
def test_index_is_the_row_of_the_lower_triangle(norb):
    index = pair_index(norb)
    np.testing.assert_array_equal(index, index.T)
    np.testing.assert_array_equal(index[np.tril_indices(norb)], np.arange(norb * (norb + 1) // 2))


@given(generators, st.integers(0, 6), st.integers(0, 3))
def test_pack_and_unpack_are_inverse(generator, norb, count):
    matrices = generator.standard_normal((count, norb, norb))
    matrices += matrices.transpose(0, 2, 1)
    packed = pack(matrices)
    assert packed.shape == (count, norb * (norb + 1) // 2)
    np.testing.assert_array_equal(unpack(packed, norb), matrices)
    np.testing.assert_array_equal(pack(unpack(packed, norb)), packed)


@given(tensors())
def test_diagonal_and_columns_are_those_of_the_tensor(tensor):
    pairs = dense_pairs(tensor)
    norb = len(tensor)
    assert pairs.norb == norb
    np.testing.assert_array_equal(pairs.diagonal()[pairs.index], np.einsum("pqpq->pq", tensor))
    rows, cols = np.tril_indices(norb)
    columns = pairs.columns(np.arange(len(rows)))
    np.testing.assert_array_equal(unpack(columns, norb), tensor[rows, cols])


@given(tensors())
def test_exchange_of_identity(tensor):
    """Σ_r (pr|rq); each of norb additions rounds by eps of a partial sum of magnitudes."""
    expected = np.einsum("prrq->pq", tensor)
    allowed = len(tensor) * np.finfo(float).eps * np.einsum("prrq->pq", np.abs(tensor))
    assert np.all(np.abs(dense_pairs(tensor).exchange_of_identity() - expected) <= allowed)


@pytest.mark.parametrize("side", [2, 4, 5, 7])
def test_sides_that_are_no_number_of_pairs(side):
    with pytest.raises(InputError, match=rf"norb \(norb \+ 1\) / 2 rows, such .*; got {side}\."):
        DensePairs(np.eye(side))


def test_shapes_that_are_not_square():
    with pytest.raises(InputError, match=r"two_body must have shape \(3, 3\); got \(3, 6\)"):
        DensePairs(np.ones((3, 6)))


def test_arrays_are_read_only():
    pairs = DensePairs(np.eye(3))
    for array in (pairs.packed, pairs.diagonal()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    pairs.columns(np.array([0]))[0, 0] = 7.0  # a copy
    assert pairs.packed[0, 0] == 1.0
