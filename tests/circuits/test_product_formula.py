# SPDX-License-Identifier: Apache-2.0
"""Schedules of product formulas."""

import numpy as np
import pytest
from scipy.linalg import expm

from qlowrank.checks import InputError
from qlowrank.circuits.product_formula import product_formula

EPS = np.finfo(float).eps


@pytest.mark.parametrize("order", [1, 2, 4, 6])
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("n_layers", [0, 1, 2, 5])
def test_every_layer_has_all_of_the_time(n_layers, steps, order):
    schedule = product_formula(n_layers, time=0.7, steps=steps, order=order)
    for layer in range(n_layers):
        spent = [duration for other, duration in schedule if other == layer]
        # Sums of at most 3 · 25 · 2 times of at most 0.7 each.
        assert sum(spent) == pytest.approx(0.7, abs=150 * 0.7 * EPS)
    assert all(one[0] != two[0] for one, two in zip(schedule[1:], schedule[:-1], strict=True))


@pytest.mark.parametrize("order", [2, 4, 6])
def test_even_orders_are_symmetric(order):
    schedule = product_formula(4, time=0.3, steps=2, order=order)
    backwards = schedule[::-1]
    assert [layer for layer, _ in schedule] == [layer for layer, _ in backwards]
    np.testing.assert_allclose(
        [duration for _, duration in schedule],
        [duration for _, duration in backwards],
        rtol=8 * EPS,
    )


@pytest.mark.parametrize("order", [1, 2, 4, 6])
def test_error_is_of_the_order_promised(rng, order):
    """Three random Hermitian matrices: halving the step divides its error by 2^(order + 1)."""
    parts = rng.standard_normal((3, 5, 5))
    parts = parts + parts.transpose(0, 2, 1)

    def error(time):
        made = np.eye(5)
        for layer, duration in product_formula(3, time=time, order=order):
            made = expm(-1j * duration * parts[layer]) @ made
        return np.linalg.norm(made - expm(-1j * time * parts.sum(axis=0)))

    time = {1: 1e-3, 2: 4e-3, 4: 3e-2, 6: 6e-2}[order]
    slope = np.log2(error(time) / error(time / 2))
    # The next order is smaller by time · norm, some 0.1 to 0.3 at the largest time.
    assert slope == pytest.approx(order + 1, abs=0.4)


def test_counts_of_a_symmetric_formula():
    """Three layers, n steps: the outer ones merge between steps, the inner one in the middle."""
    schedule = product_formula(3, time=1.0, steps=4)
    counts = np.bincount([layer for layer, _ in schedule])
    np.testing.assert_array_equal(counts, [5, 8, 4])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"time": np.inf}, "time must be finite"),
        ({"time": 1.0, "steps": 0}, "steps must be at least 1; got 0"),
        ({"time": 1.0, "steps": 1.5}, "steps must be a whole number"),
        ({"time": 1.0, "order": 3}, "order must be 1 or an even number; got 3"),
        ({"time": 1.0, "order": 0}, "order must be 1 or an even number; got 0"),
        ({"time": 1.0, "order": 2.5}, "order must be a whole number"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        product_formula(2, **arguments)
