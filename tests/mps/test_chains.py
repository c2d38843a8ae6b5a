# SPDX-License-Identifier: Apache-2.0
"""Canonical forms, compression, sums, multiples, overlaps: against dense vectors."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.mps import strings
from qlowrank.mps.sectors import ORBITAL

EPS = np.finfo(float).eps


@st.composite
def chains(draw):
    """A chain with or without symmetry, often with more states on its bonds than it needs."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        norb, nelec = draw(st.sampled_from([(1, (1, 0)), (4, (2, 1)), (5, (2, 3)), (6, (3, 3))]))
        shape = [len(strings.rising(norb, n)) for n in nelec]
        draws = [ql.mps_from_ci(rng.standard_normal(shape), norb, nelec) for _ in range(2)]
    else:
        dimension, n_sites = draw(st.sampled_from([(2, 1), (2, 6), (3, 4)]))
        draws = [
            ql.MPS.from_vector(rng.standard_normal(dimension**n_sites), dimension) for _ in range(2)
        ]
    kind = draw(st.sampled_from(["plain", "sum", "double"]))
    return {"plain": draws[0], "sum": ql.add_mps(draws), "double": ql.add_mps([draws[0]] * 2)}[kind]


def isometric(mps):
    """Largest deviation from isometries outside the window."""
    gaps = [0.0]
    for site, tensor in enumerate(mps.tensors):
        if site < mps.window[0]:
            matrix = tensor.reshape(-1, tensor.shape[2])
        elif site > mps.window[1]:
            matrix = tensor.reshape(len(tensor), -1).T
        else:
            continue
        gaps.append(np.abs(matrix.T @ matrix - np.eye(matrix.shape[1])).max())
    return max(gaps)


@settings(max_examples=40)
@given(chains(), st.data())
def test_canonical_forms(mps, data):
    """The vector stays, tensors become isometries, and the norm moves into the centre."""
    centre = data.draw(st.integers(0, mps.n_sites - 1))
    vector = mps.to_vector()
    rounding = 100 * EPS * np.linalg.norm(vector)

    moved = ql.canonicalise_mps(mps, centre)

    np.testing.assert_allclose(moved.to_vector(), vector, atol=rounding)
    assert moved.window == (centre, centre)
    assert isometric(moved) < 1e-13
    assert moved.norm() == pytest.approx(np.linalg.norm(vector), rel=1e-13)
    assert mps.norm() == pytest.approx(np.linalg.norm(vector), rel=1e-13)


@settings(max_examples=40)
@given(chains(), st.sampled_from([1e-12, 1e-3, 0.3]), st.sampled_from([None, 1, 3]))
def test_compression_says_what_it_costs(mps, relative, largest):
    vector = mps.to_vector()
    size = np.linalg.norm(vector)

    small = ql.compress_mps(mps, tolerance=relative * size, max_bond=largest)

    error = np.linalg.norm(small.to_vector() - vector)
    assert error == pytest.approx(
        np.sqrt(small.discarded_weights.sum()), rel=1e-10, abs=100 * EPS * size
    )
    if largest is None:
        assert error <= relative * size * (1 + 1e-10) + 100 * EPS * size
    else:
        assert small.max_bond_dimension <= largest
    assert isometric(small) < 1e-13


def test_compression_finds_the_ranks(random_ci):
    """Of ψ + ψ, and of ψ − ψ, of which one state a bond is left with almost nothing in it."""
    mps = ql.mps_from_ci(random_ci(5, (3, 2)), 5, (3, 2))

    twice = ql.compress_mps(ql.add_mps([mps, mps]), tolerance=1e-12)
    nothing = ql.compress_mps(ql.add_mps([mps, ql.scale_mps(mps, -1.0)]), tolerance=1e-12)

    assert twice.bond_dimensions == mps.bond_dimensions
    assert nothing.bond_dimensions == (1,) * 4
    assert nothing.norm() < 1e-14


def test_sums_and_overlaps(random_ci):
    nelec = (2, 3)
    vectors = [random_ci(5, nelec) for _ in range(3)]
    terms = [ql.mps_from_ci(vector, 5, nelec) for vector in vectors]

    total = ql.add_mps([terms[0], ql.scale_mps(terms[1], -0.5), terms[2]])

    expected = vectors[0] - 0.5 * vectors[1] + vectors[2]
    np.testing.assert_allclose(total.to_ci(), expected, atol=1e-14)
    assert terms[0].overlap(terms[1]) == pytest.approx(np.vdot(*vectors[:2]), abs=1e-14)
    assert terms[1].overlap(total) == pytest.approx(np.vdot(vectors[1], expected), abs=1e-14)
    assert ql.add_mps([terms[0]]) is terms[0]


def test_other_electrons_have_no_overlap(random_ci):
    one = ql.mps_from_ci(random_ci(4, (2, 1)), 4, (2, 1))
    other = ql.mps_from_ci(random_ci(4, (1, 2)), 4, (1, 2))

    assert one.overlap(other) == 0.0


def test_dense_tensors_and_back(random_ci):
    """With charges in any order, the blocks come back; without, the same vector does."""
    mps = ql.mps_from_ci(random_ci(5, (2, 2)), 5, (2, 2))
    labels = [[charge for charge, size in bond for _ in range(size)] for bond in mps.bonds]
    flipped = [tensor[::-1, :, ::-1] for tensor in mps.tensors]

    back = ql.MPS.from_tensors(
        flipped, site_charges=mps.sites, bond_charges=[bond[::-1] for bond in labels]
    )
    plain = ql.MPS.from_tensors(mps.tensors)

    assert back.bonds == mps.bonds
    np.testing.assert_allclose(back.to_ci(), mps.to_ci(), atol=1e-15)
    np.testing.assert_allclose(plain.to_vector(), mps.to_vector(), atol=1e-15)
    assert plain.charge == ()


def test_records_cannot_change(random_ci):
    mps = ql.mps_from_ci(random_ci(4, (2, 2)), 4, (2, 2))
    with pytest.raises(ValueError, match="read-only"):
        mps.blocks[0][0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        mps.tensors[0][0, 0, 0] = 1.0
    assert (
        repr(mps) == "MPS(4 sites, charge (2, 2), bond dimension 16, 80 numbers, cut off 0.0e+00)"
    )


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda a, b: ql.canonicalise_mps(a, 3), "centre must be a site, 0 to 2; got 3."),
        (lambda a, b: ql.compress_mps(a, max_bond=0), "max_bond must be at least 1 state"),
        (lambda a, b: ql.compress_mps(a, tolerance=-1), "tolerance must be at least 0, an error"),
        (lambda a, b: ql.add_mps([]), "There is nothing to add; pass at least one MPS."),
        (lambda a, b: ql.add_mps([a, b]), "Both MPS must have the same sites; got 3 and 2 sites"),
        (lambda a, b: a.overlap(b), "Both MPS must have the same sites"),
        (lambda a, b: ql.scale_mps(a, np.nan), "factor must be finite; got nan."),
        (lambda a, b: ql.MPS.from_tensors([]), "tensors must have three axes"),
        (
            lambda a, b: ql.MPS.from_tensors([np.ones((1, 2, 2)), np.ones((3, 2, 1))]),
            "Neighbouring bonds must agree and the outer ones be 1",
        ),
        (
            lambda a, b: ql.MPS.from_tensors([np.ones((1, 4, 1))], site_charges=[ORBITAL]),
            "Give charges of sites and of bonds, or neither.",
        ),
        (
            lambda a, b: ql.MPS.from_tensors(
                [np.ones((1, 4, 1))], site_charges=[ORBITAL], bond_charges=[[(0, 0)], []]
            ),
            "There must be one charge for each physical and each bond state.",
        ),
        (
            lambda a, b: ql.MPS.from_tensors(
                [np.ones((1, 4, 1))], site_charges=[ORBITAL], bond_charges=[[(0, 0)], [(1, 0)]]
            ),
            "tensors[0] has entries between charges that do not add up.",
        ),
        (
            lambda a, b: ql.MPS.from_blocks([{}, {}], [ORBITAL] * 2),
            "No path of blocks leads from the left end to the right end.",
        ),
        (
            lambda a, b: ql.MPS.from_blocks(
                [{((), ()): np.ones((1, 2, 1))}], [((), ())], window=(0, 1)
            ),
            "window must be two sites in order, 0 to 0; got (0, 1).",
        ),
    ],
)
def test_bad_input(act, message):
    three, two = (ql.MPS.from_vector(np.arange(1.0, 1.0 + 2**n), 2) for n in (3, 2))
    with pytest.raises(ql.InputError, match=re.escape(message)):
        act(three, two)


def test_charges_must_agree_in_a_sum(random_ci):
    one, other = (ql.mps_from_ci(random_ci(3, n), 3, n) for n in ((2, 1), (1, 2)))
    with pytest.raises(ql.InputError, match="MPS of different charges have no common sector"):
        ql.add_mps([one, other])
