# SPDX-License-Identifier: Apache-2.0
"""The record that every reader of integrals returns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.integrals.arrays import read_arrays
from qlowrank.integrals.record import (
    Constants,
    Integrals,
    Reference,
    Source,
    determinant_energy,
    fingerprint,
    hill_formula,
)
from tests.strategies import hamiltonians


@given(hamiltonians())
def test_determinant_energy(arrays):
    """Against PySCF's CI energy of the vector that has its first determinant only.

    Both add at most 2 norb⁴ products, so they differ by that many eps of the largest.
    """
    from pyscf.fci import cistring, direct_spin1

    constant, one_body, two_body, nelec = arrays
    norb = len(one_body)
    shape = [cistring.num_strings(norb, n) for n in nelec]
    vector = np.zeros(shape)
    vector[0, 0] = 1.0
    expected = constant
    if sum(nelec):
        expected += direct_spin1.energy(one_body, two_body, vector, norb, nelec)
    size = np.abs(one_body).sum() + np.abs(two_body).sum() + abs(constant)
    allowed = 2 * norb**4 * np.finfo(float).eps * size
    assert abs(determinant_energy(read_arrays(*arrays)) - expected) <= allowed


def test_constants_are_summed_in_one_place():
    constants = Constants(nuclear_repulsion=8.0, frozen_core=-60.0, other=0.5)
    assert constants.total == -51.5
    assert Constants().total == 0.0


@pytest.mark.parametrize(
    ("symbols", "formula"),
    [
        ("O H H", "H2O"),
        ("Li H", "HLi"),
        ("H C H H H", "CH4"),
        ("Br C H C H H H H", "C2H5Br"),
        ("O C O", "CO2"),
        ("", ""),
        ("N " * 12, "N12"),
    ],
)
def test_hill_formula(symbols, formula):
    assert hill_formula(symbols.split()) == formula


def test_fingerprint_sees_numbers_not_memory(rng):
    array = rng.standard_normal((4, 6))
    same = [array.copy(order="F"), array[:, ::-1][:, ::-1], array.tolist(), array.astype(">f8")]
    assert {fingerprint(other) for other in same} == {fingerprint(array)}
    assert len(fingerprint(array)) == 64
    changed = array.copy()
    changed[3, 5] = np.nextafter(changed[3, 5], 1e9)
    assert fingerprint(changed) != fingerprint(array)
    assert fingerprint(array.T) != fingerprint(array)


@given(st.permutations(["HF", "CASCI(4, 4)", "FCI"]))
def test_references_are_found_by_the_start_of_their_name(methods):
    references = tuple(Reference(m, -float(i)) for i, m in enumerate(methods))
    source = Source("x", "arrays", None, references, "")
    assert source.reference("HF").energy == -float(methods.index("HF"))
    assert source.reference("CAS", "FCI") in references
    assert source.reference("MP2") is None


def test_integrals_are_checked():
    good = read_arrays(0.0, np.eye(2), np.zeros((3, 3)), (1, 1))
    fields = {name: getattr(good, name) for name in ("constants", "pairs", "nelec", "source")}
    assert good.norb == 2
    with pytest.raises(ValueError, match="read-only"):
        good.one_body[0, 0] = 1.0
    with pytest.raises(InputError, match=r"one_body must have shape \(2, 2\)"):
        Integrals(one_body=np.eye(3), **fields)
    with pytest.raises(InputError, match="one_body must be symmetric"):
        Integrals(one_body=np.array([[0.0, 1.0], [0.0, 0.0]]), **fields)
    with pytest.raises(InputError, match="0 to 2 electrons of each spin"):
        Integrals(one_body=np.eye(2), **(fields | {"nelec": (3, 0)}))
