# SPDX-License-Identifier: Apache-2.0
"""What cutting leaves costs, against the change of the integrals itself."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.factorization.cut import chosen, cut_loss
from tests.strategies import generators

EPS = np.finfo(float).eps


@st.composite
def cut_factors(draw):
    """Random symmetric factors and some of their eigenvalues to cut, none and all included."""
    generator, norb = draw(generators), draw(st.integers(1, 5))
    count = draw(st.integers(0, 5))
    factors = generator.standard_normal((count, norb, norb))
    factors = factors + factors.transpose(0, 2, 1)
    factors *= 10.0 ** generator.uniform(-3, 1, count)[:, None, None]
    values, leaves = np.linalg.eigh(factors)
    lost = values * (generator.random(values.shape) < draw(st.sampled_from([0.0, 0.5, 1.0])))
    return factors, lost, values, leaves


@given(cut_factors())
def test_element_and_both_signs(case):
    factors, lost, values, leaves = case
    norb = factors.shape[1]
    rest = np.einsum("tpk,tk,tqk->tpq", leaves, values - lost, leaves)
    change = np.einsum("tpq,trs->pqrs", factors, factors) - np.einsum("tpq,trs->pqrs", rest, rest)
    spectrum = np.linalg.eigvalsh(change.reshape(norb**2, norb**2))
    loss = cut_loss(lost, factors, leaves)
    # eigenvectors to norb eps, squares of factors, norb² eigenvalues
    slack = 20 * norb**3 * EPS * np.sum(factors**2)

    assert np.abs(change).max(initial=0.0) <= loss.element + slack
    assert spectrum[spectrum > 0].sum() <= loss.above + slack
    assert -spectrum[spectrum < 0].sum() <= loss.below + slack
    assert loss.trace_norm == loss.above + loss.below


@given(cut_factors())
def test_one_leaf_is_priced_exactly(case):
    """A single leaf's change has rank two; positive and negative part are known to rounding."""
    factors, lost, values, leaves = (part[:1] for part in case)
    norb = factors.shape[1]
    if not len(factors):
        return
    rest = np.einsum("tpk,tk,tqk->tpq", leaves, values - lost, leaves)
    change = np.einsum("tpq,trs->pqrs", factors, factors) - np.einsum("tpq,trs->pqrs", rest, rest)
    spectrum = np.linalg.eigvalsh(change.reshape(norb**2, norb**2))
    loss = cut_loss(lost, factors, leaves)
    slack = 20 * norb**3 * EPS * np.sum(factors**2)

    assert abs(spectrum[spectrum > 0].sum() - loss.above) <= slack
    assert abs(-spectrum[spectrum < 0].sum() - loss.below) <= slack


@given(cut_factors(), st.floats(1e-6, 10))
def test_no_more_could_be_cut(case, tolerance):
    """The next larger product would break the tolerance."""
    factors, _, values, leaves = case
    order = np.argsort(-np.abs(values), axis=1)
    values = np.take_along_axis(values, order, axis=1)
    leaves = np.take_along_axis(leaves, order[:, None, :], axis=2)
    kept = chosen(values, factors, leaves, tolerance, 0.0)
    lost = np.where(kept, 0.0, values)
    products = np.abs(values) * np.abs(values).max(axis=1, initial=0.0)[:, None]

    assert cut_loss(lost, factors, leaves).element <= tolerance
    if kept.any():
        assert products[kept].min() > products[~kept].max(initial=-1.0)
        more = np.where(products > products[kept].min(), 0.0, values)
        assert cut_loss(more, factors, leaves).element > tolerance
