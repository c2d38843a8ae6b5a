# SPDX-License-Identifier: Apache-2.0
"""Quadratic forms of occupation numbers: variances against operators, slopes against quotients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from qlowrank.checks import InputError
from qlowrank.hamiltonian import DiagonalOperator
from qlowrank.states import DeterminantState, forms

EPS = np.finfo(float).eps

sectors = st.integers(1, 5).flatmap(
    lambda norb: st.tuples(st.just(norb), st.integers(0, norb), st.integers(0, norb))
)
seeds = st.integers(0, 2**32 - 1)
kinds = pytest.mark.parametrize("kind", ["determinant", "cisd", "fci"])


def antisymmetric(rng, norb):
    noise = rng.standard_normal((norb, norb))
    return (noise - noise.T) / (2 * norb)


def symmetric(rng, norb):
    noise = rng.standard_normal((norb, norb))
    return noise + noise.T


def state_of(kind, rng, sector, random_cisd, random_orbitals, dense):
    norb, *nelec = sector
    if kind == "determinant":
        return DeterminantState(random_orbitals(rng, norb), tuple(nelec), 0.0)
    state = random_cisd(rng, norb, tuple(nelec), 0.4)
    return state if kind == "cisd" else dense(state)


@kinds
@settings(max_examples=25)
@given(sector=sectors, seed=seeds)
def test_variances_are_those_of_operators(random_cisd, random_orbitals, dense, kind, sector, seed):
    """F reaches Σ|Z| · 2 at most; its square is rounded once for each of norb² terms."""
    norb, rng = sector[0], np.random.default_rng(seed)
    state = state_of(kind, rng, sector, random_cisd, random_orbitals, dense)
    frame, core = random_orbitals(rng, norb), symmetric(rng, norb)
    expected = state.moments(DiagonalOperator(frame, np.zeros(norb), core, core)).variance
    size = (2 * np.abs(core).sum()) ** 2
    assert abs(state.form_slope(frame, core).variance - expected) <= 1e3 * norb**2 * EPS * size


@kinds
@settings(max_examples=25)
@given(sector=sectors, seed=seeds)
def test_slopes_are_difference_quotients(random_cisd, random_orbitals, dense, kind, sector, seed):
    """Fourth-order differences along a random turn and a random change of the form together.

    Errors: step⁴ of fifth derivatives, each turn of norm one bringing a factor of at most 8 (two
    frames for each of two occupations, twice for the square), and rounding over the step.
    """
    norb, rng = sector[0], np.random.default_rng(seed)
    state = state_of(kind, rng, sector, random_cisd, random_orbitals, dense)
    frame, core = random_orbitals(rng, norb), symmetric(rng, norb)
    turn, change = antisymmetric(rng, norb), symmetric(rng, norb)
    step = 1e-3

    def variance(at):
        return state.form_slope(frame @ expm(at * turn), core + at * change).variance

    ahead, far = ((variance(x) - variance(-x)) / (2 * x) for x in (step, 2 * step))
    slope = state.form_slope(frame, core)
    found = np.vdot(slope.frame, frame @ turn) + np.vdot(slope.core, change)
    size = (2 * (np.abs(core) + np.abs(change)).sum()) ** 2
    allowed = (8 * step) ** 4 + 1e3 * norb**2 * EPS / step
    assert abs((4 * ahead - far) / 3 - found) <= allowed * size
    np.testing.assert_allclose(slope.core, slope.core.T, atol=1e3 * EPS * np.sqrt(size))
    turned = frame.T @ slope.frame
    np.testing.assert_allclose(turned, -turned.T, atol=1e3 * EPS * size)


def test_a_vector_that_does_not_fit_is_refused(random_cisd, random_orbitals, monkeypatch, rng):
    state = random_cisd(rng, 4, (2, 1), 0.3)
    monkeypatch.setattr(forms.checks, "available_memory", lambda: 100.0)
    with pytest.raises(InputError, match="CISD state as a CI vector of 24 determinants"):
        state.form_slope(np.eye(4), np.eye(4))
