# SPDX-License-Identifier: Apache-2.0
"""Groups of orbitals, and the bound that their exchange gives."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.integrals.direct import residual as module
from qlowrank.integrals.direct.residual import ExactExchange, orbital_groups, residual_bounds


def shares(orbitals):
    """s_p = sum over mu of C_mu,p^2 / w_mu^2, element by element."""
    found = np.zeros(orbitals.shape[1])
    for row in orbitals:
        if np.any(row):
            for p, coefficient in enumerate(row):
                found[p] += coefficient**2 / sum(c**2 for c in row)
    return found


def worst(share, groups):
    """The largest bound that is expected of any group."""
    return max((share[list(g)].max() * share[list(g)].sum() for g in groups if len(g)), default=0)


def cuts(ordered, most):
    """Every way to cut a sequence into at most so many pieces."""
    for count in range(most):
        for edges in combinations(range(1, len(ordered)), count):
            yield np.split(ordered, edges)


@given(
    norb=st.integers(1, 9),
    extra=st.integers(0, 3),
    filled=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    seed=st.integers(0, 2**32 - 1),
)
def test_groups_are_the_best_cut_of_all_orbitals(norb, extra, filled, seed):
    rng = np.random.default_rng(seed)
    orbitals = rng.normal(size=(norb + extra, norb)) * 10.0 ** rng.normal(size=norb)
    orbitals[rng.integers(len(orbitals))] = 0.0  # a function that no wanted orbital contains
    nelec = tuple(min(n, norb) for n in filled)
    groups = orbital_groups(orbitals, nelec)
    assert all(len(group) for group in groups)
    np.testing.assert_array_equal(np.sort(np.concatenate(groups)), np.arange(norb))
    low, high = sorted(nelec)
    rest = [group for group in groups if group[0] >= high]
    filled_groups = [list(group) for group in groups if group[0] < high]
    expected = [list(range(low)), list(range(low, high))]
    assert filled_groups == [group for group in expected if group]
    assert len(rest) <= module.GROUPS
    share = shares(orbitals)
    ordered = high + np.argsort(-share[high:], kind="stable")
    best = min((worst(share, pieces) for pieces in cuts(ordered, module.GROUPS)), default=0.0)
    # the limit is halved in upon from at most n times the best one: the largest share squared
    precision = norb * 0.5**module.HALVINGS + 100 * norb * np.finfo(float).eps
    assert worst(share, rest) <= best * (1 + precision)


@pytest.mark.parametrize("groups", [[[0, 1, 2, 3, 4]], [[0, 1], [2, 4], [3]]])
def test_bounds_hold_of_every_pair(groups):
    """Of a random positive semidefinite residual; a group of one orbital is exact."""
    norb, rng = 5, np.random.default_rng(3)
    factors = rng.normal(size=(4, norb, norb))
    factors += factors.transpose(0, 2, 1)
    known, missing = factors[:1], factors[1:]
    matrices = np.array(
        [np.einsum("tpr,tqr->pq", factors[..., g], factors[..., g]) for g in groups]
    )
    exchange = ExactExchange([np.array(g) for g in groups], matrices)
    bounds = residual_bounds(exchange, np.einsum("tpq,tpq->pq", known, known))
    exact = np.einsum("tpq,tpq->pq", missing, missing)
    rounding = 100 * np.finfo(float).eps * np.abs(matrices).max()
    assert np.all(bounds >= exact - rounding)
    np.testing.assert_allclose(bounds, bounds.T)
    for group in groups:
        if len(group) == 1:
            assert np.all(bounds[:, group[0]] <= exact[:, group[0]] + rounding)
