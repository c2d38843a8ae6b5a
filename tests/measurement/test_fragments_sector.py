# SPDX-License-Identifier: Apache-2.0
"""The coordinates of operators on a sector: complete, without redundancy, and consistent."""

import numpy as np
import pytest
from scipy.linalg import expm

from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.measurement.fragments.constraints import Constraints
from qlowrank.measurement.fragments.sector import Sector
from qlowrank.measurement.fragments.statistics import Statistics
from qlowrank.states import FCIState

SECTORS = [
    (1, (0, 0)),
    (1, (1, 0)),
    (2, (1, 1)),
    (2, (2, 1)),
    (2, (2, 2)),
    (3, (1, 1)),
    (3, (2, 1)),
    (3, (2, 2)),
    (4, (2, 2)),
    (4, (3, 3)),
    (4, (3, 1)),
    (4, (0, 2)),
    (5, (2, 2)),
    (5, (3, 3)),
    (5, (3, 2)),
    (5, (4, 2)),
    (5, (1, 4)),
    (5, (3, 0)),
    (5, (5, 2)),
    (6, (4, 2)),
]
"""Closed and open, singly filled, with one hole, empty and full, and everything between."""

EVERY_SECTOR = pytest.mark.parametrize(("norb", "nelec"), SECTORS)


def random_frame(rng, norb):
    return np.linalg.qr(rng.standard_normal((norb, norb)))[0]


def random_state(rng, sector):
    vector = rng.standard_normal([len(s) for s in Statistics(sector).strings])
    vector /= np.linalg.norm(vector)
    return FCIState(vector, sector.norb, sector.nelec, 0.0)


def random_symmetric(rng, norb):
    matrix = rng.standard_normal((norb, norb))
    return matrix + matrix.T


@EVERY_SECTOR
def test_features_span_all_diagonal_operators_and_nothing_twice(norb, nelec):
    """Rank of the features about their mean, against that of every allowed form on the sector."""
    statistics = Statistics(Sector(norb, nelec))
    alpha, beta = statistics.occupations
    p, q = statistics.sector.pairs
    i, j = np.triu_indices(norb)
    single = [alpha[:, None, :] + 0 * beta, 0 * alpha[:, None, :] + beta]
    if nelec[0] == nelec[1]:
        single = [single[0] + single[1]]
    pairs = (alpha[:, p] * alpha[:, q])[:, None, :] + (beta[:, p] * beta[:, q])[None]
    mixed = alpha[:, None, i] * beta[None, :, j] + alpha[:, None, j] * beta[None, :, i]
    if nelec[0] != nelec[1] and 0 in nelec:  # an empty spin cannot carry a linear term of its own
        single = [single[0] + single[1]]
    every = np.concatenate([*single, pairs, mixed], axis=2).reshape(statistics.n_determinants, -1)

    def rank(table):
        centred = table - table.mean(axis=0)
        return np.linalg.matrix_rank(centred, tol=1e-9) if centred.size else 0

    assert rank(statistics.features) == statistics.sector.n_features == rank(every)


@EVERY_SECTOR
def test_covariance_is_the_variance_of_the_operator(norb, nelec, rng):
    sector = Sector(norb, nelec)
    statistics = Statistics(sector)
    state, frame = random_state(rng, sector), random_frame(rng, norb)
    coefficients = rng.standard_normal(sector.n_features)
    covariance = statistics.covariance(statistics.rotated(state.vector, frame))

    variance = state.moments(sector.operator(frame, coefficients)).variance

    # Values of order norb² and sums of norb² terms: 1e-10 is 1e4 roundings of the largest.
    assert coefficients @ covariance @ coefficients == pytest.approx(variance, abs=1e-10)


@EVERY_SECTOR
def test_coefficients_keep_operators_but_for_a_constant(norb, nelec, rng):
    sector = Sector(norb, nelec)
    frame = random_frame(rng, norb)
    forms = rng.standard_normal(norb), random_symmetric(rng, norb), random_symmetric(rng, norb)
    operator = DiagonalOperator(frame, *forms)

    reduced = sector.operator(frame, sector.coefficients(*forms))

    alpha, beta = Statistics(sector).occupations
    values = [op.values(alpha[:, None], beta[None]) for op in (operator, reduced)]
    difference = values[0] - values[1]
    np.testing.assert_allclose(difference, difference.mean(), atol=1e-12 * (1 + norb) ** 2)
    means = [sector.operator_mean(op) for op in (operator, reduced)]
    assert means[0] == pytest.approx(values[0].mean(), abs=1e-12 * (1 + norb) ** 2)
    assert means[1] == pytest.approx(values[1].mean(), abs=1e-12 * (1 + norb) ** 2)


@EVERY_SECTOR
def test_coordinates_agree_for_tensors_and_for_forms(norb, nelec, rng):
    """½ (Σ a n + Σ Z n n) as integrals, and as coefficients in its own frame."""
    sector = Sector(norb, nelec)
    constraints = Constraints(sector)
    frame = random_frame(rng, norb)
    linear, core = rng.standard_normal(norb), random_symmetric(rng, norb)
    one_body = (frame * (linear + np.diag(core) / 2)) @ frame.T
    two_body = np.einsum("kl,pk,qk,rl,sl->pqrs", core, frame, frame, frame, frame)

    from_tensors = constraints.target(one_body, two_body)

    from_forms = constraints.columns(frame) @ sector.coefficients(linear, core, core)
    assert len(from_tensors) == constraints.size
    np.testing.assert_allclose(from_tensors, from_forms, atol=1e-12 * (1 + norb) ** 2)


@EVERY_SECTOR
def test_tangents_are_derivatives(norb, nelec, rng):
    """Coordinates and variances of an operator whose frame turns, against central differences."""
    sector = Sector(norb, nelec)
    constraints, statistics = Constraints(sector), Statistics(sector)
    state, frame = random_state(rng, sector), random_frame(rng, norb)
    c = rng.standard_normal(sector.n_features)
    tangents = constraints.tangents(frame, c)
    joint = statistics.joint_covariance(statistics.rotated(state.vector, frame), c)
    step = 1e-5

    def variance(turned):
        return c @ statistics.covariance(statistics.rotated(state.vector, turned)) @ c

    for index, (p, q) in enumerate(sector.pairs.T):
        generator = np.zeros((norb, norb))
        generator[p, q], generator[q, p] = 1.0, -1.0
        ends = [frame @ expm(sign * step * generator) for sign in (1, -1)]
        change = (constraints.columns(ends[0]) - constraints.columns(ends[1])) @ c / (2 * step)
        slope = (variance(ends[0]) - variance(ends[1])) / (2 * step)
        # step² times a third derivative, and rounding over step, both below 1e-7 of the size.
        size = 1 + np.abs(c).sum() ** 2
        np.testing.assert_allclose(tangents[:, index], change, atol=1e-7 * size)
        expected = 2 * c @ joint[: len(c), len(c) + index]
        assert expected == pytest.approx(slope, abs=1e-7 * size)


def test_tangent_covariances_are_those_of_commutators(rng):
    """Var [X, F] of one rotation, against dense matrices of a small sector."""
    sector = Sector(4, (2, 1))
    statistics = Statistics(sector)
    state = random_state(rng, sector)
    c = rng.standard_normal(sector.n_features)
    joint = statistics.joint_covariance(state.vector, c)
    size = statistics.n_determinants
    shape = state.vector.shape
    values = (statistics.features @ c).reshape(shape)
    step = 1e-4

    for index, (p, q) in enumerate(sector.pairs.T):
        generator = np.zeros((4, 4))
        generator[p, q], generator[q, p] = step, -step

        def moved(vector, angle, generator=generator):
            back = statistics.rotated(vector, expm(angle * generator).T)
            return statistics.rotated(values * back, expm(angle * generator))

        # F turned by the angle, applied to the state, differentiated
        image = ((moved(state.vector, -1) - moved(state.vector, 1)) / (2 * step)).reshape(size)
        mean = image @ state.vector.reshape(size)
        found = joint[len(c) + index, len(c) + index]
        assert found == pytest.approx(image @ image - mean**2, rel=1e-5)
