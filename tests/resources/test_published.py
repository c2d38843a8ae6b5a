# SPDX-License-Identifier: Apache-2.0
"""Figures that papers and other programs print, row by row of `published.csv`."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from qlowrank.resources import (
    DoubleFactorizedWalk,
    Encoded,
    HypercontractedWalk,
    MeanRankWalk,
    Qubitization,
    SingleFactorizedWalk,
    SparseWalk,
    SpectrumAmplification,
    double_factorized_norm,
    estimate_encoded,
    leaf_rotation_bits,
    lookup,
    lookup_pair,
    phase_estimation_steps,
    trailing_zeros,
    unlookup,
    unlookup_pair,
)
from qlowrank.resources.walk import TYPICAL_STEP, walk_cost


def _as_tabled(**sizes):
    """The tables of 2021 bring the angle of step 2 out with the bits of the first register."""
    items = sizes["n_leaves"] + 1
    step = DoubleFactorizedWalk(**sizes).cost(TYPICAL_STEP).toffoli
    bits = leaf_rotation_bits(items, trailing_zeros(items), step)
    return DoubleFactorizedWalk(**sizes, second_output_bits=bits)


WALKS = {
    "sparse": SparseWalk,
    "sf": SingleFactorizedWalk,
    "df": DoubleFactorizedWalk,
    "thc": HypercontractedWalk,
    "sf table": SingleFactorizedWalk,
    "df table": _as_tabled,
    "thc table": HypercontractedWalk,
    "mean": MeanRankWalk,
}


def _rows():
    with (Path(__file__).parent / "published.csv").open(encoding="ascii") as file:
        return list(csv.DictReader(file))


def _name(row):
    return f"{row['walk']}-{row['parameters']}-{row['quantity']}"


@pytest.mark.parametrize("row", _rows(), ids=_name)
def test_printed_figure(row):
    sizes = json.loads(row["parameters"])
    one_norm, precision = sizes.pop("one_norm"), sizes.pop("precision")
    walk = WALKS[row["walk"]](**sizes)
    figure = getattr(
        estimate_encoded(Encoded(one_norm, walk), precision=precision), row["quantity"]
    )
    if "e+" in row["expected"]:  # printed with two digits
        assert f"{figure:.1e}" == row["expected"]
    else:
        assert figure == int(row["expected"])


@pytest.mark.parametrize(
    ("entries", "width", "power", "toffoli"),
    [(12341234, 5670, 6, 550042), (12201990, 520199, 2, 4611095)],
)
def test_lookup(entries, width, power, toffoli):
    """OpenFermion, resource_estimates/utils_test.py, QR."""
    found = lookup(entries, width)
    assert (found.log2_blocks, found.toffoli) == (power, toffoli)


@pytest.mark.parametrize(("entries", "power", "toffoli"), [(987654, 10, 1989), (8052021, 11, 5980)])
def test_unlookup(entries, power, toffoli):
    """The same, QI."""
    found = unlookup(entries)
    assert (found.log2_blocks, found.toffoli) == (power, toffoli)


@pytest.mark.parametrize(
    ("sizes", "blocks", "toffoli"),
    [((12, 34, 81), (2, 2), 345), ((712, 340111, 72345), (4, 16), 8341481)],
)
def test_lookup_by_two_indices(sizes, blocks, toffoli):
    """The same, QR2."""
    found = lookup_pair(*sizes)
    assert (found.blocks, found.toffoli) == (blocks, toffoli)


@pytest.mark.parametrize(
    ("sizes", "blocks", "toffoli"),
    [((1234, 5678), (32, 64), 5519), ((7120, 1340111), (4, 32768), 204052)],
)
def test_unlookup_by_two_indices(sizes, blocks, toffoli):
    """The same, QI2."""
    found = unlookup_pair(*sizes)
    assert (found.blocks, found.toffoli) == (blocks, toffoli)


@pytest.mark.parametrize(
    ("number", "twos"), [(0, 0), (2, 1), (3, 0), (104, 3), (128, 7), (393120, 5)]
)
def test_trailing_zeros(number, twos):
    """The same, power_two."""
    assert trailing_zeros(number) == twos


def test_steps():
    """PennyLane, estimation_cost."""
    steps = phase_estimation_steps(Qubitization(), one_norm=72.49779513025341, precision=1e-3)
    assert steps == 113880


def test_spectrum_amplification():
    """Low et al., Phys. Rev. X 15, 041016 (2025), Table V: FeMoCo, 10,203 Toffoli a step."""
    method = SpectrumAmplification(gap=4.0535)
    # The gap is printed to 5e-5; d λ_eff / d gap = (λ - gap) / λ_eff = 2.5.
    assert abs(method.effective_norm(58.344) - 21.3674) < 2.5 * 5e-5 + 5e-4
    steps = phase_estimation_steps(method, one_norm=58.344, precision=1e-3)
    assert f"{10203 * steps:.2e}" == "3.42e+08"
    plain = phase_estimation_steps(Qubitization(), one_norm=58.344, precision=1e-3)
    assert f"{10203 * plain:.2e}" == "9.35e+08"


def test_one_norm_of_hydrogen():
    """PennyLane's H2 integrals, which it prints to 9 digits; λ to `np.allclose`."""
    coulomb = np.zeros((2, 2, 2, 2))
    coulomb[0, 0, 0, 0], coulomb[1, 1, 1, 1] = 0.674755872, 0.697651447
    coulomb[0, 0, 1, 1] = coulomb[1, 1, 0, 0] = 0.663711349
    for p, q, r, s in ((0, 1, 0, 1), (0, 1, 1, 0), (1, 0, 0, 1), (1, 0, 1, 0)):
        coulomb[p, q, r, s] = 0.181210478
    values, vectors = np.linalg.eigh(coulomb.reshape(4, 4))
    factors = (vectors * np.sqrt(np.maximum(values, 0))).T.reshape(4, 2, 2)
    one_body = (
        np.diag([-1.25330961, -0.475069041])
        - np.einsum("prrq->pq", coulomb) / 2
        + np.einsum("pqrr->pq", coulomb)
    )
    norm = double_factorized_norm(one_body, np.linalg.eigvalsh(factors))
    assert norm == pytest.approx(1.6570518796336895, rel=1e-5)


def test_parts_add_up():
    cost = walk_cost(DoubleFactorizedWalk(norb=54, n_leaves=360, n_eigenvectors=13031))
    assert cost.toffoli == sum(dict(cost.charges).values()) == 21753
    assert dict(cost.registers)["angles"] == 4 * 54 * 16
