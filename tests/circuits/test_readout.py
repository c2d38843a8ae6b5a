# SPDX-License-Identifier: Apache-2.0
"""Reading some columns of a frame: the right columns, in as few rotations as can be."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import block_diag, expm

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.circuits import GivensNetwork, ReadoutNetwork, givens_rotations, readout_network
from qlowrank.circuits.elimination import NEGLIGIBLE
from qlowrank.measurement import plain_groups

EPS = np.finfo(float).eps


def haar(generator, norb):
    return np.linalg.qr(generator.standard_normal((norb, norb)))[0]


def scattered_blocks(generator, norb):
    """Blocks as point-group symmetry makes them: rows and columns in any order."""
    cuts = np.unique(generator.integers(0, norb + 1, size=2))
    sizes = np.diff([0, *cuts, norb])
    frame = block_diag(*(haar(generator, size) for size in sizes if size))
    return frame[generator.permutation(norb)][:, generator.permutation(norb)]


def paired_blocks(generator, norb):
    """Columns (x, ±y)/√2 as leaves have that couple two irreducible representations."""
    half = norb // 2
    x, y = haar(generator, half), haar(generator, half)
    frame = np.block([[x, x], [y, -y]]) / np.sqrt(2)
    frame = block_diag(frame, *[np.eye(1)] * (norb % 2))
    return frame[generator.permutation(norb)]


def small_rotation(generator, norb):
    matrix = 10.0 ** generator.integers(-17, 0) * generator.standard_normal((norb, norb))
    return expm(matrix - matrix.T)[:, generator.permutation(norb)]


KINDS = {
    "general": haar,
    "blocks": scattered_blocks,
    "pairs": paired_blocks,
    "small": small_rotation,
    "permutation": lambda generator, norb: generator.permutation(np.eye(norb)),
}


@st.composite
def questions(draw, largest=8):
    """A frame of any kind and which of its columns are needed."""
    norb = draw(st.integers(1, largest))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frame = KINDS[draw(st.sampled_from(sorted(KINDS)))](generator, norb)
    needed = draw(st.lists(st.booleans(), min_size=norb, max_size=norb))
    return frame * generator.choice([1.0, -1.0], size=norb), np.array(needed)


def miss(readout, frame):
    """Frobenius norm of what is wrong with the columns that are read, whatever their signs."""
    made = readout.network.matrix()[:, readout.modes]
    made = made * np.where(np.einsum("pk,pk->k", made, frame) < 0, -1, 1)
    return np.linalg.norm((made - frame)[:, readout.needed])


def tolerance(norb, negligible=NEGLIGIBLE):
    """Elements cleared beforehand, norb at most; dropped on the way, as many; and rounding."""
    return norb * (negligible + 2 * NEGLIGIBLE) + 4 * EPS * norb**2.5


def generic_count(norb, n_needed):
    return n_needed * (norb - n_needed) + n_needed * (n_needed - 1) // 2


@settings(deadline=None, max_examples=300)
@given(question=questions())
def test_needed_columns_are_read_in_few_rotations(question):
    """Never more than the generic count, than the whole frame takes, and norb layers."""
    frame, needed = question
    norb, n_needed = len(frame), int(needed.sum())

    readout = readout_network(frame, needed=needed)

    assert miss(readout, frame) <= tolerance(norb)
    assert readout.network.n_rotations <= generic_count(norb, n_needed)
    assert readout.network.n_rotations <= givens_rotations(frame).n_rotations
    assert readout.network.depth <= norb
    assert sorted(readout.modes) == list(range(norb))
    np.testing.assert_array_equal(readout.needed, needed)


@pytest.mark.parametrize("norb", range(1, 10))
def test_general_frames_take_the_generic_count_and_half_the_depth(random_frame, norb):
    frame = random_frame(norb)
    for n_needed in range(norb + 1):
        network = readout_network(frame, needed=np.arange(norb) < n_needed).network

        assert network.n_rotations == generic_count(norb, n_needed)
        assert network.depth <= (min(norb, norb // 2 + n_needed) if n_needed else 0)
    assert readout_network(frame).network.n_rotations == norb * (norb - 1) // 2


def test_fewer_rotations_cannot_reach_all_columns(rng):
    """The count is the dimension of what r columns can be: the rank of the derivative there."""
    norb, n_needed = 6, 2
    readout = readout_network(haar(rng, norb), needed=np.arange(norb) < n_needed)

    def columns(angles):
        network = GivensNetwork(
            modes=readout.network.modes, angles=angles, signs=readout.network.signs
        )
        return network.matrix()[:, readout.modes[readout.needed]].ravel()

    steps = 1e-6 * np.eye(readout.network.n_rotations)
    angles = readout.network.angles
    derivative = [(columns(angles + step) - columns(angles - step)) / 2e-6 for step in steps]
    # Differences of step 1e-6 are right to 1e-9; the angles are of order one.
    assert np.linalg.matrix_rank(derivative, tol=1e-5) == readout.network.n_rotations == 9


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_nothing_needed_is_free(rng, kind):
    assert readout_network(KINDS[kind](rng, 6), needed=np.zeros(6, bool)).network.n_rotations == 0


@pytest.mark.parametrize("norb", [0, 1, 5])
def test_order_and_signs_are_free(rng, norb):
    order = rng.permutation(norb)
    readout = readout_network(-np.eye(norb)[:, order])
    assert readout.network.n_rotations == 0
    np.testing.assert_array_equal(readout.modes, order)


def test_blocks_are_sorted_only_as_far_as_needed(rng):
    """Two blocks on alternating rows: 3 + 3 rotations, and 3 swaps bring the rows together."""
    frame = np.zeros((6, 6))
    frame[::2, :3], frame[1::2, 3:] = haar(rng, 3), haar(rng, 3)
    assert readout_network(frame).network.n_rotations == 9
    assert readout_network(frame[:, [3, 0, 4, 1, 5, 2]]).network.n_rotations == 9
    # One column alone gathers three rows over two others.
    one = readout_network(frame, needed=np.arange(6) == 1)
    assert one.network.n_rotations == 4


def test_columns_in_place_stay_where_they_are(rng):
    """A needed column that is one mode already costs nothing, in the middle of free ones too."""
    frame = block_diag(haar(rng, 3), np.eye(1), haar(rng, 3))
    readout = readout_network(frame, needed=np.arange(7) == 3)
    assert readout.network.n_rotations == 0
    assert readout.modes[3] == 3


def test_water_leaves():
    """Every group of water STO-3G: right, and half the rotations of its whole frame in all."""
    groups = plain_groups(ql.double_factorize(ql.from_example("water")))
    before, after, ranks = 0, 0, set()
    for group in groups:
        size = np.maximum(np.abs(group.linear), np.abs(group.same_spin).max(axis=0))
        readout = readout_network(group.frame, needed=size > 1e-9)

        assert miss(readout, group.frame) <= tolerance(7)
        assert readout.network.depth <= 6
        before += givens_rotations(group.frame).n_rotations
        after += readout.network.n_rotations
        ranks.add(int(readout.needed.sum()))

    assert {2, 7} <= ranks
    assert after <= 0.55 * before


@pytest.mark.parametrize("negligible", [1e-12, 1e-10, 1e-8])
def test_noise_costs_nothing_where_it_is_called_so(rng, negligible):
    """Rounding between blocks, as eigensolvers leave it, is cleared as far as one asks."""
    blocks = block_diag(haar(rng, 3), haar(rng, 4))
    matrix = 0.05 * negligible * rng.standard_normal((7, 7))
    frame = blocks @ expm(matrix - matrix.T)

    readout = readout_network(frame, negligible=negligible)

    assert readout.network.n_rotations == 9
    assert miss(readout, frame) <= tolerance(7, negligible)


def test_frames_off_by_what_is_permitted_are_read(random_frame):
    """Elements of a frame orthogonal to 1e-8 only are met to 1e-8."""
    frame = random_frame(5) * (1 + 2e-9)
    readout = readout_network(frame, needed=np.array([True, False, True, False, False]))
    assert readout.network.n_rotations == 7
    assert miss(readout, frame) <= 1e-8


def test_same_frame_same_bytes(rng):
    frame, needed = scattered_blocks(rng, 8), rng.random(8) < 0.6
    first = readout_network(frame, needed=needed)
    second = readout_network(frame.copy(order="F"), needed=needed.tolist())
    assert first.network.angles.tobytes() == second.network.angles.tobytes()
    assert first.modes.tobytes() == second.modes.tobytes()


def test_measured_modes_come_back_as_columns(rng):
    frame = np.eye(4)[:, [2, 0, 3, 1]]
    readout = readout_network(frame)
    occupations = rng.integers(0, 2, size=(5, 2, 4))
    np.testing.assert_array_equal(readout.in_columns(occupations), occupations[..., [2, 0, 3, 1]])
    assert repr(readout) == "ReadoutNetwork(norb=4, needed=4, rotations=0, depth=0)"


def test_record_is_read_only_and_checked(rng):
    readout = readout_network(haar(rng, 3))
    for name in ("modes", "needed"):
        assert not getattr(readout, name).flags.writeable
    for change, message in (
        ({"modes": [0, 0, 1]}, "modes must name each of the 3 modes once"),
        ({"needed": [True, False]}, r"needed must be 3 booleans; got bool \(2,\)"),
        ({"needed": [1, 0, 1]}, "needed must be 3 booleans; got int"),
    ):
        with pytest.raises(InputError, match=message):
            dataclasses.replace(readout, **change)
    assert isinstance(readout, ReadoutNetwork)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"frame": 2 * np.eye(3)}, "frame must be orthogonal"),
        ({"frame": np.eye(3), "needed": [0, 1, 2]}, "3 booleans, one for each.*got int.*np.isin"),
        ({"frame": np.eye(3), "needed": [True]}, r"got bool of shape \(1,\)"),
        ({"frame": np.eye(3), "negligible": 0}, "negligible must be above 0"),
        ({"frame": np.eye(3), "negligible": 1e-13}, "between 1e-12 and 1e-08"),
        ({"frame": np.eye(3), "negligible": 1e-7}, "between 1e-12 and 1e-08.*got 1.0e-07"),
        ({"frame": np.eye(3), "negligible": np.nan}, "negligible must be finite"),
    ],
)
def test_bad_questions_are_refused(question, message):
    with pytest.raises(InputError, match=message):
        readout_network(**question)
