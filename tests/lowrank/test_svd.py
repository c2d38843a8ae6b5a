# SPDX-License-Identifier: Apache-2.0
"""Truncated and randomized singular values: the best error, and how close random samples come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.linalg import LinearOperator

from qlowrank.checks import InputError
from qlowrank.lowrank import LowRank, RandomizedSVD, TruncatedSVD, range_finder

EPS = np.finfo(float).eps


@given(
    rows=st.integers(1, 8),
    columns=st.integers(1, 8),
    rank=st.integers(0, 9),
    seed=st.integers(0, 9),
)
def test_errors_are_the_norms_of_what_is_left(rows, columns, rank, seed):
    matrix = np.random.default_rng(seed).standard_normal((rows, columns))
    found = TruncatedSVD(rank=rank)(matrix)
    rest = matrix - found.matrix()
    # LAPACK's singular values and products of three matrices: a few n eps of the norm.
    bound = 8 * (rows + columns) * EPS * np.linalg.norm(matrix)
    assert found.rank == min(rank, rows, columns)
    assert found.frobenius_error == pytest.approx(np.linalg.norm(rest), abs=bound)
    assert found.spectral_error == pytest.approx(np.linalg.norm(rest, 2), abs=bound)


@given(seed=st.integers(0, 20), rank=st.integers(1, 5))
def test_no_other_matrix_of_the_rank_is_closer(seed, rank):
    """Eckart, Young, Mirsky: any other pair of factors errs more, in both norms."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((7, 6))
    found = TruncatedSVD(rank=rank)(matrix)
    left = rng.standard_normal((7, rank))
    other = matrix - left @ np.linalg.lstsq(left, matrix, rcond=None)[0]
    assert np.linalg.norm(other) >= found.frobenius_error * (1 - 1e-12)
    assert np.linalg.norm(other, 2) >= found.spectral_error * (1 - 1e-12)


def test_storage_and_compression():
    found = TruncatedSVD(rank=2)(np.ones((10, 6)) + np.eye(10, 6))
    assert found.storage == 2 * (10 + 6 + 1)
    assert found.parameters == 2 * (10 + 6 - 2)
    assert found.compression_ratio == pytest.approx(60 / 34)
    assert TruncatedSVD(rank=0)(np.eye(2)).compression_ratio == float("inf")


@pytest.mark.parametrize("power", [0, 1, 3])
def test_random_samples_find_exact_low_rank(rng, power):
    """A matrix of rank 4 is found whole, whatever the random vectors."""
    matrix = rng.standard_normal((40, 4)) @ rng.standard_normal((4, 30))
    found = RandomizedSVD(rank=4, seed=3, power=power)(matrix)
    norm = np.linalg.norm(matrix)
    assert np.linalg.norm(found.matrix() - matrix) <= 100 * EPS * norm
    # A difference of squares: root of eps.
    assert found.frobenius_error <= 10 * np.sqrt(EPS) * norm


def test_expected_error_of_random_samples(rng):
    """Halko et al., theorem 10.5: the mean error is within (1 + r/(p - 1))^½ of the best."""
    values = 1 / np.arange(1, 41)
    frames = [np.linalg.qr(rng.standard_normal((40, 40)))[0] for _ in range(2)]
    matrix = (frames[0] * values) @ frames[1].T
    rank, extra = 6, 7
    best = np.linalg.norm(values[rank:])
    errors = []
    for seed in range(30):
        basis = range_finder(matrix, rank + extra, power=0, seed=seed)
        errors.append(np.linalg.norm(matrix - basis @ (basis.T @ matrix)))
    assert np.mean(errors) <= np.sqrt(1 + rank / (extra - 1)) * best
    powered = RandomizedSVD(rank=rank, seed=0, power=4)(matrix)
    assert powered.frobenius_error == pytest.approx(best, rel=1e-3)
    assert powered.frobenius_error >= best


def test_an_operator_is_as_good_as_its_matrix(rng):
    matrix = rng.standard_normal((12, 9))
    operator = LinearOperator(
        (12, 9),
        matvec=lambda x: matrix @ x,
        rmatvec=lambda y: matrix.T @ y,
        matmat=lambda x: matrix @ x,
        rmatmat=lambda y: matrix.T @ y,
        dtype=float,
    )
    method = RandomizedSVD(rank=3, seed=5)
    np.testing.assert_allclose(method(operator).values, method(matrix).values, rtol=100 * EPS)
    assert method(operator).frobenius_error == pytest.approx(method(matrix).frobenius_error)


def test_same_seed_same_bytes(rng):
    matrix = rng.standard_normal((20, 10))
    one, two = (RandomizedSVD(rank=3, seed=8)(matrix) for _ in range(2))
    assert one.left.tobytes() == two.left.tobytes()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TruncatedSVD(rank=-1), "rank must be at least 0; got -1"),
        (lambda: RandomizedSVD(rank=0, seed=1), "rank must be at least 1"),
        (lambda: RandomizedSVD(rank=1, seed=1, power=-1), "power must be at least 0"),
        (lambda: TruncatedSVD(rank=1)([1.0, 2.0]), "matrix must have two axes; got 1"),
        (lambda: TruncatedSVD(rank=1)([[np.nan]]), "nan or inf"),
        (lambda: LowRank(np.eye(2), [1.0], np.eye(2), 0.0, 0.0), r"left must have shape \(2, 1\)"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
