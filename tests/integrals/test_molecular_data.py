# SPDX-License-Identifier: Apache-2.0
"""OpenFermion's MolecularData, made by hand from PySCF's integrals."""

import numpy as np
import pytest

from qlowrank.checks import InputError
from qlowrank.hamiltonian import from_openfermion
from qlowrank.integrals.molecular_data import read_molecular_data
from tests.molecules import fci_energy, integrals, mean_field


@pytest.fixture
def make(tmp_path):
    """A function that writes a molecule as an OpenFermion plugin would, and loads it again."""
    from openfermion import MolecularData

    def write(name, **changes):
        mol, (constant, one_body, two_body, nelec) = mean_field(name).mol, integrals(name)
        symbols = [mol.atom_pure_symbol(i) for i in range(mol.natm)]
        data = MolecularData(
            geometry=list(zip(symbols, mol.atom_coords(unit="A").tolist(), strict=True)),
            basis=mol.basis,
            multiplicity=nelec[0] - nelec[1] + 1,
            charge=mol.charge,
            filename=str(tmp_path / name),
        )
        data.hf_energy = float(mean_field(name).e_tot)
        data.nuclear_repulsion = constant
        data.n_orbitals = len(one_body)
        data.n_qubits = 2 * len(one_body)
        data.one_body_integrals = one_body
        data.two_body_integrals = two_body.transpose(0, 2, 3, 1)  # h[p, q, r, s] = (ps|qr)
        for key, value in changes.items():
            setattr(data, key, value)
        data.save()
        return MolecularData(filename=data.filename)

    return write


@pytest.mark.parametrize("name", ["h2", "heh+", "lih", "h3", "beh", "o2"])
def test_energies(make, name):
    read = read_molecular_data(make(name))
    assert read.nelec == integrals(name)[3]
    assert read.source.reference("HF").energy == mean_field(name).e_tot
    assert read.constants.nuclear_repulsion == read.constants.total == integrals(name)[0]
    if name != "o2":
        hamiltonian = from_openfermion(make(name), tolerance=0.0)
        energy = fci_energy(
            hamiltonian.constant,
            hamiltonian.normal_ordered_one_body(),
            hamiltonian.two_body(),
            hamiltonian.nelec,
        )
        assert abs(energy - fci_energy(*integrals(name))) <= 1e-9


def test_what_openfermion_makes_of_it(make):
    """The spectrum of OpenFermion's own operator is that of ours: all of Fock space, open shell."""
    from openfermion import get_sparse_operator

    data = make("h3")
    theirs = np.linalg.eigvalsh(get_sparse_operator(data.get_molecular_hamiltonian()).toarray())
    ours = from_openfermion(data, tolerance=0.0).to_openfermion()
    np.testing.assert_allclose(
        np.linalg.eigvalsh(get_sparse_operator(ours).toarray()), theirs, rtol=0, atol=1e-9
    )


def test_provenance(make):
    source = read_molecular_data(make("beh")).source
    assert source.origin == "OpenFermion MolecularData"
    assert source.molecule.formula == "BeH"
    assert source.molecule.basis == "sto-3g"
    assert (source.molecule.charge, source.molecule.spin) == (0, 1)
    assert source.molecule.geometry.splitlines()[1].startswith("H 0.0000000000 0.0000000000 1.3")
    assert source.name.startswith("H1-Be1_sto-3g_doublet")


def test_without_an_energy_to_check(make):
    read = read_molecular_data(make("h2", hf_energy=None))
    assert read.source.references == ()


@pytest.mark.parametrize("change", [2e-8, -1.0])
def test_a_wrong_energy(make, change):
    wrong = float(mean_field("lih").e_tot) + change
    with pytest.raises(
        InputError, match=r"energy rebuilt from this MolecularData is -7\..*make it anew"
    ):
        from_openfermion(make("lih", hf_energy=wrong))


def test_integrals_in_another_order(make):
    """Chemists' order where OpenFermion's belongs."""
    with pytest.raises(InputError, match="two_body must be in chemists' order"):
        from_openfermion(make("lih", two_body_integrals=integrals("lih")[2]))


def test_no_integrals():
    from openfermion import MolecularData

    data = MolecularData([("H", (0, 0, 0)), ("H", (0, 0, 0.74))], "sto-3g", 1, filename="nowhere")
    with pytest.raises(InputError, match=r"holds no integrals; run a plugin .* then call load\(\)"):
        from_openfermion(data)


@pytest.mark.parametrize("multiplicity", [2, 5, 0, -1])
def test_an_impossible_multiplicity(make, multiplicity):
    with pytest.raises(InputError, match=rf"multiplicity {multiplicity} is impossible with 2 elec"):
        from_openfermion(make("h2", multiplicity=multiplicity, hf_energy=None))


def test_no_nuclear_repulsion(make):
    data = make("h2")
    data.nuclear_repulsion = None
    with pytest.raises(InputError, match="nuclear_repulsion must be a real number; got None"):
        from_openfermion(data)


@pytest.mark.parametrize("other", [None, "molecule.hdf5", np.eye(2)])
def test_other_objects(other):
    with pytest.raises(InputError, match=r"Expected an openfermion\.MolecularData; got "):
        from_openfermion(other)


@pytest.mark.parametrize("tolerance", [-1.0, np.nan])
def test_bad_tolerances(tolerance):
    with pytest.raises(InputError, match="tolerance must be"):
        from_openfermion(object(), tolerance=tolerance)
