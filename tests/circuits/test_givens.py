# SPDX-License-Identifier: Apache-2.0
"""The brick-wall decomposition, on every kind of orthogonal matrix."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import block_diag, expm

from qlowrank.checks import InputError
from qlowrank.circuits import givens_rotations
from qlowrank.circuits.elimination import NEGLIGIBLE

EPS = np.finfo(float).eps

generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)
sizes = st.integers(1, 8)


def haar(generator, norb):
    return np.linalg.qr(generator.standard_normal((norb, norb)))[0]


@st.composite
def permutations(draw):
    """Signed permutation matrices."""
    order = draw(sizes.flatmap(lambda norb: st.permutations(range(norb))))
    signs = draw(st.lists(st.sampled_from([1.0, -1.0]), min_size=len(order), max_size=len(order)))
    return np.eye(len(order))[:, order] * signs


@st.composite
def nearly_diagonal(draw):
    """Signs times a small rotation, down to one that is nothing but rounding."""
    norb, generator = draw(sizes), draw(generators)
    generator_matrix = 10.0 ** draw(st.integers(-17, -1)) * generator.standard_normal((norb, norb))
    signs = generator.choice([1.0, -1.0], size=norb)
    return expm(generator_matrix - generator_matrix.T) * signs


@st.composite
def blocks(draw):
    """Random blocks along the diagonal, with their sizes."""
    shape, generator = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)), draw(generators)
    return shape, block_diag(*(haar(generator, size) for size in shape))


general = st.builds(haar, generators, sizes)
frames = st.one_of(
    general,
    general.map(lambda frame: frame * np.sign(np.linalg.det(frame))),
    general.map(lambda frame: np.column_stack([-frame[:, :1], frame[:, 1:]])),
    permutations(),
    nearly_diagonal(),
    blocks().map(lambda drawn: drawn[1]),
)


@settings(deadline=None)
@given(frame=frames)
def test_product_gives_the_frame_back(frame):
    """And the network's promises hold: at most norb layers, norb (norb - 1) / 2 rotations."""
    norb = len(frame)
    network = givens_rotations(frame)

    # At most norb²/2 eliminations and as many rotations back, each rounds norb numbers of at most
    # 1 in about 4 eps; and at most norb²/2 dropped elements move norb * NEGLIGIBLE.
    bound = 4 * EPS * norb**2.5 + norb * NEGLIGIBLE
    assert np.linalg.norm(network.matrix() - frame) <= bound
    assert network.n_rotations <= norb * (norb - 1) // 2
    assert network.depth <= norb
    assert (np.abs(network.angles) <= np.pi / 2).all()
    assert network.signs.prod() == round(np.linalg.det(frame))


@pytest.mark.parametrize("norb", [2, 3, 4, 8, 16, 54])
def test_a_general_frame_fills_the_brick_wall(random_frame, norb):
    """Nothing is dropped, so nothing but rounding is lost, and each layer is full."""
    frame = random_frame(norb)
    network = givens_rotations(frame)

    assert network.n_rotations == norb * (norb - 1) // 2
    assert network.depth == (norb if norb > 2 else 1)
    # Up to norb²/2 rotations each way, each rounding 2 norb numbers by 4 eps: added as squares
    # the error of the Frobenius norm grows as norb^1.5, and 4 eps leaves room for the worst.
    assert np.linalg.norm(network.matrix() - frame) <= 4 * EPS * norb**1.5


@settings(deadline=None)
@given(frame=permutations())
def test_a_permutation_costs_its_inversions(frame):
    """Neighbours cannot do it in fewer swaps than there are inverted pairs."""
    order = np.abs(frame).argmax(axis=0)
    network = givens_rotations(frame)

    assert network.n_rotations == sum(a > b for a, b in combinations(order, 2))
    np.testing.assert_allclose(np.abs(network.angles), np.pi / 2, rtol=0, atol=0)


@settings(deadline=None)
@given(drawn=blocks())
def test_blocks_do_not_talk(drawn):
    shape, frame = drawn
    network = givens_rotations(frame)

    boundaries = np.cumsum(shape)[:-1] - 1
    assert not np.isin(network.modes, boundaries).any()
    assert network.n_rotations <= sum(size * (size - 1) // 2 for size in shape)
    assert network.depth <= max(shape)


@settings(deadline=None)
@given(
    norb=st.integers(2, 8),
    mode=st.integers(0, 6),
    angle=st.floats(-1.5, 1.5).filter(lambda angle: abs(angle) > 1e-11),
    generator=generators,
)
def test_one_rotation_is_found_again_whatever_the_signs(norb, mode, angle, generator):
    """A sign on the diagonal is not taken for a rotation by pi."""
    mode = min(mode, norb - 2)
    frame = np.eye(norb)
    frame[mode : mode + 2, mode : mode + 2] = [
        [np.cos(angle), -np.sin(angle)],
        [np.sin(angle), np.cos(angle)],
    ]
    signs = generator.choice([1.0, -1.0], size=norb)

    network = givens_rotations(frame * signs)

    assert network.modes.tolist() == [mode]
    # sin and cos to half an eps, tangent at most 15: an error of about eps in the angle.
    np.testing.assert_allclose(network.angles, angle, rtol=4 * EPS, atol=2 * EPS)
    np.testing.assert_array_equal(network.signs, signs)


@pytest.mark.parametrize("norb", [0, 1, 2, 5])
def test_identity_and_reflection_are_free(norb):
    for frame in (np.eye(norb), -np.eye(norb)):
        network = givens_rotations(frame)
        assert network.n_rotations == 0
        np.testing.assert_array_equal(network.matrix(), frame)


def test_rounding_between_blocks_costs_nothing(random_frame):
    """Eigenvectors of a block matrix carry noise between the blocks; the blocks stay apart."""
    frame = block_diag(random_frame(3), random_frame(3))
    noisy = frame + 1e-14 * random_frame(6)

    network = givens_rotations(noisy)

    assert network.n_rotations == 6
    # ‖noise‖ = 1e-14 sqrt(6); what was dropped at most 6 NEGLIGIBLE.
    assert np.linalg.norm(network.matrix() - noisy) <= 1e-13 + 6 * NEGLIGIBLE


def test_input_is_left_alone(random_frame):
    frame = random_frame(4)
    copy = frame.copy()
    givens_rotations(frame)
    np.testing.assert_array_equal(frame, copy)


def test_same_frame_same_bytes(random_frame):
    frame = random_frame(6)
    first, second = givens_rotations(frame), givens_rotations(frame.copy(order="F"))
    assert first.angles.tobytes() == second.angles.tobytes()
    assert first.modes.tobytes() == second.modes.tobytes()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (1.001 * np.eye(3), r"orthogonal to 1e-08; its ‖UᵀU - 1‖ is 3.47e-03"),
        (np.eye(3)[:2], r"frame must have shape \(2, 2\); got \(2, 3\)"),
        (np.ones(4), "got 1 axes"),
        ([[1.0, 0.0], [1.0]], "rows of different lengths"),
        (np.eye(2) * 1j, "frame must be real"),
        (np.diag([1.0, np.nan]), "1 entries that are nan or inf"),
        (np.zeros((2, 2)), "is 1.41e"),
    ],
)
def test_bad_frames_are_refused(frame, message):
    with pytest.raises(InputError, match=message):
        givens_rotations(frame)


def test_orthogonality_is_asked_to_1e_8(random_frame):
    """(1 + x) U misses by 2 x sqrt(norb): 4e-9 * 2 = 8e-9 passes and 6e-9 * 2 = 1.2e-8 does not."""
    frame = random_frame(4)
    assert givens_rotations((1 + 2e-9) * frame).n_rotations == 6
    with pytest.raises(InputError, match=r"is 1\.20e-08"):
        givens_rotations((1 + 3e-9) * frame)
