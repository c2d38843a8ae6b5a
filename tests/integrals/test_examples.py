# SPDX-License-Identifier: Apache-2.0
"""Molecules by name."""

from importlib import util

import numpy as np
import pytest

from qlowrank.checks import InputError
from qlowrank.hamiltonian import from_example
from qlowrank.integrals import examples
from qlowrank.integrals.examples import EXAMPLES, read_femoco
from tests.molecules import fci_energy


@pytest.mark.parametrize(
    ("name", "energy"),
    [("h2", -1.10115), ("lih", -7.78446), ("beh2", -15.48174)],
)
def test_the_benchmark_molecules(name, energy):
    """FCI energies, to five digits, of the geometries in arXiv:2208.14490 (bonds of 1.0 Å)."""
    hamiltonian = from_example(name, tolerance=0.0)
    exact = fci_energy(
        hamiltonian.constant,
        hamiltonian.normal_ordered_one_body(),
        hamiltonian.two_body(),
        hamiltonian.nelec,
    )
    assert exact == pytest.approx(energy, abs=6e-6)


@pytest.mark.parametrize(
    ("name", "norb", "nelec"),
    [
        ("water", 7, (5, 5)),
        ("n2", 8, (5, 5)),
        ("n2-stretched", 8, (5, 5)),
        ("o2", 10, (9, 7)),
        ("h10", 10, (5, 5)),
    ],
)
def test_sizes(name, norb, nelec):
    hamiltonian = from_example(name)
    assert (hamiltonian.norb, hamiltonian.nelec) == (norb, nelec)
    assert hamiltonian.source.name == name
    assert hamiltonian.max_abs_error_bound <= 1e-6


def test_geometries_are_what_they_say():
    """Bonds of 1.0 Å, an angle of 107.6°."""
    oxygen, *hydrogens = (np.array(place) for _, place in EXAMPLES["water"].atoms)
    bonds = [place - oxygen for place in hydrogens]
    np.testing.assert_allclose(np.linalg.norm(bonds, axis=1), 1.0, atol=1e-9)
    assert np.degrees(np.arccos(bonds[0] @ bonds[1])) == pytest.approx(107.6, abs=1e-6)
    chain = np.array([place for _, place in EXAMPLES["h10"].atoms])
    np.testing.assert_allclose(np.diff(chain, axis=0), np.tile([0.0, 0.0, 1.0], (9, 1)))
    for example in EXAMPLES.values():
        assert example.summary


def test_other_bases_and_windows():
    hamiltonian = from_example("h2", basis="6-31g", active=(2, 3))
    assert hamiltonian.norb == 3
    assert hamiltonian.source.molecule.basis == "6-31g"


def test_unknown_names():
    with pytest.raises(InputError, match=r"There is no example 'helium'; there are h2, .*, femoco"):
        from_example("helium")
    with pytest.raises(InputError, match="tolerance must be finite"):
        from_example("helium", tolerance=np.nan)


def test_femoco():
    """The active space of Reiher et al., PNAS 114, 7555 (2017): 54 electrons in 54 orbitals."""
    integrals = read_femoco()
    assert integrals.norb == 54
    assert integrals.nelec == (27, 27)
    assert integrals.source.name == "femoco"
    packed = integrals.pairs.columns(np.arange(1485))
    assert packed.shape == (1485, 1485)
    assert np.linalg.eigvalsh(packed)[0] > 0.0


def test_femoco_takes_no_choice():
    for options in ({"basis": "sto-3g"}, {"active": (2, 2)}):
        with pytest.raises(InputError, match="femoco comes as integrals of 54 orbitals; leave"):
            from_example("femoco", **options)


def test_femoco_without_its_file(monkeypatch, tmp_path):
    spec = util.spec_from_file_location("openfermion", tmp_path / "__init__.py")
    monkeypatch.setattr(examples, "find_spec", lambda _: spec)
    with pytest.raises(FileNotFoundError, match=r"does not ship the FeMoCo .*openfermion 1\.7"):
        read_femoco()
    monkeypatch.setattr(examples, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="needs openfermion: pip install openfermion"):
        read_femoco()
