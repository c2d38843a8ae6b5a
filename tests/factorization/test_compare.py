# SPDX-License-Identifier: Apache-2.0
"""Factorizations that look different and are the same, and such as are not."""

from dataclasses import replace

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.factorization.compare import compare_leaves
from qlowrank.factorization.squares import signed_squares


@pytest.fixture(scope="module")
def water():
    return ql.from_example("water")


def dense(factorization):
    leaves, cores = factorization.leaves, factorization.cores
    return np.einsum(
        "tkl,tpk,tqk,trl,tsl->pqrs", cores, leaves, leaves, leaves, leaves, optimize=True
    )


def test_gauges_are_the_same_physics(water):
    one = ql.double_factorize(water)
    two = ql.double_factorize(water, gauge=ql.EigenGauge())
    found = compare_leaves(one, two)
    assert one.one_norm() != pytest.approx(two.one_norm(), rel=1e-2)
    # 1e2 eps of norms of some 30 Hartree, and what leaves drop as rounding.
    assert found.same(1e-10)
    # The turn is at most the distance over the threshold's gap, some 1e-4 Hartree or more.
    assert found.angles.largest <= found.rotation_bound + 1e-9
    assert found.angles.largest < 1e-6


def test_distance_is_that_of_the_dense_tensors(water):
    one = ql.double_factorize(water)
    two = ql.double_factorize(water, tolerance=1e-2)
    expected = np.linalg.norm(dense(one) - dense(two))
    found = compare_leaves(one, two)
    assert found.coulomb_distance == pytest.approx(expected, rel=1e-9)
    assert not found.same(1e-6)
    assert found.one_body_distance == 0.0
    assert "differ by" in repr(found)


def test_compressed_leaves(water):
    one = ql.double_factorize(water)
    two = ql.compress(one, n_leaves=8)
    found = compare_leaves(one, two)
    assert found.coulomb_distance == pytest.approx(
        np.linalg.norm(dense(one) - dense(two)), rel=1e-7
    )
    squares = signed_squares(two)
    rebuilt = np.einsum("m,mpq,mrs->pqrs", squares.signs, squares.factors(), squares.factors())
    np.testing.assert_allclose(rebuilt, dense(two), rtol=0, atol=1e-11)


def test_other_integrals_turn_the_space(water):
    one = ql.double_factorize(water)
    turned = np.linalg.qr(np.random.default_rng(1).standard_normal((7, 7)))[0]
    two = replace(one, leaves=np.einsum("pq,tqk->tpk", turned, one.leaves))
    assert compare_leaves(one, two).angles.largest > 0.1


def test_bad_input_is_refused(water):
    one = ql.double_factorize(water)
    with pytest.raises(InputError, match="same orbitals; got 7 and 2 of them"):
        compare_leaves(one, ql.double_factorize(ql.from_example("h2")))
    with pytest.raises(InputError, match="One of the two is shifted"):
        compare_leaves(one, ql.shift_symmetry(one))
    with pytest.raises(InputError, match=r"need leaves with cores.*got Hamiltonian"):
        compare_leaves(one, water)
    with pytest.raises(InputError, match="threshold must be above 0"):
        compare_leaves(one, one, threshold=0.0)
