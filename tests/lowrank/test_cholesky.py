# SPDX-License-Identifier: Apache-2.0
"""Pivoted Cholesky: what it promises about every element of the residual, and what it refuses."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import hilbert

from qlowrank.checks import InputError
from qlowrank.lowrank import DenseMatrix, PivotedCholesky
from qlowrank.lowrank.cholesky import rounding_floor
from tests.oracles.cholesky import pivoted_cholesky
from tests.strategies import generators, semidefinite

EPS = np.finfo(float).eps

methods = st.builds(
    PivotedCholesky,
    tolerance=st.just(0.0) | st.floats(1e-9, 3.0),
    span=st.floats(1e-3, 1.0),
    batch=st.integers(1, 30),
)


def residual_of(matrix, factors):
    """M − Σ v vᵀ, in more digits than it was made with where the machine has them."""
    vectors = factors.vectors.astype(np.longdouble)
    return (matrix.astype(np.longdouble) - vectors.T @ vectors).astype(float)


def rounding_of(matrix, factors):
    """What rounding may add to each element of the residual.

    The vectors are exact for a matrix whose pivot rows are off by E, with |E| ≤ (rank + 1) eps
    max(diagonal) (Higham, Theorem 10.3). With W = M_PP⁻¹ M_P the residual then moves by
    −EᵀW − WᵀE + WᵀEW, so by |E| (1 + ‖w_i‖₁)(1 + ‖w_j‖₁) at most.
    """
    size = np.max(np.diagonal(matrix), initial=0.0)
    pivot_rows = factors.vectors[:, factors.pivots]
    growth = np.ones(len(matrix))
    if len(pivot_rows):
        growth += np.abs(np.linalg.solve(pivot_rows, factors.vectors)).sum(axis=0)
    return (len(pivot_rows) + 1) * EPS * size * np.outer(growth, growth)


@given(semidefinite(), methods)
def test_every_element_is_within_the_tolerance(matrix, method):
    factors = method(DenseMatrix(matrix))
    error = np.abs(residual_of(matrix, factors))
    assert np.all(error <= factors.max_error + rounding_of(matrix, factors))
    if method.tolerance:
        assert factors.max_error <= method.tolerance


@given(semidefinite(), methods)
def test_the_diagonal_that_is_reported_is_the_true_one(matrix, method):
    factors = method(DenseMatrix(matrix))
    gap = np.abs(np.diagonal(residual_of(matrix, factors)) - factors.residual_diagonal)
    assert np.all(gap <= factors.rounding + np.diagonal(rounding_of(matrix, factors)))
    assert np.all(factors.residual_diagonal >= 0.0)


@given(semidefinite(), methods)
def test_the_residual_is_semidefinite(matrix, method):
    """The bound on off-diagonal elements rests on this."""
    factors = method(DenseMatrix(matrix))
    allowed = np.linalg.norm(rounding_of(matrix, factors)) + factors.rounding * len(matrix)
    lowest = np.linalg.eigvalsh(residual_of(matrix, factors)).min(initial=0.0)
    assert lowest >= -allowed


@given(semidefinite(), methods)
def test_vectors_are_triangular_in_the_pivots(matrix, method):
    """Vector t is exactly zero at the pivots before it, and positive at its own."""
    factors = method(DenseMatrix(matrix))
    at_pivots = factors.vectors[:, factors.pivots]
    np.testing.assert_array_equal(np.tril(at_pivots, -1), 0.0)
    assert np.all(np.diagonal(at_pivots) > 0.0)
    assert len(set(factors.pivots.tolist())) == len(factors.pivots) == len(factors.vectors)


@given(generators, st.integers(1, 20), st.integers(0, 5), methods)
def test_rank_is_the_rank_of_the_matrix(generator, size, rank, method):
    """Of XXᵀ with whole numbers in X, |x| ≤ 2: no pivot can be small but not zero.

    The last pivot is a ratio of determinants of whole numbers, so at least 1 / 20⁵ = 3e-7 where
    the diagonal is at most 20 = 5·2²; rounding reaches 20 · 20 eps = 1e-13.
    """
    columns = generator.integers(-2, 3, (size, rank)).astype(float)
    factors = PivotedCholesky(1e-8, method.span, method.batch)(DenseMatrix(columns @ columns.T))
    assert len(factors.vectors) == (np.linalg.matrix_rank(columns) if rank else 0)


@given(generators, st.integers(1, 12), st.floats(0.1, 10.0))
def test_one_column_at_a_time_is_the_textbook_algorithm(generator, size, tolerance):
    """Well-conditioned and generic: no ties, so the same pivots and the same vectors."""
    columns = generator.standard_normal((size, size))
    matrix = columns @ columns.T + np.eye(size)
    factors = PivotedCholesky(tolerance, span=1.0, batch=1)(DenseMatrix(matrix))
    vectors, residual = pivoted_cholesky(matrix, tolerance)
    assert len(factors.vectors) == len(vectors)
    allowed = 2 * rounding_of(matrix, factors)
    np.testing.assert_array_less(np.abs(residual - residual_of(matrix, factors)), allowed + 1e-300)
    np.testing.assert_array_equal(factors.pivots, vectors.argmax(axis=1))  # nothing exceeds it


@given(semidefinite(), st.floats(1e-9, 3.0))
def test_batches_do_not_change_the_promise(matrix, tolerance):
    """Other pivots may be taken, but every element stays within the tolerance of every other."""
    results = [
        PivotedCholesky(tolerance, span, batch)(DenseMatrix(matrix))
        for span, batch in ((1.0, 1), (0.2, 64), (1e-3, 5))
    ]
    for factors in results:
        assert factors.max_error <= tolerance
        allowed = tolerance + rounding_of(matrix, factors)
        assert np.all(np.abs(residual_of(matrix, factors)) <= allowed)


@given(semidefinite(), methods)
def test_the_same_bytes_twice(matrix, method):
    first, second = method(DenseMatrix(matrix)), method(DenseMatrix(matrix.copy()))
    for name in ("vectors", "pivots", "residual_diagonal"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


@pytest.mark.parametrize("tolerance", [0.0, 0.5])
@pytest.mark.parametrize("size", [0, 1, 7])
def test_nothing_to_decompose(size, tolerance):
    factors = PivotedCholesky(tolerance)(DenseMatrix(np.zeros((size, size))))
    assert factors.vectors.shape == (0, size)
    assert factors.pivots.shape == (0,)
    assert factors.max_error == 0.0
    np.testing.assert_array_equal(factors.residual_diagonal, np.zeros(size))


def test_one_element():
    factors = PivotedCholesky(0.0)(DenseMatrix(np.array([[2.25]])))
    np.testing.assert_array_equal(factors.vectors, [[1.5]])
    kept = PivotedCholesky(2.5)(DenseMatrix(np.array([[2.25]])))
    assert len(kept.vectors) == 0
    assert kept.max_error == 2.25 + EPS * 2.25


def test_the_tolerance_is_a_boundary():
    """Exact: 4 + eps-sized rounding is above a tolerance of 4, below one of 4.001."""
    matrix = DenseMatrix(np.diag([9.0, 4.0, 1.0]))
    ranks = [len(PivotedCholesky(t)(matrix).vectors) for t in (9.001, 9.0, 4.001, 4.0, 1.0, 0.0)]
    assert ranks == [0, 1, 1, 2, 3, 3]


def test_equal_diagonals_are_taken_in_order():
    factors = PivotedCholesky(0.0)(DenseMatrix(np.eye(5)))
    np.testing.assert_array_equal(factors.pivots, np.arange(5))
    np.testing.assert_array_equal(factors.vectors, np.eye(5))


def test_a_matrix_with_a_famous_condition():
    """Hilbert's, condition 2e18: the rank is what double precision sees of it."""
    matrix = hilbert(14)
    factors = PivotedCholesky(0.0)(DenseMatrix(matrix))
    assert 10 <= len(factors.vectors) <= 14
    assert np.abs(residual_of(matrix, factors)).max() <= factors.max_error
    assert factors.max_error <= 2 * rounding_floor(np.diagonal(matrix))


def test_noise_is_where_it_stops(rng):
    """Noise makes a low-rank matrix indefinite; without a tolerance, the noise is reported."""
    columns, noise = rng.standard_normal((40, 6)), 1e-9 * rng.standard_normal((40, 40))
    matrix = columns @ columns.T + noise + noise.T
    assert np.linalg.eigvalsh(matrix)[0] < -1e-9
    factors = PivotedCholesky(0.0)(DenseMatrix(matrix))
    assert rounding_floor(np.diagonal(matrix)) < 1e-12 < factors.rounding < 1e-6
    assert 6 <= len(factors.vectors) < 40
    assert PivotedCholesky(1e-6)(DenseMatrix(matrix)).max_error <= 1e-6
    with pytest.raises(InputError, match="tolerance is not below the precision of the input"):
        PivotedCholesky(1e-11)(DenseMatrix(matrix))


@dataclass
class Columns:
    """A matrix of given rank that is computed when asked for, and counts what was asked."""

    factors: np.ndarray
    largest: int = 0
    total: int = 0

    def diagonal(self):
        return np.einsum("ti,ti->i", self.factors, self.factors)

    def columns(self, indices):
        self.largest = max(self.largest, len(indices))
        self.total += len(indices)
        return self.factors[:, indices].T @ self.factors


def test_only_few_columns_are_read(rng):
    matrix = Columns(rng.standard_normal((6, 400)))
    factors = PivotedCholesky(1e-8, batch=10)(matrix)
    assert len(factors.vectors) == 6
    assert matrix.largest <= 10
    assert matrix.total <= 20


def test_progress_is_told(rng):
    columns = rng.standard_normal((30, 12))
    told = []
    factors = PivotedCholesky(1e-8, batch=5)(
        DenseMatrix(columns @ columns.T), lambda *news: told.append(news)
    )
    assert {what for what, _, _ in told} == {"Cholesky vectors"}
    counts = [done for _, done, _ in told]
    assert counts == sorted(set(counts))
    assert counts[-1] == len(factors.vectors) == 12


@pytest.mark.parametrize(
    "matrix",
    [
        [[1.0, 2.0], [2.0, 1.0]],
        [[0.0, 0.0], [0.0, -1.0]],
        [[-1e-5, 0.0], [0.0, 1.0]],
        np.diag([1.0, 1.0, 1.0]) - 0.6 * (1 - np.eye(3)),
    ],
)
@pytest.mark.parametrize("tolerance", [0.0, 1e-6])
def test_indefinite_matrices(matrix, tolerance):
    with pytest.raises(InputError, match=r"not positive semidefinite: .* reaches -.*index order"):
        PivotedCholesky(tolerance)(DenseMatrix(np.array(matrix)))


@given(generators, st.integers(2, 12), st.floats(0.05, 5.0))
def test_indefinite_matrices_at_random(generator, size, lowest):
    """Elimination to the end meets a negative diagonal: Schur complements keep the inertia."""
    vectors = np.linalg.qr(generator.standard_normal((size, size)))[0]
    values = generator.uniform(0.1, 1.0, size)
    values[0] = -lowest
    with pytest.raises(InputError, match="not positive semidefinite"):
        PivotedCholesky(0.0)(DenseMatrix((vectors * values) @ vectors.T))


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0, np.nan], [np.nan, 1.0]], "array has 2 entries that are nan or inf"),
        ([[1.0, 0.5], [0.2, 1.0]], "array must be symmetric; it differs.* up to 3.00e-01"),
        ([[1.0, 0.5]], r"array must have shape \(1, 1\); got \(1, 2\)"),
        ([[1.0, 0.5j], [-0.5j, 1.0]], "array must be real"),
    ],
)
def test_bad_dense_matrices(matrix, message):
    with pytest.raises(InputError, match=message):
        DenseMatrix(np.array(matrix))


def test_numbers_that_are_none(rng):
    """A matrix that is computed column by column is checked as it comes."""
    bad = Columns(rng.standard_normal((3, 5)))
    bad.factors[0, 2] = np.nan
    with pytest.raises(InputError, match="the diagonal has 1 entries that are nan"):
        PivotedCholesky(0.0)(bad)
    bad.diagonal = lambda: np.ones(5)
    with pytest.raises(InputError, match=r"not positive semidefinite: .* reaches nan"):
        PivotedCholesky(0.0)(bad)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": -1e-8}, "tolerance must be at least 0 Hartree; got -1e-08"),
        ({"tolerance": np.nan}, "tolerance must be finite; got nan"),
        ({"tolerance": np.inf}, "tolerance must be finite; got inf"),
        ({"tolerance": "tight"}, "tolerance must be a real number; got 'tight'"),
        ({"tolerance": 0.0, "span": 0.0}, "span must be above 0 and at most 1; got 0.0"),
        ({"tolerance": 0.0, "span": 1.1}, "span must be above 0 and at most 1; got 1.1"),
        ({"tolerance": 0.0, "span": np.nan}, "span must be finite"),
        ({"tolerance": 0.0, "batch": 0}, "batch must be at least 1; got 0"),
        ({"tolerance": 0.0, "batch": 1.5}, "batch must be a whole number; got 1.5"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InputError, match=message):
        PivotedCholesky(**options)


def test_a_tolerance_that_double_precision_cannot_resolve():
    """The floor of a 10 × 10 matrix with diagonal 5 is 50 eps = 1.1e-14; twice that is asked."""
    matrix = DenseMatrix(5 * np.eye(10))
    with pytest.raises(InputError, match=r"tolerance 2\.0e-14 is below .*, 2\.2e-14; .* or for 0"):
        PivotedCholesky(2e-14)(matrix)
    assert PivotedCholesky(2.3e-14)(matrix).max_error <= 2.3e-14
    assert PivotedCholesky(0.0)(matrix).max_error == 50 * EPS
