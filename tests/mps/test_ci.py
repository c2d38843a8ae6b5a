# SPDX-License-Identifier: Apache-2.0
"""CI matrices into chains and back: signs, round trips, errors, every sector."""

import re
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.mps import strings

EPS = np.finfo(float).eps


@st.composite
def ci_matrices(draw, largest=6):
    """A CI matrix, its norb and nelec: full rank, low rank, sparse, decaying, of any norm."""
    norb = draw(st.integers(1, largest))
    nelec = draw(st.integers(0, norb)), draw(st.integers(0, norb))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    matrix = rng.standard_normal([comb(norb, n) for n in nelec])
    kind = draw(st.sampled_from(["full", "product", "sparse", "decay"]))
    if kind == "product":
        matrix = np.outer(matrix[:, 0], matrix[0])
    elif kind == "sparse":
        matrix *= rng.random(matrix.shape) < 0.2
        matrix[0, 0] = 1.0
    elif kind == "decay":
        matrix *= 10.0 ** rng.uniform(-12, 0, matrix.shape)
    return matrix * 10.0 ** draw(st.integers(-3, 3)), norb, nelec


@settings(max_examples=60)
@given(ci_matrices(), st.sampled_from([0.0, 1e-10, 1e-3, 0.1, 0.5]))
def test_error_is_at_most_the_tolerance(arguments, relative):
    """And the discarded weights bound it; rounding: a few epsilon of the norm for each site."""
    ci, norb, nelec = arguments
    size = np.linalg.norm(ci)
    mps = ql.mps_from_ci(ci, norb, nelec, tolerance=relative * size)
    error = np.linalg.norm(mps.to_ci() - ci)
    rounding = 20 * norb * EPS * size

    assert mps.nelec == nelec
    assert error <= relative * size + rounding
    assert error <= np.sqrt(mps.discarded_weights.sum()) + rounding


@settings(max_examples=30)
@given(ci_matrices(), st.integers(1, 8))
def test_no_bond_is_above_the_largest(arguments, largest):
    ci, norb, nelec = arguments
    mps = ql.mps_from_ci(ci, norb, nelec, max_bond=largest)
    error = np.linalg.norm(mps.to_ci() - ci)

    assert mps.max_bond_dimension <= largest
    assert error <= np.sqrt(mps.discarded_weights.sum()) + 20 * norb * EPS * np.linalg.norm(ci)


@pytest.mark.parametrize("nelec", [(2, 1), (1, 3), (3, 3), (0, 2), (4, 0)])
def test_signs_agree_with_openfermion(nelec, random_ci):
    """The vector over sites is the Jordan–Wigner vector of interleaved modes.

    PySCF's determinant is all alpha operators, then all beta operators, each string in one order;
    OpenFermion's normal ordering and its matrices supply the sign of moving them to the sites.
    """
    from openfermion import FermionOperator, get_sparse_operator

    norb = 4
    ci = random_ci(norb, nelec)
    expected = np.zeros(4**norb)
    for row, alpha in enumerate(strings.rising(norb, nelec[0])):
        for column, beta in enumerate(strings.rising(norb, nelec[1])):
            modes = [2 * p for p in range(norb) if alpha >> p & 1]
            modes += [2 * p + 1 for p in range(norb) if beta >> p & 1]
            operator = FermionOperator([(mode, 1) for mode in modes])
            created = get_sparse_operator(operator, 2 * norb)[:, 0].toarray().ravel().real
            expected += ci[row, column] * created
    # an orbital's qubits are (alpha, beta), alpha slower; a site's states are 0, alpha, beta, both
    expected = expected.reshape((2, 2) * norb)
    expected = expected.transpose([2 * p + spin for p in range(norb) for spin in (1, 0)]).ravel()

    vector = ql.mps_from_ci(ci, norb, nelec, tolerance=0.0).to_vector()

    np.testing.assert_allclose(vector, expected, atol=1e-14)


@pytest.mark.parametrize(("norb", "nelec"), [(1, (1, 1)), (2, (0, 0)), (7, (5, 2)), (8, (4, 4))])
def test_round_trip(norb, nelec, random_ci):
    ci = random_ci(norb, nelec)

    mps = ql.mps_from_ci(ci, norb, nelec)

    np.testing.assert_allclose(mps.to_ci(), ci, atol=1e-12)
    assert mps.norm() == pytest.approx(1, abs=1e-13)
    assert mps.to_vector() @ mps.to_vector() == pytest.approx(1, abs=1e-13)


def test_flat_vectors_will_do(random_ci):
    ci = random_ci(4, (2, 1))

    np.testing.assert_allclose(ql.mps_from_ci(ci.ravel(), 4, (2, 1)).to_ci(), ci, atol=1e-12)


def test_a_determinant_has_one_state_on_every_bond():
    ci = np.zeros((comb(6, 3), comb(6, 2)))
    ci[7, 5] = -2.0

    mps = ql.mps_from_ci(ci, 6, (3, 2), tolerance=0.0)

    assert mps.bond_dimensions == (1,) * 5
    assert mps.norm() == pytest.approx(2, rel=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((3, 3)), 3, (1, 2), {"max_bond": 0}), "max_bond must be at least 1 state"),
        ((np.ones((3, 3)), 3, (1, 2), {"tolerance": -1.0}), "tolerance must be at least 0, an err"),
        ((np.zeros((3, 3)), 3, (1, 2), {}), "The CI vector is zero; it has no decomposition."),
        ((np.full((3, 3), np.nan), 3, (1, 2), {}), "ci has 9 entries that are nan or inf"),
        ((np.ones((3, 1)), 3, (1, 2), {}), "has shape (3, 3); got (3, 1). Check norb and nelec"),
        ((np.ones((1, 1)), 0, (0, 0), {}), "norb must be at least 1; got 0."),
        ((np.ones((3, 3)), 3, (1, 4), {}), "nelec must put 0 to 3 electrons"),
        ((1j * np.ones((3, 3)), 3, (1, 1), {}), "ci must be real; got complex numbers"),
    ],
)
def test_bad_input(arguments, message):
    *positional, named = arguments
    with pytest.raises(ql.InputError, match=re.escape(message)):
        ql.mps_from_ci(*positional, **named)


def test_to_ci_needs_orbitals():
    mps = ql.MPS.from_vector(np.arange(4.0), 2)
    with pytest.raises(ql.InputError, match="nelec needs sites that count alpha and beta"):
        mps.to_ci()
