# SPDX-License-Identifier: Apache-2.0
"""Shrinkage of singular values, and descent on two factors that finds the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.lowrank import FactoredDescent, NuclearShrinkage, TruncatedSVD

EPS = np.finfo(float).eps


def objective(matrix, found, threshold):
    nuclear = np.linalg.svd(found, compute_uv=False).sum()
    return np.sum((found - matrix) ** 2) / 2 + threshold * nuclear


@given(seed=st.integers(0, 20), threshold=st.floats(0.0, 4.0))
def test_shrinkage_is_the_minimum(seed, threshold):
    """Optimality: A − X = τ (U Vᵀ + W), W of norm at most one and orthogonal to both."""
    matrix = np.random.default_rng(seed).standard_normal((6, 5))
    found = NuclearShrinkage(threshold)(matrix)
    rest = matrix - found.matrix()
    bound = 100 * EPS * np.linalg.norm(matrix)
    assert np.linalg.norm(rest, 2) <= threshold + bound
    aligned = found.left.T @ rest @ found.right
    np.testing.assert_allclose(aligned, threshold * np.eye(found.rank), rtol=0, atol=bound)
    assert found.frobenius_error == pytest.approx(np.linalg.norm(rest), abs=bound)
    assert found.spectral_error == pytest.approx(np.linalg.norm(rest, 2), abs=bound)


@given(seed=st.integers(0, 20))
def test_no_other_matrix_has_a_lower_objective(seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((5, 4))
    found = NuclearShrinkage(1.0)(matrix).matrix()
    other = found + 0.1 * rng.standard_normal((5, 4))
    assert objective(matrix, other, 1.0) > objective(matrix, found, 1.0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rank", [1, 3])
def test_descent_reaches_the_best_approximation_from_anywhere(rng, seed, rank):
    """No minima but the best: every start ends at the truncated SVD."""
    matrix = rng.standard_normal((12, 9))
    fit = FactoredDescent(rank=rank, seed=seed)(matrix)
    best = TruncatedSVD(rank=rank)(matrix)
    assert fit.converged
    # Gradients of 1e-8 |A|^{3/2} over the smallest curvature, the gap of the singular values.
    np.testing.assert_allclose(fit.matrix(), best.matrix(), rtol=0, atol=1e-5)
    assert fit.objective == pytest.approx(best.frobenius_error**2 / 2, rel=1e-10)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threshold", [1.0, 3.0])
def test_decay_of_weights_is_shrinkage(rng, seed, threshold):
    matrix = rng.standard_normal((12, 9))
    fit = FactoredDescent(rank=9, decay=threshold, seed=seed)(matrix)
    shrunk = NuclearShrinkage(threshold)(matrix)
    assert fit.converged
    np.testing.assert_allclose(fit.matrix(), shrunk.matrix(), rtol=0, atol=1e-5)
    least = objective(matrix, shrunk.matrix(), threshold)
    assert fit.objective == pytest.approx(least, rel=1e-10)
    # Balanced factors: FᵀF = GᵀG at every stationary point with decay.
    np.testing.assert_allclose(fit.left.T @ fit.left, fit.right.T @ fit.right, rtol=0, atol=1e-5)


def test_fewer_columns_than_shrinkage_keeps(rng):
    """Then the best that many allow: the first of the shrunk singular values."""
    matrix = rng.standard_normal((8, 7))
    fit = FactoredDescent(rank=2, decay=0.5, seed=0)(matrix)
    shrunk = NuclearShrinkage(0.5)(matrix)
    first = (shrunk.left[:, :2] * shrunk.values[:2]) @ shrunk.right[:, :2].T
    np.testing.assert_allclose(fit.matrix(), first, rtol=0, atol=1e-5)


def test_history_falls_and_a_stop_is_told(rng):
    matrix = rng.standard_normal((8, 7))
    fit = FactoredDescent(rank=3, seed=0)(matrix)
    assert np.all(np.diff(fit.history) <= 1e-12)
    short = FactoredDescent(rank=3, seed=0, max_iterations=2)(matrix)
    assert not short.converged
    assert "not converged in" in repr(short)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NuclearShrinkage(-1.0), "threshold must be at least 0"),
        (lambda: FactoredDescent(rank=0, seed=1), "rank must be at least 1"),
        (lambda: FactoredDescent(rank=1, seed=1, decay=-1.0), "decay must be at least 0"),
        (lambda: FactoredDescent(rank=1, seed=1, tolerance=0.0), "tolerance must be above 0"),
        (lambda: NuclearShrinkage(1.0)([[np.inf]]), "nan or inf"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
