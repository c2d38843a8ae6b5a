# SPDX-License-Identifier: Apache-2.0
"""Values against dense tensors, derivatives against differences, coordinates against both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.factorization import double_factorize
from qlowrank.factorization.compression import (
    CoreOneNorm,
    CoreSquares,
    FrobeniusError,
    OneNorm,
    SectorError,
    WeightedSum,
    coordinates,
    frobenius,
)
from qlowrank.factorization.compression.coordinates import Coordinates
from qlowrank.factorization.compression.packing import packed, packed_squares, unpacked
from qlowrank.factorization.compression.problem import Point, problem_of
from qlowrank.factorization.compression.start import random_frames
from qlowrank.hamiltonian import from_integrals
from tests.strategies import generators, hamiltonians

EPS = np.finfo(float).eps

OBJECTIVES = [
    FrobeniusError(),
    SectorError(),
    CoreSquares(),
    CoreOneNorm(smoothing=0.1),
    OneNorm(smoothing=0.1),
    WeightedSum((0.5, SectorError()), (0.1, OneNorm(smoothing=0.1)), (0.0, CoreSquares())),
]


def posed(factorization):
    return problem_of(factorization.factors(), factorization.one_body, factorization.nelec)


def dense(point):
    """Σ Z uuuu, by the definition."""
    leaves = point.leaves
    return np.einsum(
        "tpk,tqk,tkl,trl,tsl->pqrs", leaves, leaves, point.cores, leaves, leaves, optimize=True
    )


def without_identity(tensor):
    """P V P with P = 1 − e eᵀ over orbital pairs."""
    norb = len(tensor)
    unit = np.eye(norb).ravel() / np.sqrt(norb)
    projector = np.eye(norb**2) - np.outer(unit, unit)
    return (projector @ tensor.reshape(norb**2, norb**2) @ projector).reshape(tensor.shape)


def random_point(rng, n_leaves, norb):
    cores = rng.standard_normal((n_leaves, norb, norb))
    return Point(random_frames(n_leaves, norb, rng), cores + cores.transpose(0, 2, 1))


@st.composite
def problems(draw):
    """Integrals, the problem they pose, and a random point."""
    arrays = draw(hamiltonians())
    hamiltonian = from_integrals(*arrays, tolerance=0.0)
    point = random_point(draw(generators), draw(st.integers(1, 4)), len(arrays[1]))
    return arrays, posed(double_factorize(hamiltonian)), point


def gradient_at(here, function, x):
    point, pullback = here.point_and_pullback(x)
    return pullback(function(point))


def size(arrays, point):
    """What terms of the objective may be as large as."""
    return np.sum(arrays[2] ** 2) + np.sum(point.cores**2) * len(point.cores)


@given(problems())
def test_errors_are_the_dense_ones(case):
    """Σ of at most (M + T N) N² products, each at most `size`."""
    arrays, problem, point = case
    norb = len(arrays[1])
    terms = (len(problem.vectors) + point.cores.shape[0] * norb) * norb**2
    allowed = 100 * terms * EPS * size(arrays, point)
    residual = arrays[2] - dense(point)
    for objective, expected in (
        (FrobeniusError(), residual),
        (SectorError(), without_identity(residual)),
    ):
        value = objective.prepare(problem)(point).value
        assert abs(value - np.sum(expected**2) / 2) <= allowed + 1e-9


@given(generators, st.integers(1, 3), st.integers(1, 4))
def test_norms_are_what_they_say(rng, n_leaves, norb):
    """With almost no smoothing: |x| ≤ smooth + s, entry by entry."""
    point = random_point(rng, n_leaves, norb)
    arrays = (0.0, np.diag(np.arange(norb) - 0.7), np.zeros((norb,) * 4), (1, 0))
    problem = posed(double_factorize(from_integrals(*arrays)))
    cores = np.abs(point.cores)
    two = cores.sum() / 2 - np.einsum("tkk->", cores) / 4
    hidden = np.einsum("tpk,tkl,tqk->pq", point.leaves, point.cores, point.leaves)
    one = np.abs(np.linalg.eigvalsh(arrays[1] + hidden)).sum()
    for objective, expected in (
        (CoreSquares(), np.sum(point.cores**2)),
        (CoreOneNorm(smoothing=1e-12), two),
        (OneNorm(smoothing=1e-12), one + two),
    ):
        assert objective.prepare(problem)(point).value == pytest.approx(expected, abs=1e-9)


@settings(max_examples=40)
@given(problems(), generators, st.sampled_from(OBJECTIVES), st.booleans())
def test_derivatives(case, rng, objective, sector):
    """Central differences along a random direction, in coordinates that turn and scale."""
    arrays, problem, point = case
    if sector:
        problem = problem.sector()
    function = objective.prepare(problem)
    here = Coordinates(point)
    x = here.start() + 0.1 * rng.standard_normal(len(here.start()))
    direction = rng.standard_normal(len(x))
    direction /= np.linalg.norm(direction)
    slope = gradient_at(here, function, x) @ direction
    step = 1e-4
    values = [function(here.point(x + k * step * direction)).value for k in (-2, -1, 1, 2)]
    difference = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
    # fourth order: (step/s)^4 of third derivatives with s ≥ 0.03 (scaled angles of small cores),
    # and rounding of the value over the step
    scale = max(abs(v) for v in values) + size(arrays, point)
    assert abs(difference - slope) <= 1e-6 * max(1.0, abs(slope)) + 1e4 * EPS * scale / step


@given(generators, st.integers(2, 5))
def test_one_leaf_alone_is_a_round_bowl(rng, norb):
    """At an exact fit the second derivatives of one leaf are the identity, floors apart."""
    point = random_point(rng, 1, norb)
    cores = point.cores @ point.cores  # positive, so that it is a sum of squares
    point = Point(point.leaves, cores)
    hamiltonian = from_integrals(0.0, np.eye(norb), dense(point), (1, 1), tolerance=0.0)
    function = FrobeniusError().prepare(posed(double_factorize(hamiltonian)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coordinates, "FLOOR", 0.0)
        patch.setattr(coordinates, "LEAST", 1e-9)
        here = Coordinates(point)
        x = here.start()
        step = 1e-5
        columns = []
        for unit in np.eye(len(x)):
            ends = [gradient_at(here, function, y) for y in (x + step * unit, x - step * unit)]
            columns.append((ends[0] - ends[1]) / (2 * step))
    gaps = np.linalg.norm(cores[0][:, None] - cores[0], axis=2)[np.triu_indices(norb, 1)]
    if gaps.min() > 0.1:  # a turn of two orbitals with equal rows is no turn
        np.testing.assert_allclose(np.array(columns), np.eye(len(x)), atol=1e-4)


@given(problems())
def test_coordinates_begin_where_they_are_and_stay_orthogonal(case):
    _, _, point = case
    here = Coordinates(point)
    back = here.point(here.start())
    np.testing.assert_allclose(back.leaves, point.leaves, atol=1e-14)
    np.testing.assert_allclose(back.cores, point.cores, rtol=1e-14)
    away = here.point(here.start() + 1.0)
    products = away.leaves.transpose(0, 2, 1) @ away.leaves
    expected = np.broadcast_to(np.eye(point.cores.shape[1]), products.shape)
    # (1 − A)⁻¹ (1 + A) with ‖(1 − A)⁻¹‖ ≤ 1 and ‖1 + A‖ up to the largest angle
    np.testing.assert_allclose(products, expected, atol=1e-8)


@given(problems())
def test_leaves_can_be_worked_on_in_turns(case):
    """The same numbers but for the order of sums."""
    _, problem, point = case
    whole = SectorError().prepare(problem)(point)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frobenius, "ENTRIES_AT_A_TIME", 1)
        parts = SectorError().prepare(problem)(point)
    scale = 1 + np.abs(whole.leaves).max(initial=0.0) + np.abs(whole.cores).max(initial=0.0)
    np.testing.assert_allclose(parts.leaves, whole.leaves, atol=1e-10 * scale)
    np.testing.assert_allclose(parts.cores, whole.cores, atol=1e-10 * scale)
    assert parts.value == pytest.approx(whole.value, rel=1e-9, abs=1e-9 * scale)


@given(problems(), st.floats(0, 10))
def test_vectors_are_left_out_by_no_more_than_allowed(case, error):
    arrays, problem, _ = case
    norb = len(arrays[1])
    matrix = unpacked(problem.vectors, norb).reshape(-1, norb**2)
    np.testing.assert_allclose(
        (matrix.T @ matrix).reshape(arrays[2].shape),
        arrays[2],
        atol=1e-8 * (1 + np.abs(arrays[2]).max()),
    )
    cut = unpacked(problem.resolved(error).vectors, norb).reshape(-1, norb**2)
    assert np.linalg.norm(matrix.T @ matrix - cut.T @ cut) <= error + 1e-9 * np.sum(matrix**2)
    assert len(problem.resolved(0.0).vectors) == len(problem.vectors) or not problem.weights.all()


@given(generators, st.integers(0, 4))
def test_packing_keeps_scalar_products(rng, norb):
    first, second = rng.standard_normal((2, norb, norb))
    first, second = first + first.T, second + second.T
    assert packed(first) @ packed(second) == pytest.approx(np.sum(first * second))
    np.testing.assert_allclose(
        unpacked(packed(first), norb), first, rtol=4 * EPS
    )  # times and by √2
    columns = unpacked(packed_squares(first).T, norb)
    np.testing.assert_allclose(columns, np.einsum("pk,qk->kpq", first, first), atol=1e-15 * 100)


def test_sums_say_what_they_hold():
    both = WeightedSum((2.0, FrobeniusError()), (1e-3, CoreSquares()))
    assert both.name == "2 × error + 0.001 × core squares"
    assert both.error_weight == 2.0
    assert not both.in_sector
    assert WeightedSum((1.0, SectorError()), (1.0, OneNorm())).in_sector
    assert [o.error_weight for o in OBJECTIVES] == [1.0, 1.0, 0.0, 0.0, 0.0, 0.5]
    assert [o.in_sector for o in OBJECTIVES] == [False, True, False, False, False, True]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (WeightedSum, "needs at least one term"),
        (lambda: WeightedSum((-1.0, FrobeniusError())), "weights must be at least 0; got -1"),
        (lambda: WeightedSum((np.nan, FrobeniusError())), "a weight must be finite"),
        (lambda: WeightedSum(FrobeniusError()), "takes pairs of a weight and an objective"),
        (
            lambda: WeightedSum((1.0, FrobeniusError()), (1.0, SectorError())),
            "cannot hold both FrobeniusError and SectorError",
        ),
        (lambda: CoreOneNorm(smoothing=0.0), "smoothing must be above 0"),
        (lambda: OneNorm(smoothing=-1.0), "smoothing must be above 0"),
    ],
)
def test_bad_objectives(make, message):
    with pytest.raises(InputError, match=message):
        make()
