# SPDX-License-Identifier: Apache-2.0
"""Chains from lists of determinants and from CISD amplitudes."""

import re
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.mps import strings


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e-10, 0.2]))
def test_any_list_is_its_ci_matrix(seed, relative):
    """Repeated determinants add up; the error is what was discarded."""
    rng = np.random.default_rng(seed)
    norb = int(rng.integers(1, 7))
    nelec = tuple(int(n) for n in rng.integers(0, norb + 1, 2))
    alphas, betas = (strings.rising(norb, n) for n in nelec)
    count = int(rng.integers(1, 40))
    rows, columns = rng.integers(0, len(alphas), count), rng.integers(0, len(betas), count)
    coefficients = rng.standard_normal(count)
    ci = np.zeros((len(alphas), len(betas)))
    np.add.at(ci, (rows, columns), coefficients)
    size = np.linalg.norm(ci)

    mps = ql.mps_from_determinants(
        alphas[rows], betas[columns], coefficients, norb, tolerance=relative * size
    )

    error = np.linalg.norm(mps.to_ci() - ci)
    rounding = 100 * np.finfo(float).eps * np.abs(coefficients).sum()
    assert mps.nelec == nelec
    assert error <= relative * size + rounding
    assert error == pytest.approx(np.sqrt(mps.discarded_weights.sum()), abs=rounding)


def test_sixty_orbitals():
    """Far beyond any CI space: two determinants, entangled across the whole chain."""
    low, high = (1 << 30) - 1, ((1 << 30) - 1) << 30

    mps = ql.mps_from_determinants([low, high], [low, high], [0.6, 0.8], 60)

    assert mps.bond_dimensions == (2,) * 59
    assert mps.norm() == pytest.approx(1, rel=1e-14)
    assert mps.nelec == (30, 30)


@pytest.mark.parametrize(("norb", "nelec"), [(5, (3, 2)), (4, (1, 3)), (3, (0, 2)), (2, (2, 1))])
def test_cisd_amplitudes(norb, nelec, rng):
    """Against excitations applied one by one with PySCF's creators and annihilators."""
    from pyscf.fci import addons

    virtual = [norb - n for n in nelec]
    singles = [rng.standard_normal(ov) for ov in zip(nelec, virtual, strict=True)]
    same = []
    for o, v in zip(nelec, virtual, strict=True):
        c = rng.standard_normal((o, o, v, v))
        c = c - c.transpose(1, 0, 2, 3)
        same.append(c - c.transpose(0, 1, 3, 2))
    opposite = rng.standard_normal((*nelec, *virtual))
    destroy, create = (addons.des_a, addons.des_b), (addons.cre_a, addons.cre_b)

    def excite(vector, spin, hole, particle):
        fewer = tuple(n - (spin == s) for s, n in enumerate(nelec))
        return create[spin](
            destroy[spin](vector, norb, nelec, hole), norb, fewer, particle + nelec[spin]
        )

    ground = np.zeros([comb(norb, n) for n in nelec])
    ground[0, 0] = 1.0
    expected = 0.7 * ground
    for spin in (0, 1):
        for (i, a), c in np.ndenumerate(singles[spin]):
            expected = expected + c * excite(ground, spin, i, a)
        for (i, j, a, b), c in np.ndenumerate(same[spin]):
            if i != j and a != b:
                expected = expected + c / 4 * excite(excite(ground, spin, j, b), spin, i, a)
    for (i, j, a, b), c in np.ndenumerate(opposite):
        expected = expected + c * excite(excite(ground, 1, j, b), 0, i, a)

    mps = ql.mps_from_cisd(0.7, singles, same, opposite, tolerance=0.0)

    np.testing.assert_allclose(mps.to_ci(), expected, atol=1e-13)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ([3, 1], [1, 1], [1.0, 1.0], 2),
            "must have the same (n_alpha, n_beta); got (1, 1), (2, 1)",
        ),
        (([4], [1], [1.0], 2), "alpha has electrons outside the 2 orbitals (bits 0 to 1)."),
        (([1], [-1], [1.0], 2), "beta has electrons outside the 2 orbitals"),
        (([1], [1, 2], [1.0], 2), "beta must hold one integer for each of 1 coefficients"),
        (([1.0], [1], [1.0], 2), "alpha must hold one integer for each of 1 coefficients"),
        (([1], [1], [0.0], 2), "All coefficients are zero; pass at least one determinant."),
        (([1], [1], [np.inf], 2), "coefficients has 1 entries that are nan or inf"),
        (([1], [1], [1.0], 63), "norb must be 1 to 62; got 63."),
    ],
)
def test_bad_determinants(arguments, message):
    with pytest.raises(ql.InputError, match=re.escape(message)):
        ql.mps_from_determinants(*arguments)


def test_bad_amplitudes():
    empty = np.zeros((1, 1, 1, 1))
    with pytest.raises(ql.InputError, match="singles must have shapes"):
        ql.mps_from_cisd(1.0, (np.zeros((1, 2)), np.zeros((1, 1))), (empty, empty), empty)
    with pytest.raises(ql.InputError, match="doubles_opposite must have shape"):
        ql.mps_from_cisd(
            1.0, (np.zeros((1, 1)), np.zeros((1, 1))), (empty, empty), np.zeros((2, 1, 1, 1))
        )
