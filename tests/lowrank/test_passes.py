# SPDX-License-Identifier: Apache-2.0
"""Passes over rows of numbers: the same in memory and in a file, however they are cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.files.scratch import scratch_array
from qlowrank.lowrank import passes
from qlowrank.lowrank.passes import Passes
from qlowrank.lowrank.threads import ALONE, Workers, workers
from qlowrank.parallel import threads

EPS = np.finfo(float).eps


def in_a_file(array):
    mapped = scratch_array(array.shape)
    mapped[...] = array
    return mapped


@pytest.mark.parametrize("placed", [np.array, in_a_file])
@pytest.mark.parametrize("pages", [np.inf, 80.0, 0.0])
def test_rows_are_read_in_blocks(rng, monkeypatch, placed, pages):
    """Products, norms and columns are those of one block, up to the order of sums."""
    vectors, left = placed(rng.standard_normal((7, 5))), rng.standard_normal((2, 7))
    monkeypatch.setattr(passes, "ROWS", 3)
    monkeypatch.setattr(passes, "FEWEST", 1)
    monkeypatch.setattr(passes, "COLUMNS", 2)
    expected = np.sum(vectors**2, axis=0)
    with threads(2), workers() as team:
        over = Passes(team, pages)
        norms = over.squared_norms(vectors)
        found = over.product(left, vectors)
        some = np.array([4, 0, 4])
        columns = over.columns_of(vectors, some)
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
    vectors, over = np.empty((1, length)), Passes(Workers(None, count))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "WIDE", wide)
        here = over.parts(vectors, narrow)
        there = over.parts(in_a_file(vectors) if length else vectors, narrow)
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
        found = Passes(team).parts(np.empty((1, 10)), 4)
        assert found == [slice(0, 3), slice(3, 6), slice(6, 10)]


@given(count=st.integers(0, 600), length=st.integers(1, 50), pages=st.floats(0, 1e5))
def test_rows_of_a_file_have_room(count, length, pages):
    """All rows come once, in order, as few at a time as there is room for, or the fewest."""
    over, vectors = Passes(pages=pages), np.empty((count, length))
    here, there = over.rows(vectors), over.rows(in_a_file(vectors) if count else vectors)
    for parts in (here, there):
        assert [row for part in parts for row in range(count)[part]] == list(range(count))
        assert max((part.stop - part.start for part in parts), default=0) <= passes.ROWS
    for part in there:
        height = part.stop - part.start
        assert height <= passes.FEWEST or 8 * height * length <= pages
