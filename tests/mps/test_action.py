# SPDX-License-Identifier: Apache-2.0
"""One-body operators applied to chains, against PySCF's one-body contraction of CI vectors."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyscf.fci import direct_uhf

from qlowrank.checks import InputError
from qlowrank.mps import MPS, mps_from_ci
from qlowrank.mps.action import Image, one_body_operator

EPS = np.finfo(float).eps


def drawn(seed, norb, nelec):
    """A random normalised CI vector, and symmetric matrices for both spins."""
    rng = np.random.default_rng(seed)
    ci = rng.standard_normal([comb(norb, n) for n in nelec])
    matrices = rng.standard_normal((2, norb, norb))
    return ci / np.linalg.norm(ci), matrices + matrices.transpose(0, 2, 1)


def rounding(*matrices):
    """Norms of operators times a few hundred roundings: dimension × sites of all chains here."""
    return 500 * EPS * max(np.abs(m).sum() for m in matrices)


@given(seed=st.integers(0, 2**32 - 1), norb=st.integers(1, 6), data=st.data())
def test_images_are_those_of_the_ci_vector(seed, norb, data):
    nelec = data.draw(st.tuples(st.integers(0, norb), st.integers(0, norb)))
    ci, matrices = drawn(seed, norb, nelec)
    mps = mps_from_ci(ci, norb, nelec, tolerance=0.0)
    image = Image((one_body_operator(matrices, constant=0.3, cutoff=0.0), mps))
    expected = direct_uhf.contract_1e(matrices, ci, norb, nelec) + 0.3 * ci
    error = rounding(matrices)
    assert abs(image.overlap(mps) - np.vdot(ci, expected)) < error
    assert abs(image.norm_squared() - np.vdot(expected, expected)) < error * np.abs(matrices).sum()
    if np.abs(expected).max() < 1e-6:  # nothing to cut
        return
    fitted = image.compressed(max_bond=10**6, tolerance=0.0)
    # Eigenvalues of density matrices lose what lies below sqrt(eps) of the norm.
    assert np.abs(fitted.to_ci() - expected).max() < 100 * np.sqrt(EPS) * np.linalg.norm(expected)


def test_sums_of_images():
    """Two operators on two different chains: everything is bilinear."""
    norb, nelec = 5, (2, 3)
    first, a = drawn(1, norb, nelec)
    second, b = drawn(2, norb, nelec)
    chains = [mps_from_ci(ci, norb, nelec, tolerance=0.0) for ci in (first, second)]
    operators = [one_body_operator(m, constant=c) for m, c in ((a, 0.0), (b, -1.2))]
    image = Image(*zip(operators, chains, strict=True))
    expected = direct_uhf.contract_1e(a, first, norb, nelec)
    expected = expected + direct_uhf.contract_1e(b, second, norb, nelec) - 1.2 * second
    assert image.overlap(chains[1]) == pytest.approx(np.vdot(second, expected), abs=rounding(a, b))
    assert image.norm_squared() == pytest.approx(np.vdot(expected, expected), rel=1e-12)


@pytest.mark.parametrize("max_bond", [1, 3, 8, 20])
def test_what_is_cut_off_is_known(max_bond):
    """The fit is a projection: its squared norm and what it discards add up to the whole."""
    norb, nelec = 6, (3, 2)
    ci, matrices = drawn(3, norb, nelec)
    image = Image((one_body_operator(matrices), mps_from_ci(ci, norb, nelec)))
    fitted = image.compressed(max_bond=max_bond, tolerance=0.0)
    exact = direct_uhf.contract_1e(matrices, ci, norb, nelec)
    lost = np.linalg.norm(fitted.to_ci() - exact) ** 2
    assert fitted.max_bond_dimension <= max_bond
    assert fitted.discarded_weights.sum() == pytest.approx(lost, rel=1e-9)
    assert fitted.norm() ** 2 + lost == pytest.approx(image.norm_squared(), rel=1e-12)
    assert fitted.norm() == pytest.approx(np.linalg.norm(fitted.to_ci()), rel=1e-12)


def test_a_tolerance_is_a_share_of_the_squared_norm():
    ci, matrices = drawn(4, 6, (3, 3))
    image = Image((one_body_operator(matrices), mps_from_ci(ci, 6, (3, 3))))
    fitted = image.compressed(max_bond=10**6, tolerance=1e-2)
    assert 0 < fitted.discarded_weights.sum() <= 1e-2 * image.norm_squared()


def test_channels_are_the_ranks_of_the_off_diagonal_blocks():
    """Of rank one: a channel for each spin and direction beside the two neutral ones."""
    vector = np.arange(1.0, 9.0)
    operator = one_body_operator(np.array([np.outer(vector, vector)] * 2))
    assert [sum(bond.values()) for bond in operator.channels] == [1, *[6] * 7, 1]
    assert operator.error < 100 * EPS * vector @ vector  # dimension × rounding of the norm


def test_a_cutoff_costs_what_it_says():
    """Rebuild the matrix from the action on one electron, and compare with the error promised."""
    rng = np.random.default_rng(5)
    norb = 7
    decay = np.exp(-1.5 * np.abs(np.arange(norb)[:, None] - np.arange(norb)))
    matrix = rng.standard_normal((norb, norb))
    matrix = decay * (matrix + matrix.T)
    operator = one_body_operator(np.array([matrix, matrix]), cutoff=1e-2)
    rebuilt = np.empty((norb, norb))
    for orbital in range(norb):
        ci = np.eye(norb)[:, orbital : orbital + 1]
        mps = mps_from_ci(ci, norb, (1, 0))
        image = Image((operator, mps)).compressed(max_bond=100, tolerance=0.0)
        rebuilt[:, orbital] = image.to_ci()[:, 0]
    lost = np.linalg.norm(rebuilt - matrix)
    assert lost > 0
    assert np.sqrt(2) * lost <= operator.error * (1 + 1e-9)  # both spins are counted


def test_refusals():
    ci, matrices = drawn(6, 3, (1, 1))
    mps = mps_from_ci(ci, 3, (1, 1))
    operator = one_body_operator(matrices)
    with pytest.raises(InputError, match="one site per spatial orbital"):
        Image((operator, MPS.from_vector(np.ones(8), 2)))
    with pytest.raises(InputError, match="the same sites and charge"):
        Image((operator, mps), (operator, mps_from_ci(np.ones((3, 3)), 3, (2, 1))))
    with pytest.raises(InputError, match="same number of sites"):
        Image((one_body_operator(np.zeros((2, 2, 2))), mps))
