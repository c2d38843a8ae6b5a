# SPDX-License-Identifier: Apache-2.0
"""Covariances of squares with occupation numbers, and of one-body operators."""

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.hamiltonian import DiagonalOperator


@pytest.fixture(scope="module", params=["water", "o2"])
def states(request):
    """CISD state of a closed and an open shell, and the same as a CI vector."""
    from pyscf.ci import ucisd
    from pyscf.fci import addons

    hamiltonian = ql.from_example(request.param)
    state = ql.cisd_state(hamiltonian)
    doubles = (state.doubles_same[0], state.doubles_opposite, state.doubles_same[1])
    packed = ucisd.amplitudes_to_cisdvec(state.reference_coefficient, state.singles, doubles)
    vector = ucisd.to_fcivec(packed, state.norb, state.nelec)
    vector = addons.transform_ci(vector, state.nelec, np.array(state.determinant.orbitals.T))
    return state, ql.FCIState(vector, state.norb, state.nelec, state.energy)


def test_cisd_equals_its_ci_vector(states, rng):
    """Polynomial formulas against explicit vectors, in random frames."""
    state, exact = states
    np.testing.assert_allclose(state.one_body_covariance(), exact.one_body_covariance(), atol=1e-12)
    for _ in range(3):
        frame = np.linalg.qr(rng.normal(size=(state.norb, state.norb)))[0]
        values = rng.normal(size=state.norb)
        # moments are exact to about eps times the square of what the operator can reach
        reach = np.abs(values).sum() * 2
        np.testing.assert_allclose(
            state.square_covariances(frame, values),
            exact.square_covariances(frame, values),
            atol=100 * np.finfo(float).eps * reach**2,
        )


def test_determinant_equals_its_ci_vector(states, rng):
    """The same for the reference determinant alone."""
    state, _ = states
    determinant = ql.DeterminantState(np.eye(state.norb), state.nelec, 0.0)
    vector = np.zeros(states[1].vector.shape)
    vector[0, 0] = 1.0
    exact = ql.FCIState(vector, state.norb, state.nelec, 0.0)
    frame = np.linalg.qr(rng.normal(size=(state.norb, state.norb)))[0]
    values = rng.normal(size=state.norb)
    reach = np.abs(values).sum() * 2

    np.testing.assert_allclose(
        determinant.one_body_covariance(), exact.one_body_covariance(), atol=1e-13
    )
    np.testing.assert_allclose(
        determinant.square_covariances(frame, values),
        exact.square_covariances(frame, values),
        atol=100 * np.finfo(float).eps * reach**2,
    )


def test_covariances_are_those_of_operators(states, rng):
    """Cov(½L̂², ñ_k) from variances: Var(A + B) − Var(A) − Var(B) = 2 Cov(A, B)."""
    _, state = states
    norb = state.norb
    frame = np.linalg.qr(rng.normal(size=(norb, norb)))[0]
    values = rng.normal(size=norb)
    core, nothing = np.outer(values, values), np.zeros((norb, norb))
    unit = np.eye(norb)[2]

    def variance(linear, matrix):
        return state.moments(DiagonalOperator(frame, linear, matrix, matrix)).variance

    both = variance(unit, core) - variance(unit, nothing) - variance(0 * unit, core)
    assert state.square_covariances(frame, values)[2] == pytest.approx(both / 2, abs=1e-10)
    covariance = state.one_body_covariance()
    diagonal = np.einsum("p,q,pqrs,r,s->", *[frame[:, 2]] * 2, covariance, *[frame[:, 2]] * 2)
    assert diagonal == pytest.approx(variance(unit, nothing), abs=1e-12)
