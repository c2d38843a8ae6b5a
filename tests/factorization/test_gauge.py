# SPDX-License-Identifier: Apache-2.0
"""Gauges: mixings of the factors that leave the integrals as they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.factorization import CholeskyGauge, EigenGauge
from qlowrank.factorization.gauge import with_positive_peak
from qlowrank.factorization.gauges.local import LocalGauge
from tests.strategies import factor_stacks, generators

EPS = np.finfo(float).eps


@given(factor_stacks(), st.sampled_from([CholeskyGauge(), EigenGauge(), LocalGauge()]))
def test_integrals_are_unchanged(stack, gauge):
    """An orthogonal mixing of m factors: m eps times the largest product."""
    mixed = gauge(stack)
    assert mixed.shape == stack.shape
    before, after = (np.einsum("tpq,trs->pqrs", f, f) for f in (stack, mixed))
    allowed = 20 * (len(stack) + 1) ** 2 * EPS * np.sum(stack**2)
    np.testing.assert_allclose(after, before, rtol=0, atol=allowed)
    np.testing.assert_allclose(
        mixed, mixed.transpose(0, 2, 1), rtol=0, atol=10 * len(stack) * EPS * np.abs(stack).sum()
    )


@given(factor_stacks())
def test_eigenvectors_are_orthogonal_by_falling_norm(stack):
    mixed = EigenGauge()(stack)
    flat = mixed.reshape(len(stack), stack.shape[1] ** 2)
    overlaps = flat @ flat.T
    allowed = 20 * (len(stack) + 1) ** 2 * EPS * np.sum(stack**2)
    np.testing.assert_allclose(overlaps, np.diag(np.diagonal(overlaps)), rtol=0, atol=allowed)
    assert np.all(np.diff(np.diagonal(overlaps)) <= allowed)


@given(factor_stacks())
def test_norms_are_eigenvalues_of_the_integrals(stack):
    """Of the (norb², norb²) matrix, which the gauge never forms."""
    flat = EigenGauge()(stack).reshape(len(stack), stack.shape[1] ** 2)
    norms = np.einsum("ta,ta->t", flat, flat)
    columns = stack.reshape(flat.shape)
    exact = np.linalg.eigvalsh(columns.T @ columns)[::-1]
    count = min(len(norms), len(exact))
    allowed = 20 * (len(stack) + flat.shape[1] + 1) ** 2 * EPS * np.sum(stack**2)
    np.testing.assert_allclose(norms[:count], exact[:count], rtol=0, atol=allowed)
    np.testing.assert_allclose(norms[count:], 0.0, atol=allowed)


def test_names():
    assert (CholeskyGauge().name, EigenGauge().name) == ("cholesky", "eigen")
    assert LocalGauge().name == "local cholesky"
    assert CholeskyGauge() == CholeskyGauge()


@given(generators, st.integers(0, 5), st.integers(0, 4))
def test_signs(generator, norb, count):
    """Each column keeps its direction, and its largest entry is positive."""
    columns = generator.standard_normal((count, norb, norb))
    fixed = with_positive_peak(columns)
    np.testing.assert_array_equal(np.abs(fixed), np.abs(columns))
    if columns.size:
        np.testing.assert_array_equal(fixed.max(axis=1), np.abs(columns).max(axis=1))
        ratio = fixed / columns
        np.testing.assert_array_equal(ratio, np.broadcast_to(ratio[:, :1], ratio.shape))
    np.testing.assert_array_equal(with_positive_peak(-columns), fixed)


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 3, 3)])
def test_no_columns(shape):
    assert with_positive_peak(np.zeros(shape)).shape == shape
