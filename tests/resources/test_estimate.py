# SPDX-License-Identifier: Apache-2.0
"""Estimates of records: what is read off them, and what is refused."""

from dataclasses import replace
from math import ceil, pi

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.factorization.compression import CompressedFactorization
from qlowrank.resources import (
    DoubleFactorizedEncoding,
    DoubleFactorizedWalk,
    Encoded,
    HypercontractedWalk,
    MeanRankWalk,
    Qubitization,
    SingleFactorizedEncoding,
    SingleFactorizedWalk,
    SparseEncoding,
    SparseWalk,
    SpectrumAmplification,
    estimate_encoded,
    lookup,
    phase_estimation_steps,
    walk_cost,
)


@pytest.fixture(scope="module")
def water():
    return ql.from_example("water")


@pytest.fixture(scope="module")
def leaves(water):
    return ql.double_factorize(water)


def test_sizes_are_the_factorization_s(leaves):
    estimate = ql.resource_estimate(leaves, precision=2e-3)
    # The same sums in another order: rank · norb² terms of some Hartree each.
    assert estimate.one_norm == pytest.approx(leaves.one_norm(), rel=1e-12)
    assert estimate.walk == DoubleFactorizedWalk(
        leaves.norb, leaves.n_leaves, int(leaves.inner_ranks.sum())
    )
    assert estimate.steps == ceil(pi * leaves.one_norm() / 4e-3)
    assert estimate.toffoli_per_step == walk_cost(estimate.walk).toffoli
    assert estimate.toffoli == estimate.steps * estimate.toffoli_per_step
    control = 2 * ceil(np.log2(estimate.steps + 1)) - 1
    assert estimate.logical_qubits == walk_cost(estimate.walk).qubits + control


def test_encodings_of_a_hamiltonian(water):
    single = ql.resource_estimate(water)
    assert single.encoding == SingleFactorizedEncoding().name
    assert single.walk == SingleFactorizedWalk(water.norb, water.rank)
    sparse = ql.resource_estimate(water, encoding=SparseEncoding(threshold=1e-6))
    assert sparse.encoding == "sparse"

    one_body, coulomb = water.normal_ordered_one_body(), water.two_body()
    rows, cols = np.tril_indices(water.norb)
    packed = coulomb[rows, cols][:, rows, cols]
    kept = np.count_nonzero(np.abs(one_body[rows, cols]) >= 1e-6)
    kept += np.count_nonzero(np.abs(np.tril(packed)) >= 1e-6)
    # T' and h need not have their zeros in the same places, but for symmetry's, which they do.
    assert sparse.walk == SparseWalk(water.norb, kept)


def test_full_cores_are_split_into_squares(leaves):
    """A core of rank two in one frame costs what its two squares cost."""
    frame = leaves.leaves[0]
    values = np.array([np.arange(7.0), np.ones(7)])
    constants = leaves.constants
    two = replace(leaves, eigenvalues=values, leaves=np.array([frame, frame]))
    joined = CompressedFactorization(
        constants=constants,
        one_body=leaves.one_body,
        leaves=frame[None],
        cores=np.einsum("mk,ml->kl", values, values)[None],
        nelec=leaves.nelec,
        status=leaves.status,
        optimizer=None,
        source=leaves.source,
    )
    apart, together = ql.resource_estimate(two), ql.resource_estimate(joined)
    assert together.walk.n_leaves == apart.walk.n_leaves == 2
    # The eigenvalues of the core are mixed differently, its squares are not unique.
    assert together.walk.n_eigenvectors == 14
    assert together.one_norm < 1.1 * apart.one_norm


def test_hypercontraction(water):
    hypercontraction = ql.hypercontract(water, n_points=20)
    estimate = ql.resource_estimate(hypercontraction)
    assert estimate.walk == HypercontractedWalk(water.norb, 20)
    assert estimate.one_norm == hypercontraction.one_norm()


def test_fewer_bits_cost_less(leaves):
    fine = ql.resource_estimate(leaves)
    encoding = DoubleFactorizedEncoding(coefficient_bits=8, rotation_bits=10)
    coarse = ql.resource_estimate(leaves, encoding=encoding)
    assert coarse.toffoli_per_step < fine.toffoli_per_step
    assert coarse.logical_qubits < fine.logical_qubits
    assert coarse.one_norm == fine.one_norm


def test_amplified_spectrum_takes_fewer_steps(leaves):
    plain = ql.resource_estimate(leaves)
    amplified = ql.resource_estimate(
        leaves, phase_estimation=SpectrumAmplification(gap=plain.one_norm / 10)
    )
    assert amplified.toffoli_per_step == plain.toffoli_per_step
    # sqrt(0.1 · 1.9) = 0.436
    assert amplified.steps == pytest.approx(np.sqrt(0.19) * plain.steps, abs=1)
    full = SpectrumAmplification(gap=plain.one_norm)
    assert full.effective_norm(plain.one_norm) == pytest.approx(plain.one_norm, rel=1e-15)


def test_what_it_says(leaves):
    text = repr(ql.resource_estimate(leaves))
    assert "double factorization: one-norm" in text
    assert "logical qubits for 0.001 Hartree" in text


def test_no_leaves_but_a_one_body_part(leaves):
    """Free electrons can be costed too."""
    norb = leaves.norb
    bare = replace(leaves, eigenvalues=np.zeros((0, norb)), leaves=np.zeros((0, norb, norb)))
    estimate = ql.resource_estimate(bare)
    assert estimate.walk.n_eigenvectors == 0
    assert estimate.toffoli > 0


@pytest.mark.parametrize("norb", [1, 2, 3])
@pytest.mark.parametrize("rank", [1, 2, 7])
def test_small_molecules_have_a_cost(norb, rank):
    for walk in (
        DoubleFactorizedWalk(norb, rank, rank),
        SingleFactorizedWalk(norb, rank),
        SparseWalk(norb, rank),
        HypercontractedWalk(norb, rank),
        MeanRankWalk(norb, rank, 1.0, 1),
    ):
        estimate = estimate_encoded(Encoded(1.0, walk), precision=1e-3)
        assert estimate.toffoli > 0
        assert estimate.logical_qubits > 2 * norb
        assert all(qubits >= 0 for _, qubits in estimate.step.registers)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, h: ql.resource_estimate(f, precision=0), "precision must be above 0"),
        (lambda f, h: ql.resource_estimate(f, precision=np.nan), "precision must be finite"),
        (lambda f, h: ql.resource_estimate(3), "needs a factorization, or a Hamiltonian; got int"),
        (
            lambda f, h: ql.resource_estimate(
                ql.encode_squares(h, method=ql.GaugeDescent(max_steps=1))
            ),
            "counted as the double factorization it is",
        ),
        (
            lambda f, h: ql.resource_estimate(h, encoding=DoubleFactorizedEncoding()),
            "needs a factorization; got Hamiltonian, which has no leaves and no cores",
        ),
        (
            lambda f, h: ql.resource_estimate(f, encoding=SparseEncoding()),
            "needs a Hamiltonian; got DoubleFactorization",
        ),
        (
            lambda f, h: ql.resource_estimate(h, encoding=SparseEncoding(threshold=1e6)),
            "leaves no integral",
        ),
        (lambda f, h: SparseEncoding(threshold=0), "threshold must be above 0"),
        (
            lambda f, h: DoubleFactorizedEncoding(rotation_bits=1),
            "rotation_bits must be at least 2",
        ),
        (lambda f, h: DoubleFactorizedWalk(0, 1, 1), "norb must be at least 1; got 0"),
        (lambda f, h: DoubleFactorizedWalk(2, 1.5, 1), "n_leaves must be a whole number"),
        (lambda f, h: MeanRankWalk(2, 1, 0.0, 1), "mean_rank must be above 0"),
        (lambda f, h: SpectrumAmplification(gap=-1.0), "gap must be above 0"),
        (lambda f, h: SpectrumAmplification(gap=2.0).effective_norm(1.0), "at most the one-norm"),
        (lambda f, h: lookup(-1, 3), "size must be at least 0; got -1"),
        (
            lambda f, h: phase_estimation_steps(Qubitization(), one_norm=-1.0, precision=1e-3),
            "one_norm must be at least 0",
        ),
    ],
)
def test_bad_input_is_refused(leaves, water, call, message):
    with pytest.raises(InputError, match=message):
        call(leaves, water)
