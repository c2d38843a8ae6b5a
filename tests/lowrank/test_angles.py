# SPDX-License-Identifier: Apache-2.0
"""Principal angles, gaps, and how far perturbations turn spaces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.lowrank import principal_angles, rotation_bound, spectral_gap

EPS = np.finfo(float).eps


def projector(columns):
    basis = np.linalg.qr(columns)[0]
    return basis @ basis.T


@given(seed=st.integers(0, 30), rank=st.integers(1, 4))
def test_distances_are_those_of_projectors(seed, rank):
    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((2, 9, rank))
    found = principal_angles(first, second)
    difference = projector(first) - projector(second)
    assert found.gap_distance == pytest.approx(np.linalg.norm(difference, 2), abs=1e-12)
    assert found.chordal_distance == pytest.approx(
        np.linalg.norm(difference) / np.sqrt(2), abs=1e-12
    )
    overlap = np.trace(projector(first) @ projector(second)) / rank
    assert found.overlap == pytest.approx(overlap, abs=1e-12)


def test_bases_do_not_matter(rng):
    """An invertible mixture spans the same space."""
    first = rng.standard_normal((10, 3))
    mixed = first @ rng.standard_normal((3, 3))
    # eps times the condition number of the mixture, some 1e2.
    assert principal_angles(first, mixed).largest < 1e4 * EPS


def test_an_angle_put_in_comes_out():
    angle = 1e-9  # below the root of eps: a cosine would not see it
    turned = [[np.cos(angle)], [np.sin(angle)]]
    assert principal_angles([[1.0], [0.0]], turned).largest == pytest.approx(angle, rel=1e-6)


def test_empty_spaces():
    found = principal_angles(np.zeros((4, 0)), np.eye(4))
    assert (found.largest, found.chordal_distance, found.overlap) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(("rank", "gap"), [(1, 2.0), (2, 0.0), (3, 2.5), (4, 0.5)])
def test_gap(rank, gap):
    assert spectral_gap([5.0, 3.0, 3.0, 0.5], rank) == gap


@given(seed=st.integers(0, 40), size=st.floats(0.0, 0.8))
def test_no_perturbation_turns_further_than_the_bound(seed, size):
    rng = np.random.default_rng(seed)
    values = np.array([4.0, 3.0, 1.0, 0.5, 0.0])
    frame = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    noise = rng.standard_normal((5, 5))
    noise = noise + noise.T
    noise *= size / np.linalg.norm(noise, 2)
    moved = np.linalg.eigh((frame * values) @ frame.T + noise)[1][:, ::-1]
    found = principal_angles(frame[:, :2], moved[:, :2])
    assert found.largest <= rotation_bound(values, 2, size) + 1e-12


def test_no_statement_without_a_gap():
    assert rotation_bound([1.0, 1.0, 0.0], 1, 1e-9) == pytest.approx(np.pi / 2)
    assert rotation_bound([2.0, 1.0], 1, 0.5) == pytest.approx(np.pi / 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: principal_angles(np.eye(2), np.eye(3)), "same length; got 2 and 3"),
        (lambda: principal_angles([1.0], np.eye(1)), "first must have two axes"),
        (lambda: spectral_gap([1.0, 2.0], 1), "sorted, largest first"),
        (lambda: spectral_gap([1.0], 2), "rank must lie between 1 and 1; got 2"),
        (lambda: rotation_bound([1.0], 1, 0.1), "rank must be below 1"),
        (lambda: rotation_bound([1.0, 0.0], 1, -0.1), "perturbation must be at least 0"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
