# SPDX-License-Identifier: Apache-2.0
"""FeMoCo (Reiher): ranks, errors and one-norms of the expanded tables, from the integrals.

The integrals (54 electrons in 54 orbitals) come with OpenFermion, the figures are those of
`published_femoco.csv`: the expanded tables that accompany J. Lee et al., PRX Quantum 2, 030305
(2021), and OpenFermion's tests. CCSD(T) errors: examples/benchmarks/femoco_ccsd_t.py.
"""

import csv
from importlib.resources import files
from pathlib import Path

import h5py
import numpy as np
import pytest

from qlowrank.resources import (
    double_factorized_norm,
    hypercontracted_norm,
    single_factorized_norm,
)
from qlowrank.resources.norms import pair_weights

NORB = 54
DATA = files("openfermion.resource_estimates") / "integrals"

pytestmark = pytest.mark.slow


class FeMoCo:
    """Integrals over pairs, weighted so that norms and spectra are those of all (pq|rs)."""

    def __init__(self):
        with h5py.File(str(DATA / "eri_reiher.h5")) as file:
            coulomb, bare = file["eri"][()], file["h0"][()]
        self.one_body = (
            bare
            - np.einsum("prrq->pq", coulomb, optimize=True) / 2
            + np.einsum("pqrr->pq", coulomb, optimize=True)
        )
        rows, cols = np.tril_indices(NORB)
        self.pairs = rows, cols
        self.weights = np.sqrt(pair_weights(NORB))
        self.matrix = coulomb[rows, cols][:, rows, cols] * np.outer(self.weights, self.weights)
        values, vectors = np.linalg.eigh(self.matrix)
        order = np.argsort(-values)
        order = order[values[order] > 0]
        self.factors = self.unpack(vectors[:, order].T * np.sqrt(values[order])[:, None])

    def pack(self, factors):
        return factors[:, self.pairs[0], self.pairs[1]] * self.weights

    def unpack(self, vectors):
        factors = np.zeros((len(vectors), NORB, NORB))
        factors[:, self.pairs[0], self.pairs[1]] = vectors / self.weights
        return factors + np.tril(factors, -1).transpose(0, 2, 1)

    def error(self, factors):
        vectors = self.pack(factors)
        return float(np.linalg.norm(self.matrix - vectors.T @ vectors))


@pytest.fixture(scope="module")
def femoco():
    return FeMoCo()


@pytest.fixture(scope="module")
def leaves(femoco):
    return np.linalg.eigh(femoco.factors)


def rows(method):
    path = Path(__file__).parent / "published_femoco.csv"
    with path.open(encoding="ascii") as file:
        found = [row for row in csv.DictReader(file) if row["method"] == method]
    return [
        pytest.param(cut, {row["quantity"]: row["expected"] for row in found if row["cut"] == cut})
        for cut in dict.fromkeys(row["cut"] for row in found)
    ]


def von_burg_cut(eigenvalues, threshold):
    """Keep |ε_k| Σ_l |ε_l| above the threshold, up to the first leaf that keeps nothing."""
    magnitudes = np.abs(eigenvalues)
    kept = magnitudes * magnitudes.sum(axis=1, keepdims=True) > threshold
    n_leaves = int(np.argmin(kept.any(axis=1)))
    return np.where(kept, eigenvalues, 0.0)[:n_leaves]


@pytest.mark.parametrize(("cut", "expected"), rows("df"))
def test_double_factorization(femoco, leaves, cut, expected):
    eigenvalues = von_burg_cut(leaves[0], float(cut))
    vectors = leaves[1][: len(eigenvalues)]
    factors = np.einsum("tpk,tk,tqk->tpq", vectors, eigenvalues, vectors, optimize=True)
    assert len(eigenvalues) == int(expected["n_leaves"])
    assert np.count_nonzero(eigenvalues) == int(expected["n_eigenvectors"])
    assert f"{femoco.error(factors):.4e}" == expected["frobenius_error"]
    norm = double_factorized_norm(femoco.one_body, eigenvalues)
    assert f"{norm:.1f}" == expected["one_norm"]


@pytest.mark.parametrize(("cut", "expected"), rows("sf"))
def test_single_factorization(femoco, cut, expected):
    factors = femoco.factors[: int(cut)]
    assert f"{femoco.error(factors):.4e}" == expected["frobenius_error"]
    norm = single_factorized_norm(femoco.one_body, factors)
    assert f"{norm:.1f}" == expected["one_norm"]


def test_one_norms_in_full(femoco, leaves):
    """OpenFermion's tests of λ; the digits are what its programs give here."""
    eigenvalues = von_burg_cut(leaves[0], 0.00125)
    assert double_factorized_norm(femoco.one_body, eigenvalues) == pytest.approx(
        294.8353462780, abs=1e-9
    )
    assert single_factorized_norm(femoco.one_body, femoco.factors[:200]) == pytest.approx(
        4258.0021261754, abs=1e-7
    )


def test_hypercontraction(femoco):
    """The factors that OpenFermion ships; λ = 294 in its test."""
    with h5py.File(str(DATA / "M_250_beta_16_eta_10.h5")) as file:
        points, core = file["etaPp"][()], file["MPQ"][()]
    assert len(points) == 250
    norm = hypercontracted_norm(femoco.one_body, points, core)
    assert norm == pytest.approx(294.0430861552, abs=1e-9)
