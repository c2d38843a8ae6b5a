# SPDX-License-Identifier: Apache-2.0
"""The parts of a readout: landings, stairs, corners and trimming, each for itself."""

from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import block_diag

from qlowrank.circuits import GivensNetwork, givens_rotations
from qlowrank.circuits.corners import networks_from_corners
from qlowrank.circuits.elimination import NEGLIGIBLE
from qlowrank.circuits.frames import without_noise
from qlowrank.circuits.landing import gathered, landed_at, landings, sorted_by_block
from qlowrank.circuits.staircase import staircase
from qlowrank.circuits.trimming import trimmed

EPS = np.finfo(float).eps

generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def haar(generator, norb):
    return np.linalg.qr(generator.standard_normal((norb, norb)))[0]


@settings(deadline=None)
@given(generator=generators, norb=st.integers(1, 8), sparse=st.booleans())
def test_every_landing_holds_the_needed_columns(generator, norb, sparse):
    cut = int(generator.integers(0, norb + 1)) if sparse else norb
    frame = block_diag(haar(generator, cut), haar(generator, norb - cut))
    frame = frame[generator.permutation(norb)]
    needed = generator.random(norb) < 0.5

    for matrix in landings(frame, needed):
        # Some 2 norb reflections or norb² rotations, each rounding norb numbers by 4 eps.
        bound = 8 * EPS * norb**2.5 + norb * NEGLIGIBLE
        assert np.linalg.norm(matrix.T @ matrix - np.eye(norb)) <= bound
        overlap = np.abs(matrix.T @ frame[:, needed])
        assert np.abs(overlap.max(axis=0, initial=0) - 1).max(initial=0) <= bound


@settings(deadline=None)
@given(generator=generators, norb=st.integers(1, 8))
def test_stairs_are_zero_below_and_span_the_same(generator, norb):
    n_columns = int(generator.integers(0, norb + 1))
    columns = haar(generator, norb)[:, :n_columns]

    mixed = staircase(columns)

    for column in range(n_columns):
        assert not mixed[norb - n_columns + column + 1 :, column].any()
    # n reflections, each rounding norb numbers by a few eps.
    np.testing.assert_allclose(
        mixed @ mixed.T, columns @ columns.T, rtol=0, atol=16 * norb * max(n_columns, 1) * EPS
    )


def test_free_columns_are_cut_from_both_ends(rng):
    """Mode by mode: 2 free, 2 needed, 2 free, with 4 · 3 / 2 zeros."""
    frame = haar(rng, 6)
    matrix = landed_at(frame[:, :2], frame[:, 2:], position=2)
    filled = np.abs(matrix) > NEGLIGIBLE
    np.testing.assert_array_equal(matrix[:, 2:4], frame[:, :2])
    assert filled.sum() == 36 - 6
    assert not filled[5, 0]
    assert not filled[:2, 4].any()
    assert not filled[:3, 5].any()


def test_blocks_come_side_by_side(rng):
    """Rows 0, 3, 4 and rows 1, 2, 5 (mean 7/3 and 8/3), columns mixed."""
    frame = np.zeros((6, 6))
    frame[np.ix_([0, 3, 4], [5, 1, 2])] = haar(rng, 3)
    frame[np.ix_([1, 2, 5], [0, 3, 4])] = haar(rng, 3)
    np.testing.assert_array_equal(sorted_by_block(frame), frame[:, [1, 2, 5, 0, 3, 4]])


@pytest.mark.parametrize(
    ("rows", "count"), [([3], 0), ([2, 3], 1), ([1, 4], 3), ([0, 2, 5], 5), (range(6), 5)]
)
def test_gathering_a_column_takes_its_extent(rng, rows, count):
    """One rotation less than the rows from its first to its last, those between included."""
    column = np.zeros((6, 1))
    column[list(rows), 0] = rng.standard_normal(len(rows))
    column /= np.linalg.norm(column)

    matrix = gathered(column)

    assert givens_rotations(matrix).n_rotations == count
    assert np.abs(np.abs(matrix.T @ column).max() - 1) <= 32 * EPS


@settings(deadline=None)
@given(generator=generators, norb=st.integers(0, 7))
def test_every_corner_gives_the_matrix(generator, norb):
    matrix = haar(generator, norb) if norb else np.zeros((0, 0))
    networks = list(networks_from_corners(matrix))

    assert len(networks) == 4
    for network in networks:
        # As in the tests of givens_rotations.
        bound = 4 * EPS * norb**2.5 + norb * NEGLIGIBLE
        assert np.linalg.norm(network.matrix() - matrix) <= bound
        assert network.depth <= norb


def test_depths_from_the_corners_differ_where_there_are_zeros(rng):
    """5 of 16 columns landed in the middle: as many rotations, in 13 to 16 layers."""
    frame = haar(rng, 16)
    networks = list(networks_from_corners(landed_at(frame[:, :5], frame[:, 5:], position=8)))
    assert {network.n_rotations for network in networks} == {16 * 15 // 2 - 11 * 10 // 2}
    depths = [network.depth for network in networks]
    assert min(depths) == 13
    assert len(set(depths)) > 1


@settings(deadline=None)
@given(generator=generators, norb=st.integers(2, 7))
def test_trimming_keeps_what_is_read(generator, norb):
    """A random network with swaps in it: the columns that were read are there, on other modes."""
    size = int(generator.integers(0, 12))
    angles = generator.choice([0.3, -1.1, pi / 2, -pi / 2], size=size)
    network = GivensNetwork(
        modes=generator.integers(0, norb - 1, size=size), angles=angles, signs=np.ones(norb)
    )
    needed = generator.random(norb) < 0.5

    short = trimmed(network, needed)

    overlap = np.abs(short.matrix().T @ network.matrix()[:, needed])
    # Twelve rotations on each side, rounding norb numbers of at most 1 each.
    bound = 64 * norb * EPS
    assert np.abs(overlap.max(axis=0, initial=0) - 1).max(initial=0) <= bound
    assert short.n_rotations <= network.n_rotations


def test_only_the_end_is_trimmed():
    """A swap that something follows stays; a free rotation after it goes, and then the swap."""
    network = GivensNetwork(modes=[0, 1], angles=[pi / 2, 0.4], signs=np.ones(3))
    assert trimmed(network, np.array([True, True, True])).n_rotations == 2
    assert trimmed(network, np.array([True, False, False])).n_rotations == 0
    assert trimmed(network, np.array([False, True, False])).n_rotations == 2


def test_noise_is_cleared_and_the_frame_orthogonal_again(rng):
    frame = block_diag(haar(rng, 3), haar(rng, 3))
    noisy = frame + 1e-10 * rng.standard_normal((6, 6))

    clean = without_noise(noisy, 1e-9)

    np.testing.assert_array_equal(clean == 0, frame == 0)
    assert np.linalg.norm(clean - frame) <= 6e-10
    # Distance 1e-9 from orthogonality, squared, and rounding.
    assert np.linalg.norm(clean.T @ clean - np.eye(6)) <= 32 * EPS
