# SPDX-License-Identifier: Apache-2.0
"""Counts against OpenFermion's programs, on sizes that no paper has."""

import numpy as np
import pytest
from openfermion.resource_estimates.df.compute_cost_df import compute_cost as cost_df
from openfermion.resource_estimates.sf.compute_cost_sf import compute_cost as cost_sf
from openfermion.resource_estimates.sparse.costing_sparse import cost_sparse
from openfermion.resource_estimates.thc.compute_cost_thc import compute_cost as cost_thc
from openfermion.resource_estimates.utils import QI, QI2, QR, QR2

from qlowrank.resources import (
    DoubleFactorizedWalk,
    Encoded,
    HypercontractedWalk,
    SingleFactorizedWalk,
    SparseWalk,
    estimate_encoded,
    lookup,
    lookup_pair,
    unlookup,
    unlookup_pair,
)

ROUNDS = 20


def in_two_passes(program, **sizes):
    """As the papers did: the second pass knows what a step costs."""
    step, _, _ = program(**sizes, stps=20000)
    return program(**sizes, stps=step)


def ours(walk, one_norm, precision):
    estimate = estimate_encoded(Encoded(one_norm, walk), precision=precision)
    return estimate.toffoli_per_step, estimate.toffoli, estimate.logical_qubits


@pytest.fixture
def draw(rng):
    """Sizes of molecules for which OpenFermion does not exit: tables longer than their words."""

    def sizes():
        return {
            "norb": int(rng.integers(2, 120)),
            "one_norm": float(rng.uniform(1, 5000)),
            "precision": float(10 ** rng.uniform(-4, -2)),
            "aleph": int(rng.integers(5, 16)),
            "beth": int(rng.integers(8, 24)),
            "rank": int(rng.integers(60, 900)),
        }

    return sizes


def common(sizes):
    return {
        "n": 2 * sizes["norb"],
        "lam": sizes["one_norm"],
        "dE": sizes["precision"],
        "chi": sizes["aleph"],
    }


@pytest.mark.parametrize("_", range(ROUNDS))
def test_double_factorization(draw, rng, _):
    sizes = draw()
    inner = sizes["rank"] * int(rng.integers(20, 60))
    walk = DoubleFactorizedWalk(sizes["norb"], sizes["rank"], inner, sizes["aleph"], sizes["beth"])
    assert ours(walk, sizes["one_norm"], sizes["precision"]) == in_two_passes(
        cost_df, **common(sizes), L=sizes["rank"], Lxi=inner, beta=sizes["beth"]
    )


@pytest.mark.parametrize("_", range(ROUNDS))
def test_single_factorization(draw, _):
    sizes = draw()
    walk = SingleFactorizedWalk(sizes["norb"], sizes["rank"], sizes["aleph"])
    assert ours(walk, sizes["one_norm"], sizes["precision"]) == in_two_passes(
        cost_sf, **common(sizes), L=sizes["rank"]
    )


@pytest.mark.parametrize("_", range(ROUNDS))
def test_sparse(draw, rng, _):
    sizes = draw()
    kept = int(rng.integers(1000, 10**6))
    walk = SparseWalk(sizes["norb"], kept, sizes["aleph"])
    assert ours(walk, sizes["one_norm"], sizes["precision"]) == in_two_passes(
        cost_sparse, **common(sizes), d=kept
    )


@pytest.mark.parametrize("_", range(ROUNDS))
def test_hypercontraction(draw, _):
    sizes = draw()
    walk = HypercontractedWalk(sizes["norb"], sizes["rank"], sizes["aleph"], sizes["beth"])
    assert ours(walk, sizes["one_norm"], sizes["precision"]) == in_two_passes(
        cost_thc, **common(sizes), M=sizes["rank"], beta=sizes["beth"]
    )


def test_lookups(rng):
    for _ in range(100):
        width = int(rng.integers(1, 5000))
        first, second = (int(width * rng.uniform(1, 1000)) for _ in range(2))
        one, back = lookup(first, width), unlookup(first)
        pair, pair_back = lookup_pair(first, second, width), unlookup_pair(first, second)
        assert (one.log2_blocks, one.toffoli) == QR(first, width)
        assert (back.log2_blocks, back.toffoli) == QI(first)
        assert (*pair.blocks, pair.toffoli) == QR2(first, second, width)
        assert (*pair_back.blocks, pair_back.toffoli) == QI2(first, second)


def test_short_tables_are_read_one_by_one():
    """Where OpenFermion leaves the interpreter: blocks would only cost more."""
    assert lookup(10, 4000).toffoli == 10
    with pytest.raises(SystemExit):
        QR(10, 4000)
    assert min(np.ceil(10 / 2**k) + 4000 * (2**k - 1) for k in range(5)) == 10
