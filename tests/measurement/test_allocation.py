# SPDX-License-Identifier: Apache-2.0
"""Shots: always enough, never more than rounding asks for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.measurement import allocate_shots
from qlowrank.measurement.allocation import LEAST_SHOTS, MOST_SHOTS

variances = st.lists(st.floats(0, 1e6) | st.just(0.0) | st.floats(1e-250, 1e-200), max_size=40).map(
    np.array
)


@st.composite
def problems(draw):
    """Variances, and a precision that takes from no shots to 10^15."""
    given_variances = draw(variances)
    spread = np.sqrt(given_variances).sum() or 1.0
    return given_variances, spread / np.sqrt(10 ** draw(st.floats(-9, 15)))


def standard_error(given_variances, shots):
    return np.sqrt(np.sum(given_variances / shots))


@given(problems())
def test_enough_and_not_too_many(problem):
    given_variances, precision = problem
    shots = allocate_shots(given_variances, precision)

    assert shots.shape == given_variances.shape
    assert shots.dtype == np.int64
    assert (shots >= LEAST_SHOTS).all()
    assert standard_error(given_variances, shots) <= precision
    optimum = (np.sqrt(given_variances).sum() / precision) ** 2
    assert shots.sum() <= (1 + 2e-12) * optimum + LEAST_SHOTS * len(shots)


@given(problems())
def test_no_other_allocation_is_cheaper(problem):
    """Cauchy-Schwarz: Σ m ≥ (Σ sqrt V)² / Σ (V/m) for any m; the least shots apart."""
    given_variances, precision = problem
    shots = allocate_shots(given_variances, precision)
    reached = standard_error(given_variances, shots)
    if reached > 0:
        assert shots.sum() >= (np.sqrt(given_variances).sum() / reached) ** 2 * (1 - 1e-12)


@given(problem=problems(), floor=st.floats(0, 0.99))
def test_a_floor_spreads_its_share_evenly(problem, floor):
    """Still enough, at most 1 / (1 − floor) times the optimum, and no group is left out."""
    given_variances, precision = problem
    shots = allocate_shots(given_variances, precision, floor=floor)

    assert standard_error(given_variances, shots) <= precision
    optimum = (np.sqrt(given_variances).sum() / precision) ** 2
    # The shares sum to one to eps for each group.
    rounding = 2e-12 + 1e-15 * len(shots)
    assert shots.sum() <= (1 + rounding) * optimum / (1 - floor) + LEAST_SHOTS * len(shots)
    if len(shots) and given_variances.any():
        wanted = floor / len(shots) * (shots.sum() - LEAST_SHOTS * len(shots))
        assert shots.min() >= wanted * (1 - rounding)


@pytest.mark.parametrize("floor", [-0.1, 1.0, np.nan])
def test_bad_floors_are_refused(floor):
    with pytest.raises(InputError, match=f"floor must be at least 0 and less than 1; got {floor}"):
        allocate_shots(np.array([1.0]), 0.1, floor=floor)


def test_whole_numbers_stay_as_they_are():
    """0.1² is no binary number; 100 shots must not become 101."""
    assert allocate_shots(np.array([1.0]), 0.1).tolist() == [100]
    assert allocate_shots(np.array([1.0, 4.0, 9.0]), 0.1).tolist() == [600, 1200, 1800]


@pytest.mark.parametrize(
    ("given_variances", "precision", "expected"),
    [
        ([], 1e-3, []),
        ([0.0], 1e-3, [LEAST_SHOTS]),
        ([0.0, 0.0], 1e-300, [LEAST_SHOTS] * 2),
        ([0.0, 1.0], 0.1, [LEAST_SHOTS, 100]),
        ([1.0, 1.0], 1e300, [LEAST_SHOTS] * 2),
        ([5e-324], 1e-100, [LEAST_SHOTS]),
        ([1e300], 1e150, [LEAST_SHOTS]),
        ([1e-300], 1e-151, [100]),
    ],
)
def test_zeros_and_extremes(given_variances, precision, expected):
    assert allocate_shots(np.array(given_variances), precision).tolist() == expected


@pytest.mark.parametrize(
    ("given_variances", "precision", "message"),
    [
        ([1.0], 0.0, "precision must be above 0; got 0"),
        ([1.0], -1e-3, r"precision must be above 0; got -0\.001"),
        ([1.0], np.nan, "precision must be finite; got nan"),
        ([1.0], np.inf, "precision must be finite; got inf"),
        ([1.0], "fine", "precision must be a real number; got 'fine'"),
        ([1.0], None, "precision must be a real number; got None"),
        ([1.0, -1e-9], 0.1, r"variances must be at least 0 Hartree²; got -1e-09"),
        ([np.nan], 0.1, "variances has 1 entries that are nan"),
        ([np.inf], 0.1, "variances has 1 entries that are nan or inf"),
        ([[1.0]], 0.1, r"variances must have shape \(1,\); got \(1, 1\)"),
        (1.0, 0.1, r"variances must have shape \(1,\); got \(\)"),
        ([1.0], 1e-8, r"precision of 1e-08 Hartree needs 1\.0e\+16 shots.*Ask for a larger"),
        ([0.0, 1.0], 5e-324, "needs inf shots, more than can be counted"),
    ],
)
def test_bad_input_is_refused(given_variances, precision, message):
    with pytest.raises(InputError, match=message):
        allocate_shots(np.array(given_variances), precision)


def test_the_most_that_can_be_counted():
    shots = allocate_shots(np.array([1.0]), 1.01 / np.sqrt(MOST_SHOTS))
    assert 0.98 * MOST_SHOTS < shots[0] < MOST_SHOTS


def lower_bound(given_variances, spent, precision):
    """Lagrange's dual: for any μ ≥ 0, no feasible m ≥ spent has fewer shots than this."""
    spread = np.sqrt(given_variances)

    def dual(logarithm):
        root = np.exp(logarithm)  # of μ
        best = np.maximum(spent, root * spread)
        loss = np.divide(root * given_variances, best, out=np.zeros_like(spread), where=best > 0)
        return best.sum() + root * (loss.sum() - root * precision**2)

    centre = np.log(max(spread.sum(), 1e-200)) - 2 * np.log(precision)  # of the optimum, none spent
    grid = centre - np.geomspace(1e-3, 60, 400)
    values = np.array([dual(x) for x in (centre, *grid)])
    return max(0.0, spent.sum(), values.max())


@given(problem=problems(), data=st.data(), floor=st.sampled_from([0.0, 0.05]))
def test_spent_shots_count(problem, data, floor):
    """What was spent stays, the precision is reached, and no group gets more than it needs."""
    given_variances, precision = problem
    alone = allocate_shots(given_variances, precision, floor=floor)
    factors = data.draw(
        st.lists(st.floats(0, 3), min_size=len(alone), max_size=len(alone)).map(np.array)
    )
    spent = (factors * alone).astype(np.int64)
    shots = allocate_shots(given_variances, precision, floor=floor, spent=spent)

    assert (shots >= spent).all()
    assert (shots >= LEAST_SHOTS).all()
    assert standard_error(given_variances, shots) <= precision
    # more of one group never asks for more of another: roundings of one shot each apart
    assert (shots <= np.maximum(spent, alone) + 1e-11 * alone).all()
    assert (allocate_shots(given_variances, precision, floor=floor, spent=shots) == shots).all()


@settings(max_examples=60)
@given(
    spreads=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=12).map(np.array),
    factors=st.lists(st.floats(0, 5), min_size=12, max_size=12).map(np.array),
    shots=st.floats(1e2, 1e10),
)
def test_spent_shots_are_spent_well(spreads, factors, shots):
    """At most one shot a group, and what the grid of the dual misses, above the lower bound."""
    precision = spreads.sum() / np.sqrt(shots)
    optimum = spreads / spreads.sum() * shots
    spent = (factors[: len(spreads)] * optimum).astype(np.int64)
    total = allocate_shots(spreads**2, precision, spent=spent).sum()

    # Neighbours on the grid are 2.8 % of their distance from its centre apart. Near the maximum of
    # the concave dual, being off by x in log sqrt(μ) costs a share x²: 1e-3 at a distance of 1.
    assert total <= lower_bound(spreads**2, spent, precision) * (1 + 2e-3) + 2 * len(spreads)


def test_a_round_that_was_long_enough_needs_no_other():
    spent = np.array([10, 400])
    assert allocate_shots(np.array([1.0, 4.0]), 0.5, spent=spent).tolist() == [10, 400]
    assert allocate_shots(np.array([1.0, 4.0]), 0.1, spent=spent).tolist() == [300, 600]
    # group one has plenty, and group two needs less for it: 4 / m = 0.01 − 1 / 1000
    spent = np.array([1000, 10])
    assert allocate_shots(np.array([1.0, 4.0]), 0.1, spent=spent).tolist() == [1000, 445]


@pytest.mark.parametrize(
    ("spent", "message"),
    [
        ([1], r"spent must have shape \(2,\); got \(1,\)"),
        ([1, -1], "spent must be whole numbers, at least 0; got -1 to 1"),
        ([1, 0.5], "spent must be whole numbers, at least 0; got 0.5 to 1"),
    ],
)
def test_bad_spent_shots_are_refused(spent, message):
    with pytest.raises(InputError, match=message):
        allocate_shots(np.array([1.0, 4.0]), 0.1, spent=np.array(spent))
