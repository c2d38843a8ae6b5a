# SPDX-License-Identifier: Apache-2.0
"""One rotation for several matrices, and the order in which its pairs are turned."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.lowrank import jointly_diagonal, tournament
from tests.strategies import factor_stacks

EPS = np.finfo(float).eps


@given(factor_stacks())
def test_no_turn_of_two_columns_gains_much(stack):
    """The sum is no lower than before, and stationary to the share of a sweep."""
    given = stack.copy()
    orbitals = jointly_diagonal(stack, least_gain=1e-4)
    np.testing.assert_array_equal(stack, given)
    norb = stack.shape[1]
    np.testing.assert_allclose(orbitals.T @ orbitals, np.eye(norb), rtol=0, atol=1e-12)

    def total(frame):
        diagonal = np.einsum("pi,tpq,qi->ti", frame, stack, frame)
        return np.sum(diagonal**2)

    reached = total(orbitals)
    slack = 1e3 * EPS * np.sum(stack**2)
    assert reached >= total(np.eye(norb)) - slack
    for p in range(norb):
        for q in range(p):
            for angle in np.linspace(-np.pi / 4, np.pi / 4, 9):
                turned = orbitals.copy()
                turned[:, p] = np.cos(angle) * orbitals[:, p] + np.sin(angle) * orbitals[:, q]
                turned[:, q] = np.cos(angle) * orbitals[:, q] - np.sin(angle) * orbitals[:, p]
                assert total(turned) <= reached * 1.01 + slack


@given(st.integers(0, 9))
def test_everyone_meets_everyone_once(size):
    met = []
    for first, second in tournament(size):
        assert len({*first, *second}) == 2 * len(first)  # nobody plays twice in a round
        met += [frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)]
    assert len(met) == len(set(met)) == size * (size - 1) // 2
