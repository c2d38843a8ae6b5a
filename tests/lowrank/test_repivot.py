# SPDX-License-Identifier: Apache-2.0
"""New pivots for given vectors: what is left is a Schur complement, and small where asked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.lowrank import DenseMatrix, PivotedCholesky, Repivot

EPS = np.finfo(float).eps


@st.composite
def problems(draw):
    """Vectors over several orders of magnitude, of full and of deficient rank."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rank, n = draw(st.integers(0, 9)), draw(st.integers(1, 12))
    vectors = rng.standard_normal((rank, n)) * 10.0 ** rng.uniform(-4, 0, (rank, 1))
    if draw(st.booleans()) and rank > 1:
        vectors[-1] = vectors[0]
    return vectors, 10.0 ** rng.uniform(-6, 0, n)


@given(problems())
def test_what_is_left(problem):
    vectors, allowed = problem
    kept = []
    result = Repivot(batch=4)(vectors, allowed, keep=lambda rows: kept.extend(rows.copy()))
    found = np.reshape(kept, (len(result.pivots), vectors.shape[1]))
    left = vectors.T @ vectors - found.T @ found
    # products of `rank` terms, each rounded relative to the squared norm
    noise = 50 * (len(vectors) + 1) * EPS * max(np.sum(vectors**2), EPS)
    assert len(found) <= len(vectors)
    np.testing.assert_allclose(result.basis @ result.basis.T, np.eye(len(found)), atol=1e-9)
    assert np.all(np.diagonal(left) <= allowed + noise)
    assert np.all(np.abs(np.diagonal(left) - result.residual_diagonal) <= noise)
    assert np.linalg.eigvalsh(left)[0] >= -noise
    largest = result.residual_diagonal.max() + result.rounding
    assert np.abs(left).max(initial=0.0) <= largest + noise
    for step, pivot in enumerate(result.pivots):
        assert np.all(found[step + 1 :, pivot] == 0.0)


def test_the_same_as_decomposing_the_gram_matrix(rng):
    """One pivot at a time, largest first, as the plain algorithm."""
    vectors = rng.standard_normal((6, 9)) * 10.0 ** -np.arange(6)[:, None]
    plain = PivotedCholesky(tolerance=1e-6, batch=1)(DenseMatrix(vectors.T @ vectors))
    kept = []
    new = Repivot(batch=1)(vectors, np.full(9, 1e-6), keep=lambda rows: kept.extend(rows.copy()))
    np.testing.assert_array_equal(new.pivots, plain.pivots)
    np.testing.assert_allclose(np.abs(kept), np.abs(plain.vectors), atol=1e-9)


def test_progress(rng):
    seen = []
    Repivot(batch=2)(
        rng.standard_normal((4, 5)), np.zeros(5), progress=lambda *call: seen.append(call)
    )
    assert seen[-1] == ("Cholesky vectors", 4, None)


@pytest.mark.parametrize("shape", [(0, 4), (3, 0)])
def test_nothing_to_do(shape):
    result = Repivot()(np.zeros(shape), np.zeros(shape[1]))
    assert len(result.pivots) == 0
    assert result.residual_diagonal.shape == (shape[1],)
