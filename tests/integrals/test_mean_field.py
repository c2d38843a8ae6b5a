# SPDX-License-Identifier: Apache-2.0
"""PySCF objects of every supported kind, rebuilt: the energies are those that PySCF reports."""

import subprocess
import sys

import numpy as np
import pytest

from qlowrank.hamiltonian import from_pyscf
from qlowrank.integrals.mean_field import read_pyscf
from qlowrank.integrals.record import determinant_energy
from tests.molecules import converged, fci_energy, integrals, mean_field, molecule

PROMISED = 1e-8
"""Hartree: what an import promises to rebuild."""


def lowest_energy(source, **options):
    """FCI energy of what was read, without truncation."""
    hamiltonian = from_pyscf(source, tolerance=0.0, **options)
    return fci_energy(
        hamiltonian.constant,
        hamiltonian.normal_ordered_one_body(),
        hamiltonian.two_body(),
        hamiltonian.nelec,
    )


def casci(mf, norb, nelec, orbitals=None):
    """A CASCI solved to the last digit."""
    from pyscf import mcscf

    cas = mcscf.CASCI(mf, norb, nelec)
    cas.fcisolver.conv_tol = 1e-13
    return cas.run() if orbitals is None else cas.run(orbitals)


@pytest.mark.parametrize("name", ["h", "h2", "h3", "heh", "heh+", "lih", "water", "o2", "cn"])
def test_the_mean_field_energy_is_rebuilt(name):
    mf = mean_field(name)
    read = read_pyscf(mf)
    constant, one_body, two_body, nelec = integrals(name)
    assert abs(determinant_energy(read) - mf.e_tot) <= PROMISED
    assert read.nelec == nelec
    assert read.constants.nuclear_repulsion == constant
    assert read.constants.total == constant
    np.testing.assert_allclose(read.one_body, one_body, rtol=0, atol=1e-10)
    rows, cols = np.tril_indices(len(one_body))
    np.testing.assert_allclose(
        read.pairs.columns(np.arange(len(rows))), two_body[rows, cols][:, rows, cols], atol=1e-10
    )


@pytest.mark.parametrize("name", ["h", "h2-631g", "h3", "heh", "heh+", "lih", "beh"])
def test_the_fci_energy_of_all_orbitals(name):
    assert abs(lowest_energy(mean_field(name)) - fci_energy(*integrals(name))) <= PROMISED


@pytest.mark.parametrize(
    ("name", "active"),
    [
        ("lih", (2, 5)),
        ("water", (4, 4)),
        ("water", (6, 5)),
        ("water", (10, 7)),
        ("o2", (2, 2)),
        ("o2", (8, 6)),
        ("cn", (5, 5)),
        ("beh", (1, 1)),
        ("heh", (3, 4)),
    ],
)
def test_windows_of_a_mean_field(name, active):
    """The same as PySCF's CASCI of that window, frozen core and open shell included."""
    mf = mean_field(name)
    n_electrons, norb = active
    unpaired = mf.mol.spin
    nelec = (n_electrons + unpaired) // 2, (n_electrons - unpaired) // 2
    assert abs(lowest_energy(mf, active=active) - casci(mf, norb, nelec).e_tot) <= PROMISED
    read = read_pyscf(mf, active=active)
    assert read.nelec == nelec
    assert read.norb == norb
    assert abs(determinant_energy(read) - mf.e_tot) <= PROMISED
    core = (mf.mol.nelectron - n_electrons) // 2
    assert (read.constants.frozen_core == 0.0) == (core == 0)


@pytest.mark.parametrize(
    ("name", "norb", "nelec"),
    [
        ("water", 4, (2, 2)),
        ("water", 5, (4, 2)),
        ("o2", 6, (5, 3)),
        ("o2", 6, (4, 4)),
        ("n2", 6, 6),
    ],
)
def test_casci_solved_and_unsolved(name, norb, nelec):
    """Also with another multiplicity than the mean field's."""
    from pyscf import mcscf

    mf = mean_field(name)
    solved, unsolved = casci(mf, norb, nelec), mcscf.CASCI(mf, norb, nelec)
    assert abs(lowest_energy(solved) - solved.e_tot) <= PROMISED
    assert abs(lowest_energy(unsolved) - solved.e_tot) <= PROMISED
    kinds = [reference.method.split("(")[0] for reference in read_pyscf(solved).source.references]
    assert kinds == ["HF", "CASCI"]
    assert [r.method for r in read_pyscf(unsolved).source.references] == ["HF"]


def test_casscf():
    """N2, six electrons in six orbitals: other orbitals than the mean field's."""
    from pyscf import mcscf

    cas = mcscf.CASSCF(mean_field("n2"), 6, 6).run()
    assert cas.converged
    assert abs(lowest_energy(cas) - cas.e_tot) <= PROMISED
    source = read_pyscf(cas).source
    assert source.reference("CASSCF(6, 6)").energy == cas.e_tot
    assert source.reference("HF").energy == cas._scf.e_tot
    assert source.origin == "PySCF CASSCF on RHF"


def test_orbitals_of_a_casci_are_taken_as_they_stand(rng):
    """Rotated inside the active space, and chosen out of order."""
    mf = mean_field("water")
    orbitals = mf.mo_coeff[:, [0, 1, 3, 2, 6, 4, 5]].copy()
    orbitals[:, 3:6] @= np.linalg.qr(rng.standard_normal((3, 3)))[0]
    cas = casci(mf, 3, (2, 2), orbitals)
    assert abs(lowest_energy(cas) - cas.e_tot) <= PROMISED


def test_an_excited_state_is_a_reference_too():
    from pyscf import mcscf

    cas = mcscf.CASCI(mean_field("water"), 4, 4)
    cas.state_specific_(1)
    cas.fcisolver.conv_tol = 1e-13
    cas.run()
    ground = casci(mean_field("water"), 4, 4).e_tot
    assert cas.e_tot > ground + 0.1
    assert abs(lowest_energy(cas) - ground) <= PROMISED
    assert read_pyscf(cas).source.reference("CAS").energy == cas.e_tot


def test_effective_core_potentials():
    from pyscf import gto, scf

    mol = gto.M(
        atom="I 0 0 0; H 0 0 1.61",
        basis={"I": "lanl2dz", "H": "sto-3g"},
        ecp={"I": "lanl2dz"},
        verbose=0,
    )
    mf = converged(scf.RHF(mol))
    read = read_pyscf(mf)
    assert read.nelec == (4, 4)
    assert abs(determinant_energy(read) - mf.e_tot) <= PROMISED
    assert read.constants.nuclear_repulsion == pytest.approx(7 * 0.529177210903 / 1.61, rel=1e-8)
    assert abs(lowest_energy(mf, active=(6, 5)) - casci(mf, 5, 6).e_tot) <= PROMISED
    assert read.source.molecule.basis == "custom"


def test_scalar_relativistic_corrections():
    from pyscf import scf

    mf = converged(scf.RHF(molecule("water")).x2c())
    assert abs(mf.e_tot - mean_field("water").e_tot) > 1e-3
    assert abs(determinant_energy(read_pyscf(mf)) - mf.e_tot) <= PROMISED
    assert abs(lowest_energy(mf, active=(4, 4)) - casci(mf, 4, 4).e_tot) <= PROMISED


def test_point_charges():
    """An embedding changes the one-electron part and the repulsion of the nuclei."""
    from pyscf import qmmm, scf

    mf = converged(qmmm.mm_charge(scf.RHF(molecule("water")), [(0.0, 0.0, 3.0)], [0.5]))
    assert abs(mf.energy_nuc() - molecule("water").energy_nuc()) > 0.1
    assert abs(determinant_energy(read_pyscf(mf)) - mf.e_tot) <= PROMISED
    assert abs(lowest_energy(mf, active=(4, 4)) - casci(mf, 4, 4).e_tot) <= PROMISED


@pytest.mark.parametrize(("name", "norb", "nelec"), [("water", 4, (2, 2)), ("o2", 6, (5, 3))])
def test_point_group_symmetry(name, norb, nelec):
    from pyscf import scf

    mol = molecule(name, symmetry=True)
    mf = converged((scf.ROHF if mol.spin else scf.RHF)(mol))
    assert type(mf).__module__.endswith("hf_symm")
    assert abs(determinant_energy(read_pyscf(mf)) - mean_field(name).e_tot) <= PROMISED
    solved = casci(mf, norb, nelec)
    assert abs(lowest_energy(solved) - solved.e_tot) <= PROMISED
    assert abs(lowest_energy(mf, active=(sum(nelec), norb)) - solved.e_tot) <= PROMISED


def test_cartesian_functions():
    from pyscf import scf

    mf = converged(scf.RHF(molecule("h2", basis="cc-pvdz", cart=True)))
    read = read_pyscf(mf)
    assert read.norb == mf.mol.nao == 10
    assert abs(determinant_energy(read) - mf.e_tot) <= PROMISED
    mf = converged(scf.RHF(molecule("lih", basis="6-31g*", cart=True)))
    assert mf.mol.nao == 17  # six d functions
    assert abs(lowest_energy(mf, active=(2, 8)) - casci(mf, 8, 2).e_tot) <= PROMISED


@pytest.mark.parametrize("name", ["water", "heh"])
def test_occupations_that_skip_an_orbital(name):
    """The reference fills the first orbitals all the same, in the order of occupation."""
    from pyscf import scf

    occupation = np.array([2.0, 2, 2, 2, 0, 2, 0] if name == "water" else [2.0, 0, 1, 0])
    ground = mean_field(name)
    mf = type(ground)(ground.mol)
    assert isinstance(mf, scf.hf.SCF)
    mf.get_occ = lambda *_, **__: occupation
    mf = converged(mf)
    np.testing.assert_array_equal(mf.mo_occ, occupation)
    assert mf.e_tot > ground.e_tot + 0.1
    assert abs(determinant_energy(read_pyscf(mf)) - mf.e_tot) <= PROMISED
    window = read_pyscf(mf, active=(3, 3) if mf.mol.spin else (4, 4))
    assert abs(determinant_energy(window) - mf.e_tot) <= PROMISED


def test_integrals_that_pyscf_did_not_keep():
    """Where memory was short, PySCF computes integrals anew in every cycle."""
    from pyscf import scf

    mf = scf.RHF(molecule("water"))
    mf.max_memory = 0
    mf = converged(mf)
    assert mf._eri is None
    assert abs(determinant_energy(read_pyscf(mf)) - mf.e_tot) <= PROMISED


@pytest.mark.parametrize("change", [lambda mf: mf.newton(), lambda mf: mf.set(level_shift=0.3)])
def test_other_ways_to_converge(change):
    from pyscf import scf

    mf = converged(change(scf.RHF(molecule("water"))))
    assert abs(determinant_energy(read_pyscf(mf)) - mf.e_tot) <= PROMISED


def test_more_beta_than_alpha():
    from pyscf import scf

    mf = converged(scf.ROHF(molecule("h", spin=-1, basis="6-31g")))
    read = read_pyscf(mf)
    assert read.nelec == (0, 1)
    assert abs(determinant_energy(read) - mf.e_tot) <= PROMISED


def test_a_model_without_atoms():
    """Hubbard's chain of four sites at half filling, as PySCF's users write models."""
    from pyscf import ao2mo, fci, gto, scf

    hopping = -(np.eye(4, k=1) + np.eye(4, k=-1))
    repulsion = np.zeros((4,) * 4)
    np.einsum("pppp->p", repulsion)[:] = 2.0
    mol = gto.M(verbose=0)
    mol.nelectron = 4
    mol.incore_anyway = True
    mf = scf.RHF(mol)
    mf.get_hcore = lambda *_: hopping
    mf.get_ovlp = lambda *_: np.eye(4)
    mf._eri = ao2mo.restore(8, repulsion, 4)
    mf = converged(mf)
    exact = fci.direct_spin1.kernel(hopping, repulsion, 4, (2, 2))[0]
    assert abs(lowest_energy(mf) - exact) <= PROMISED
    read = read_pyscf(mf)
    assert read.source.name == "model"
    assert read.constants.total == 0.0


def test_one_active_orbital():
    mf = mean_field("lih")
    read = read_pyscf(mf, active=(2, 1))
    assert read.pairs.diagonal().shape == (1,)
    assert abs(determinant_energy(read) - mf.e_tot) <= PROMISED


def test_only_empty_orbitals_active():
    """No electron, no energy but that of the frozen ones."""
    mf = mean_field("water")
    read = read_pyscf(mf, active=(0, 2))
    assert read.nelec == (0, 0)
    assert abs(read.constants.total - mf.e_tot) <= PROMISED


def test_provenance():
    from pyscf import gto, scf

    atoms = "C1 0 0 0; H@2 0 0 1.1; O 0 0 -1.2; H 1 0 0; ghost-He 0 0 4"
    mf = converged(scf.RHF(gto.M(atom=atoms, basis="sto-3g", verbose=0)))
    source = read_pyscf(mf).source
    assert source.name == source.molecule.formula == "CH2O"
    assert source.origin == "PySCF RHF"
    assert source.molecule.geometry.splitlines()[2] == "O 0.0000000000 0.0000000000 -1.2000000000"
    assert source.molecule.basis == "sto-3g"
    assert (source.molecule.charge, source.molecule.spin) == (0, 0)
    assert source.reference("HF").energy == mf.e_tot
    ion = read_pyscf(mean_field("heh+")).source
    assert ion.molecule.charge == 1
    assert ion.digest != source.digest


def test_geometry_is_in_angstrom_whatever_the_unit():
    from pyscf import gto, scf

    mol = gto.M(atom="H 0 0 0; H 0 0 1.5", unit="Bohr", basis="sto-3g", verbose=0)
    line = read_pyscf(converged(scf.RHF(mol))).source.molecule.geometry.splitlines()[1]
    assert float(line.split()[3]) == pytest.approx(1.5 * 0.529177210903, rel=1e-8)


def test_the_same_digest_twice():
    mf = mean_field("water")
    assert read_pyscf(mf).source == read_pyscf(mf).source


@pytest.mark.parametrize("large", [False, True])
def test_reading_a_mean_field_does_not_import_all_of_pyscf(large):
    """A mean field does so when it is asked for an attribute that it has not."""
    code = f"""
import sys
from pyscf import gto, scf
import qlowrank as ql
from qlowrank.hamiltonian import read
mf = scf.RHF(gto.M(atom="H 0 0 0; H 0 0 0.7", verbose=0)).run()
read.is_direct = lambda source: {large}
print(ql.from_pyscf(mf, tolerance=1e-6).rank, "pyscf.__all__" in sys.modules)
try:
    mf.nothing
except AttributeError:
    print("pyscf.__all__" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["3", "False", "True"]
