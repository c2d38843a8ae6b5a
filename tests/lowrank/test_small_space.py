# SPDX-License-Identifier: Apache-2.0
"""Powers and functions in the small space against those of the whole matrix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from qlowrank.checks import InputError
from qlowrank.lowrank import low_rank_exponential, low_rank_power, symmetric_function

EPS = np.finfo(float).eps


@given(seed=st.integers(0, 20), rank=st.integers(0, 4), power=st.integers(0, 5))
def test_power(seed, rank, power):
    left, right = np.random.default_rng(seed).standard_normal((2, 6, rank))
    found = low_rank_power(left, right, power)
    whole = left @ right.T
    # At most five products of matrices of this norm.
    bound = 100 * EPS * (1 + np.linalg.norm(left) * np.linalg.norm(right)) ** power
    np.testing.assert_allclose(
        found.matrix(), np.linalg.matrix_power(whole, power), rtol=0, atol=bound
    )


@given(seed=st.integers(0, 20), rank=st.integers(0, 3), unitary=st.booleans())
def test_exponential(seed, rank, unitary):
    rng = np.random.default_rng(seed)
    left, right = rng.standard_normal((2, 6, rank))
    middle = rng.standard_normal((rank, rank)) * (0.3j if unitary else 0.3)
    found = low_rank_exponential(left, middle, right)
    whole = left @ middle @ right.T
    bound = (
        100 * EPS * np.exp(np.linalg.norm(left) * np.linalg.norm(right) * np.linalg.norm(middle))
    )
    np.testing.assert_allclose(found.matrix(), expm(whole), rtol=0, atol=bound)
    vectors = rng.standard_normal((6, 2))
    np.testing.assert_allclose(
        found.apply(vectors), found.matrix() @ vectors, rtol=0, atol=10 * bound
    )
    np.testing.assert_allclose(
        found.apply(vectors[:, 0]), found.matrix() @ vectors[:, 0], rtol=0, atol=10 * bound
    )


def test_nilpotent_exponential():
    """GᵀF = 0, where a formula with an inverse fails: e^A = 1 + A."""
    left, right = np.eye(4)[:, :2], np.eye(4)[:, 2:]
    middle = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = low_rank_exponential(left, middle, right).matrix()
    np.testing.assert_allclose(found, np.eye(4) + left @ middle @ right.T, rtol=0, atol=10 * EPS)


@pytest.mark.parametrize("function", [np.exp, np.cos, lambda x: np.exp(-2j * x), lambda x: x**3])
def test_function_of_a_symmetric_matrix(rng, function):
    frame = np.linalg.qr(rng.standard_normal((7, 7)))[0]
    values = np.array([1.0, -0.5, 2.0, 0.0, 0.0, 0.0, 0.0])
    whole = (frame * function(values)) @ frame.T
    found = symmetric_function(frame[:, :3], values[:3], function)
    assert found.rank == 3
    np.testing.assert_allclose(found.matrix(), whole, rtol=0, atol=200 * EPS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: low_rank_power(np.eye(2), np.eye(2), -1), "power must be at least 0"),
        (lambda: low_rank_power(np.eye(2), np.eye(3), 1), r"right must have shape \(2, 2\)"),
        (lambda: low_rank_power([1.0], [1.0], 1), "left must have two axes"),
        (lambda: low_rank_exponential(np.eye(2), [[1.0]], np.eye(2)), "middle must have shape"),
        (lambda: low_rank_exponential([[np.nan]], [[1.0]], [[1.0]]), "nan or inf"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
