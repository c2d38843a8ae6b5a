# SPDX-License-Identifier: Apache-2.0
"""Determinants drawn from chains, and the largest of them."""

import re

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.mps import strings


@pytest.fixture
def steep(random_ci):
    """A CI matrix whose coefficients differ by orders of magnitude, and its chain."""
    ci = random_ci(6, (3, 2)) ** 3
    return ci, ql.mps_from_ci(ci, 6, (3, 2))


def places(found, nelec):
    """Row and column of each determinant in the CI matrix."""
    return tuple(
        np.searchsorted(strings.rising(found.norb, n), spin)
        for n, spin in zip(nelec, (found.alpha, found.beta), strict=True)
    )


def test_the_largest_are_the_largest(steep):
    ci, mps = steep

    found = ql.largest_determinants(mps, 25)

    expected = np.argsort(-np.abs(ci), axis=None)[:25]
    rows, columns = places(found, (3, 2))
    np.testing.assert_array_equal(rows * ci.shape[1] + columns, expected)
    np.testing.assert_allclose(found.coefficients, ci.ravel()[expected], atol=1e-15)
    assert len(ql.largest_determinants(mps, 10**6)) == ci.size


def test_all_above_a_threshold(steep):
    ci, mps = steep
    threshold = float(np.sort(np.abs(ci), axis=None)[-40])

    assert len(ql.determinants_above(mps, threshold * (1 - 1e-9))) == 40
    assert len(ql.determinants_above(mps, threshold * (1 + 1e-9))) == 39
    assert len(ql.determinants_above(mps, 2 * np.abs(ci).max())) == 0


def test_determinants_make_the_chain_again(steep):
    ci, mps = steep
    found = ql.determinants_above(mps, 1e-14)

    back = ql.mps_from_determinants(found.alpha, found.beta, found.coefficients, found.norb)

    np.testing.assert_allclose(back.to_ci(), ci, atol=1e-13)


def test_samples_follow_the_probabilities(steep, rng):
    """χ² of the cells that expect 5 or more counts: mean and variance are n and 2n; five sigma."""
    ci, mps = steep
    shots = 20000

    found = ql.sample_determinants(mps, shots, rng)

    rows, columns = places(found, (3, 2))
    np.testing.assert_allclose(found.coefficients, ci[rows, columns], atol=1e-15)
    counts = np.zeros(ci.shape)
    np.add.at(counts, (rows, columns), 1)
    expected = shots * ci**2 / np.sum(ci**2)
    cells = expected >= 5
    chi_square = np.sum((counts - expected)[cells] ** 2 / expected[cells])
    assert abs(chi_square - cells.sum()) < 5 * np.sqrt(2 * cells.sum())
    assert counts[~cells].sum() == pytest.approx(
        expected[~cells].sum(), abs=5 * np.sqrt(expected[~cells].sum())
    )


def test_same_seed_same_samples(steep):
    _, mps = steep
    first, second = (ql.sample_determinants(mps, 50, np.random.default_rng(7)) for _ in range(2))

    np.testing.assert_array_equal(first.alpha, second.alpha)
    np.testing.assert_array_equal(first.beta, second.beta)


def test_texts():
    mps = ql.mps_from_determinants([0b0011], [0b0101], [1.0], 4)

    assert ql.largest_determinants(mps, 1).occupations() == ["2ab0"]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda mps: ql.sample_determinants(mps, 0, np.random.default_rng(0)), "shots must be at"),
        (lambda mps: ql.largest_determinants(mps, 0), "count must be at least 1; got 0."),
        (lambda mps: ql.determinants_above(mps, 0.0), "threshold must be above 0; got 0."),
        (lambda mps: ql.largest_determinants(ql.scale_mps(mps, 0.0), 1), "it has no determinants."),
        (
            lambda mps: ql.largest_determinants(ql.MPS.from_vector(np.ones(4), 2), 1),
            "Determinants need one site per spatial orbital, at most 62; got 2 sites",
        ),
    ],
)
def test_bad_input(act, message):
    mps = ql.mps_from_determinants([1], [1], [1.0], 2)
    with pytest.raises(ql.InputError, match=re.escape(message)):
        act(mps)


def test_too_many_beginnings(monkeypatch, steep):
    monkeypatch.setattr("qlowrank.mps.configurations._MOST_BEGINNINGS", 10)
    with pytest.raises(ql.InputError, match="Raise the threshold, ask for fewer, or draw samples"):
        ql.determinants_above(steep[1], 1e-6)
