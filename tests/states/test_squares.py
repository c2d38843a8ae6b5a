# SPDX-License-Identifier: Apache-2.0
"""Variances of centred squares and their slopes: full CI, and finite differences."""

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.hamiltonian import DiagonalOperator
from qlowrank.integrals.geometry import converge


@pytest.fixture(scope="module", params=["closed", "open"])
def state(request):
    atoms = [("H", (0.0, 0.0, z)) for z in (0.0, 0.9, 2.0, 2.9)]
    atoms = atoms if request.param == "closed" else atoms[:3]
    return ql.cisd_state(ql.from_pyscf(converge(atoms, basis="6-31g")))


def symmetric(rng, norb):
    matrix = rng.standard_normal((norb, norb))
    return matrix + matrix.T


def centred_square(state, factor):
    """½(L̂ − ⟨L̂⟩)² but for a constant, as any other operator."""
    values, frame = np.linalg.eigh(factor)
    nothing = np.zeros(factor.shape)
    mean = state.moments(DiagonalOperator(frame, values, nothing, nothing)).mean
    core = np.outer(values, values)
    return DiagonalOperator(frame, -mean * values, core, core)


def test_variances_are_those_of_general_operators(state, rng):
    for _ in range(3):
        factor = symmetric(rng, state.norb)
        variance, _ = state.square_slope(factor)
        # Fourth powers of values of ten or so.
        assert variance == pytest.approx(state.moments(centred_square(state, factor)).variance)


def test_slopes_are_difference_quotients(state, rng):
    """Central differences: errors of step² and of rounding over step, 1e-7 of the scale each."""
    factor, step = symmetric(rng, state.norb), 1e-4
    _, slope = state.square_slope(factor)
    np.testing.assert_allclose(slope, slope.T)
    for _ in range(4):
        direction = symmetric(rng, state.norb)
        ahead, behind = (state.square_slope(factor + s * direction)[0] for s in (step, -step))
        found = (ahead - behind) / (2 * step)
        assert np.vdot(slope, direction) == pytest.approx(found, rel=1e-5)


def test_equal_eigenvalues(state, rng):
    """A projector: eigenvalues 0 and 1 only, and the quotient of equal ones is a derivative."""
    frame = np.linalg.qr(rng.standard_normal((state.norb, state.norb)))[0][:, :2]
    factor, direction = frame @ frame.T, symmetric(rng, state.norb)
    _, slope = state.square_slope(factor)
    ahead, behind = (state.square_slope(factor + s * direction)[0] for s in (1e-4, -1e-4))
    assert np.vdot(slope, direction) == pytest.approx((ahead - behind) / 2e-4, rel=1e-5, abs=1e-8)


def test_the_number_of_electrons_does_not_vary(state):
    variance, slope = state.square_slope(np.eye(state.norb))

    # Rounding of fourth powers of the number of electrons.
    assert variance == pytest.approx(0, abs=1e-11)
    np.testing.assert_allclose(slope, 0, atol=1e-10)
