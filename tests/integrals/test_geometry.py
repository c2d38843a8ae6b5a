# SPDX-License-Identifier: Apache-2.0
"""XYZ files line by line, and the SCF that starts from them."""

import numpy as np
import pytest

from qlowrank.checks import InputError, NotConvergedError
from qlowrank.hamiltonian import from_xyz
from qlowrank.integrals.geometry import converge, read_xyz
from tests.molecules import converged, fci_energy

WATER = "3\nwater, in Ångström\nO 0 0 0\nH 0 0.7572 0.5865\nH 0 -0.7572 0.5865\n"
H2 = [("H", (0.0, 0.0, 0.0)), ("H", (0.0, 0.0, 0.74))]
HI = [("I", (0.0, 0.0, 0.0)), ("H", (0.0, 0.0, 1.61))]


def xyz(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "molecule.xyz"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_file(tmp_path):
    atoms = read_xyz(xyz(tmp_path, WATER))
    assert atoms[0] == ("O", (0.0, 0.0, 0.0))
    assert atoms[2] == ("H", (0.0, -0.7572, 0.5865))
    assert read_xyz(str(xyz(tmp_path, WATER))) == atoms


@pytest.mark.parametrize(
    "text",
    [
        WATER.replace("\n", "\r\n"),
        WATER.rstrip("\n"),
        WATER + "\n  \n",
        WATER.replace("O 0", "  o\t0"),
        WATER.replace("O 0 0 0", "O 0.0 -0.0 +0.0e0 0.25 a comment"),
        WATER.replace("water, in Ångström", ""),
        "\ufeff" + WATER,
        WATER.replace("3\n", " 3 \n"),
    ],
)
def test_what_editors_and_programs_make_of_it(tmp_path, text):
    assert read_xyz(xyz(tmp_path, text)) == read_xyz(xyz(tmp_path, WATER))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"molecule\.xyz is empty; expected an XYZ geometry"),
        ("\n \n", r"is empty"),
        ("O 0 0 0\n", r"line 1: expected the number of atoms; got 'O 0 0 0'"),
        ("\n" + WATER, r"line 1: expected the number of atoms; got ''"),
        ("3.0\n\nH 0 0 0\n", r"line 1: expected the number of atoms; got '3\.0'"),
        (WATER.replace("3\n", "4\n"), r"announces 4 atoms on line 1 and lists 3; .* must agree"),
        (WATER.replace("3\n", "2\n"), r"announces 2 atoms on line 1 and lists 3"),
        ("0\nnothing\n", r"announces 0 atoms on line 1 and lists 0; .* be at least 1"),
        ("1\n", r"announces 1 atoms on line 1 and lists 0"),
        ("-1\n\n", r"announces -1 atoms on line 1 and lists 0"),
        (WATER.replace("O 0", "Qq 0"), r"line 3: 'Qq' is no element PySCF knows"),
        (WATER.replace("O 0", "X 0"), r"line 3: 'X' is no element"),
        (WATER.replace("O 0", "8 0"), r"line 3: '8' is no element"),
        (WATER.replace("O 0 0 0", "O 0 0"), r"line 3: expected an element and three coordinates"),
        (WATER.replace("O 0 0 0", "O 0 0 x"), r"line 3: expected .* Ångström; got 'O 0 0 x'"),
        (WATER.replace("O 0 0 0", "O"), r"line 3: expected an element"),
        (WATER.replace("O 0 0 0", "0 0 0 0 O"), r"line 3: '0' is no element"),
        (
            WATER.replace("0.5865", "nan"),
            r"line 4: coordinates end at 1e6 Å; got 'H 0 0\.7572 nan'",
        ),
        (WATER.replace("0.5865", "inf"), r"line 4: coordinates end at 1e6 Å"),
        (WATER.replace("0.5865", "-1e7"), r"line 4: coordinates end at 1e6 Å"),
        (WATER + WATER, r"line 6: expected an element and three coordinates .* got '3'"),
    ],
)
def test_bad_files(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_xyz(xyz(tmp_path, text))


def test_files_that_are_no_text(tmp_path):
    with pytest.raises(InputError, match="is not a text file; expected an XYZ geometry"):
        read_xyz(xyz(tmp_path, "3\n\nÅ\n", "latin-1"))


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.xyz; check the path"):
        read_xyz(tmp_path / "none.xyz")
    with pytest.raises(InputError, match="is a folder; give the XYZ file in it"):
        read_xyz(tmp_path)


def test_from_xyz(tmp_path):
    """The whole way, against PySCF from the same numbers."""
    from pyscf import gto, mcscf, scf

    hamiltonian = from_xyz(xyz(tmp_path, WATER), basis="sto-3g", tolerance=0.0, active=(4, 4))
    mol = gto.M(
        atom="O 0 0 0; H 0 .7572 .5865; H 0 -.7572 .5865", basis="sto-3g", unit="A", verbose=0
    )
    exact = mcscf.CASCI(converged(scf.RHF(mol)), 4, 4)
    exact.fcisolver.conv_tol = 1e-13
    energy = fci_energy(
        hamiltonian.constant,
        hamiltonian.normal_ordered_one_body(),
        hamiltonian.two_body(),
        hamiltonian.nelec,
    )
    assert abs(energy - exact.run().e_tot) <= 1e-8
    assert hamiltonian.source.name == "molecule"
    assert hamiltonian.source.molecule.formula == "H2O"
    assert hamiltonian.source.molecule.basis == "sto-3g"


@pytest.mark.parametrize(
    ("charge", "spin", "nelec"),
    [(0, None, (5, 5)), (1, None, (5, 4)), (-1, None, (6, 5)), (0, 2, (6, 4)), (1, 3, (6, 3))],
)
def test_charge_and_spin(tmp_path, charge, spin, nelec):
    hamiltonian = from_xyz(
        xyz(tmp_path, WATER), basis="sto-3g", charge=charge, spin=spin, tolerance=1e-2
    )
    assert hamiltonian.nelec == nelec
    assert hamiltonian.source.molecule.charge == charge
    assert hamiltonian.source.molecule.spin == nelec[0] - nelec[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"charge": 2}, "charge 2 leaves 0 electrons; at least 1 is needed"),
        ({"charge": 5}, "charge 5 leaves -3 electrons"),
        ({"charge": 0.5}, "charge must be a whole number; got 0.5"),
        ({"charge": "one"}, "charge must be a whole number; got 'one'"),
        ({"spin": 1}, r"spin \(n_alpha - n_beta\) 1 is impossible with 2 electrons .*must be even"),
        (
            {"charge": 1, "spin": 0},
            r"0 is impossible with 1 electrons \(charge 1\): it must be odd",
        ),
        ({"spin": 4}, "4 is impossible with 2 electrons .* from 0 to 2"),
        ({"spin": -2}, "-2 is impossible"),
        ({"spin": 1.5}, "spin must be a whole number; got 1.5"),
        ({"charge": -3}, r"2 orbitals of sto-3g cannot hold \(3, 2\) electrons"),
        ({"basis": "nonsense"}, "PySCF has no basis 'nonsense' for H. Try sto-3g"),
        ({"basis": ""}, "PySCF has no basis '' for H"),
        ({"basis": "cc-pvdz@9z"}, "PySCF has no basis 'cc-pvdz@9z' for H"),
        ({"basis": "@"}, "PySCF has no basis '@' for H"),
        ({"basis": None}, "basis must be a name, such as 'sto-3g'; got None"),
        ({"basis": {"H": "sto-3g"}}, "basis must be a name"),
    ],
)
def test_bad_charge_spin_and_basis(options, message):
    with pytest.raises(InputError, match=message) as caught:
        converge(H2, **({"basis": "sto-3g"} | options))
    assert "\n" not in str(caught.value)


def test_a_basis_that_lacks_an_element():
    with pytest.raises(InputError, match=r"PySCF has no basis 'cc-pvdz' for I.*def2-svp for heavy"):
        converge(HI, basis="cc-pvdz")


@pytest.mark.parametrize("basis", ["lanl2dz", "def2-svp"])
def test_a_basis_brings_its_core_potentials(basis):
    """Without them iodine's 53 electrons would sit in a valence basis, 1700 Hartree wrong."""
    from pyscf import gto, scf

    mf = converge(HI, basis=basis)
    mol = gto.M(atom=HI, basis=basis, ecp={"I": basis}, verbose=0)
    assert mf.mol.nelectron == mol.nelectron < 30
    assert abs(mf.e_tot - converged(scf.RHF(mol)).e_tot) < 1e-9


def test_spins_are_of_the_electrons_outside_core_potentials():
    with pytest.raises(InputError, match=r"10 is impossible with 8 electrons .* from 0 to 8"):
        converge(HI, basis="lanl2dz", spin=10)


@pytest.mark.parametrize("distance", [0.0, 1e-9, 9e-3])
def test_atoms_on_top_of_each_other(distance):
    atoms = [*H2, ("He", (0.0, distance, 0.74))]
    with pytest.raises(InputError, match=r"Atoms 2 \(H\) and 3 \(He\) are .* Å apart; check"):
        converge(atoms, basis="sto-3g")


def test_newton_steps_take_over(monkeypatch):
    """Two cycles are too few for DIIS, but enough for steps of second order."""
    from pyscf import scf

    water = [("O", (0, 0, 0)), ("H", (0, 0.7572, 0.5865)), ("H", (0, -0.7572, 0.5865))]
    expected = converge(water, basis="sto-3g").e_tot
    monkeypatch.setattr(scf.hf.SCF, "max_cycle", 2)
    mf = converge(water, basis="sto-3g")
    assert mf.converged
    assert type(mf) is scf.hf.RHF
    assert abs(mf.e_tot - expected) <= 1e-10


def test_an_scf_that_does_not_converge(monkeypatch, tmp_path):
    from pyscf import scf

    monkeypatch.setattr(scf.hf.SCF, "max_cycle", 1)
    with pytest.raises(
        NotConvergedError,
        match=r"SCF of O H H in sto-3g did not .*last energy is -74\.9.*from_pyscf",
    ) as caught:
        from_xyz(xyz(tmp_path, WATER), basis="sto-3g")
    assert caught.value.best.e_tot == pytest.approx(-74.96, abs=0.01)
    assert np.shape(caught.value.best.mo_coeff) == (7, 7)


def test_a_hard_case_converges():
    """Four atoms of hydrogen far apart, closed shell: DIIS alone does not get there."""
    square = [("H", (x, y, 0.0)) for x in (0.0, 8.0) for y in (0.0, 8.0)]
    assert converge(square, basis="sto-3g").converged


@pytest.mark.parametrize("tolerance", [-1.0, np.nan])
def test_bad_tolerances_come_before_the_file(tmp_path, tolerance):
    with pytest.raises(InputError, match="tolerance must be"):
        from_xyz(tmp_path / "none.xyz", basis="sto-3g", tolerance=tolerance)
