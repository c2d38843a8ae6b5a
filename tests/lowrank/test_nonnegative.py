# SPDX-License-Identifier: Apache-2.0
"""Non-negative factors, and the groups that are read from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from qlowrank.checks import InputError
from qlowrank.lowrank import NonnegativeFactorization, affinity_groups

EPS = np.finfo(float).eps


@settings(max_examples=20)
@given(seed=st.integers(0, 20), rank=st.integers(1, 3))
def test_factors_fit_and_stay_nonnegative(seed, rank):
    matrix = np.random.default_rng(seed).uniform(size=(6, 5))
    fit = NonnegativeFactorization(rank=rank, seed=1, starts=2, max_iterations=50)(matrix)
    assert fit.left.min() >= 0
    assert fit.right.min() >= 0
    assert fit.frobenius_error == pytest.approx(np.linalg.norm(fit.matrix() - matrix), rel=1e-9)
    # Each half step is a minimum: no iteration makes it worse, but for rounding.
    assert np.all(np.diff(fit.history) <= 1e-12)
    # Nothing of the rank is better than the SVD.
    values = np.linalg.svd(matrix, compute_uv=False)
    assert fit.frobenius_error >= np.linalg.norm(values[rank:]) * (1 - 1e-12)


def test_rank_one_is_that_of_the_svd(rng):
    """Perron and Frobenius: the first singular vectors of a non-negative matrix are so too."""
    matrix = rng.uniform(size=(7, 6))
    fit = NonnegativeFactorization(rank=1, seed=0)(matrix)
    values = np.linalg.svd(matrix, compute_uv=False)
    assert fit.frobenius_error == pytest.approx(np.linalg.norm(values[1:]), rel=1e-6)


def test_parts_put_in_come_out(rng):
    """Parts with entries of their own are unique up to order and scale."""
    left = np.kron(np.eye(3), np.ones((3, 1))) * rng.uniform(0.5, 1.0, (9, 1))
    right = np.kron(np.eye(3), np.ones((2, 1))) * rng.uniform(0.5, 1.0, (6, 1))
    matrix = left @ right.T
    fit = NonnegativeFactorization(rank=3, seed=2)(matrix)
    assert fit.frobenius_error < 1e-9
    assert np.all((fit.left > 1e-9).sum(axis=1) == 1)
    np.testing.assert_allclose(fit.left.max(axis=0), 1.0)


def test_missing_entries_do_not_count(rng):
    """A matrix of non-negative rank two is found from what is known of it."""
    matrix = rng.uniform(size=(8, 2)) @ rng.uniform(size=(2, 7))
    known = rng.uniform(size=matrix.shape) < 0.8
    spoilt = np.where(known, matrix, 100.0)
    fit = NonnegativeFactorization(rank=2, seed=4, max_iterations=2000, tolerance=1e-12)(
        spoilt, known=known
    )
    np.testing.assert_allclose(fit.matrix(), matrix, rtol=0, atol=1e-3)


def test_least_squares_are_scipy_s(rng):
    """The small triangular problem has the solution of the long one."""
    matrix = rng.uniform(size=(1, 20))
    basis = rng.uniform(size=(20, 3))
    reduced = np.linalg.qr(basis)
    expected = nnls(basis, matrix[0])[0]
    np.testing.assert_allclose(nnls(reduced.R, reduced.Q.T @ matrix[0])[0], expected, atol=1e-12)


def test_groups_of_orbitals():
    """Mutual information of two bonds and a lone pair, as one would draw it; shuffled."""
    blocks = np.zeros((6, 6))
    for group, strength in (((0, 1), 0.8), ((2, 3), 0.6), ((4, 5), 0.4)):
        blocks[np.ix_(group, group)] = strength
    blocks += 0.01
    order = [3, 0, 5, 2, 1, 4]
    found = affinity_groups(blocks[np.ix_(order, order)], 3, seed=1)
    assert sorted(found.groups) == [(0, 3), (1, 4), (2, 5)]
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0)
    assert "AffinityGroups([" in repr(found)


def test_the_diagonal_is_not_read(rng):
    affinity = np.kron(np.eye(2), np.ones((3, 3)))
    one = affinity_groups(affinity, 2, seed=3)
    two = affinity_groups(affinity + np.diag(rng.uniform(0, 50, 6)), 2, seed=3)
    assert one.groups == two.groups == ((0, 1, 2), (3, 4, 5))
    np.testing.assert_array_equal(one.weights, two.weights)


def test_a_thing_without_affinity_has_no_group():
    affinity = np.zeros((3, 3))
    affinity[0, 1] = affinity[1, 0] = 1.0
    found = affinity_groups(affinity, 1)
    np.testing.assert_array_equal(found.labels, [0, 0, -1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NonnegativeFactorization(rank=0, seed=1), "rank must be at least 1"),
        (lambda: NonnegativeFactorization(rank=1, seed=1)([[-1.0]]), "the smallest is -1"),
        (
            lambda: NonnegativeFactorization(rank=1, seed=1)([[1.0]], known=[1]),
            r"known must be booleans of shape \(1, 1\)",
        ),
        (lambda: affinity_groups(np.ones((2, 2)), 3), "n_groups must lie between 1 and 2"),
        (lambda: affinity_groups([[0, 1], [2, 0]], 1), "affinity must be symmetric"),
        (lambda: affinity_groups([[0, -1], [-1, 0]], 1), "no negative entries"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
