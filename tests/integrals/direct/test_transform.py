# SPDX-License-Identifier: Apache-2.0
"""Vectors turned to other orbitals while threads would wait, against one product."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from qlowrank.integrals.direct.budget import means
from qlowrank.integrals.direct.transform import Transformed
from qlowrank.integrals.pairs import pack, unpack
from qlowrank.lowrank.threads import workers


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("memory", [None, 3e4])  # 10 kB at a time, else scratch files
@given(
    seed=st.integers(0, 2**32 - 1),
    counts=st.lists(st.integers(0, 40), max_size=4),
    expected=st.integers(0, 90),
)
def test_large_and_small_vectors_are_told_apart(threads, memory, seed, counts, expected):
    """However little room there was at first; large ones first come first, others last."""
    rng = np.random.default_rng(seed)
    nao, norb = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    npair = nao * (nao + 1) // 2
    rows = np.flatnonzero(rng.random(npair) < 0.8)
    orbitals = rng.standard_normal((nao, norb))
    vectors, sizes = rng.standard_normal((sum(counts), len(rows))), rng.random(sum(counts))
    with threadpool_limits(threads, user_api="blas"), workers() as team:
        turned = Transformed(rows, orbitals, 0.6, expected, means(memory, None, team, None))
        for part in np.split(np.arange(len(vectors)), np.cumsum(counts)[:-1]):
            turned.take(vectors[part], sizes[part])
        large, small = turned.large.copy(), turned.small.copy()
    full = np.zeros((len(vectors), npair))
    full[:, rows] = vectors
    exact = pack(orbitals.T @ unpack(full, nao) @ orbitals)
    # sums of nao² products
    noise = nao**2 * 1e-15 * (1 + np.abs(orbitals).max() ** 2) * (1 + np.abs(full).max(initial=0))
    np.testing.assert_allclose(large, exact[sizes >= 0.6], rtol=0, atol=noise)
    np.testing.assert_allclose(small[::-1], exact[sizes < 0.6], rtol=0, atol=noise)


def test_what_came_before_stays_where_room_is_made():
    with workers() as team:
        own = means(None, None, team, None)
        turned = Transformed(np.arange(3), np.eye(2), 1.0, 2, own)
        turned.take(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([1.0, 0.5]))
        first = turned.large, turned.small
        turned.take(np.array([[7.0, 8.0, 9.0]]), np.array([2.0]))
        assert turned.large.tolist() == [[1.0, 2.0, 3.0], [7.0, 8.0, 9.0]]
        assert turned.small.tolist() == [[4.0, 5.0, 6.0]]
        assert [part.tolist() for part in first] == [[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]]
