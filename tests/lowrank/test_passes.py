# SPDX-License-Identifier: Apache-2.0
"""Passes over rows of numbers: the same in memory and in a file, however they are cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.files.scratch import scratch_array
from qlowrank.lowrank import passes
from qlowrank.lowrank.threads import ALONE, Workers, workers
from qlowrank.parallel import threads

EPS = np.finfo(float).eps


def in_a_file(array):
    mapped = scratch_array(array.shape)
    mapped[...] = array
    return mapped


@pytest.mark.parametrize("placed", [np.array, in_a_file])
def test_rows_are_read_in_blocks(rng, monkeypatch, placed):
    """Products, norms and columns are those of one block, up to the order of sums."""
    vectors, left = placed(rng.standard_normal((7, 5))), rng.standard_normal((2, 7))
    monkeypatch.setattr(passes, "ROWS", 3)
    monkeypatch.setattr(passes, "COLUMNS", 2)
    expected = np.sum(vectors**2, axis=0)
    with threads(2), workers() as team:
        norms = passes.squared_norms(vectors, team)
        found = passes.product(left, vectors, team)
        some = np.array([4, 0, 4])
        columns = passes.columns_of(vectors, some, team)
    np.testing.assert_allclose(norms, expected, rtol=7 * EPS)
    atol = 7 * EPS * np.abs(left).sum() * np.abs(vectors).max()
    np.testing.assert_allclose(found, left @ vectors, rtol=0, atol=atol)
    np.testing.assert_array_equal(columns, vectors[:, some])


@given(
    length=st.integers(0, 60),
    narrow=st.integers(1, 9),
    count=st.integers(1, 5),
    wide=st.integers(9, 70),
)
def test_parts_of_a_file(length, narrow, count, wide):
    """They are all of it, and as many for each thread, but no more than in memory."""
    vectors, team = np.empty((1, length)), Workers(None, count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "WIDE", wide)
        here = passes.parts(vectors, narrow, team)
        there = passes.parts(in_a_file(vectors) if length else vectors, narrow, team)
    for parts, most in ((here, narrow), (there, wide)):
        assert [place for part in parts for place in range(length)[part]] == list(range(length))
        widths = [part.stop - part.start for part in parts]
        assert max(widths, default=0) <= most
        assert max(widths, default=0) - min(widths, default=0) <= 1
    assert len(there) <= len(here)
    assert len(there) % count == 0 or there == here
    assert len(there) < -(-length // wide) + count


def test_parts_in_memory():
    """They are the same for any number of threads."""
    for team in (ALONE, Workers(None, 3)):
        found = passes.parts(np.empty((1, 10)), 4, team)
        assert found == [slice(0, 3), slice(3, 6), slice(6, 10)]
