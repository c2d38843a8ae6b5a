# SPDX-License-Identifier: Apache-2.0
"""Chains and their entropies in archives, with and without symmetry, to the last bit."""

import numpy as np
import pytest

import qlowrank as ql


def of_electrons():
    return ql.mps_from_determinants([0b0011, 0b1001], [0b0010, 0b0100], [0.8, -0.6], 4)


def without_symmetry():
    return ql.MPS.from_vector(np.arange(1.0, 28.0), 3)


def of_one_site():
    return ql.mps_from_determinants([1], [0], [1.0], 1)


@pytest.mark.parametrize("make", [of_electrons, without_symmetry, of_one_site])
def test_round_trip(make, same, tmp_path):
    mps = make()
    found = ql.entanglement(mps)

    ql.save(tmp_path / "a.h5", mps, found)
    back = ql.load(tmp_path / "a.h5")

    same(mps, back["mps"])
    same(found, back["entanglement"])
    assert ql.verify(tmp_path / "a.h5").passed
