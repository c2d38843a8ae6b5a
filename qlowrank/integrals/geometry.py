# SPDX-License-Identifier: Apache-2.0
"""From a geometry to a converged mean field: XYZ files, checked line by line, and PySCF's SCF."""

import warnings
from pathlib import Path
from typing import Any

from qlowrank.checks import InputError, NotConvergedError


def read_xyz(path: str | Path) -> list[tuple[str, tuple[float, float, float]]]:
    """Read an XYZ file: number of atoms, a comment, then element and x y z in Ångström.

    Raises:
        InputError: Empty or misshapen file, unknown element, wrong number of atoms.
        FileNotFoundError: No such file.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file; expected an XYZ geometry.") from error
    if not any(line.strip() for line in lines):
        raise InputError(f"{path} is empty; expected an XYZ geometry.")
    try:
        count = int(lines[0])
    except ValueError:
        raise InputError(
            f"{path}, line 1: expected the number of atoms; got {lines[0]!r:.60}."
        ) from None
    atoms = [_atom(path, number, line) for number, line in enumerate(lines[2:], 3) if line.strip()]
    if len(atoms) != count or not atoms:
        raise InputError(f"{path} announces {count} atoms on line 1 and lists {len(atoms)}.")
    return atoms


def _atom(path: str | Path, number: int, line: str) -> tuple[str, tuple[float, float, float]]:
    """Parse one line of an XYZ file."""
    from pyscf.data.elements import ELEMENTS

    words = line.split()
    try:
        x, y, z = (float(word) for word in words[1:4])
    except ValueError:
        raise InputError(
            f"{path}, line {number}: expected an element and three coordinates in Ångström; "
            f"got {line!r:.80}."
        ) from None
    symbol = words[0].capitalize()
    if symbol not in ELEMENTS[1:]:
        raise InputError(f"{path}, line {number}: {words[0]!r} is no element PySCF knows.")
    if not all(abs(value) < 1e6 for value in (x, y, z)):
        raise InputError(f"{path}, line {number}: coordinates must be finite; got {line!r:.80}.")
    return symbol, (x, y, z)


def converge(
    atoms: list[tuple[str, tuple[float, float, float]]],
    *,
    basis: str,
    charge: int = 0,
    spin: int | None = None,
) -> Any:
    """Converge RHF (spin 0) or ROHF for a geometry in Ångström; return PySCF's mean field.

    Args:
        atoms: Element and coordinates of each atom.
        basis: A basis PySCF knows by name.
        charge: Total charge.
        spin: n_alpha − n_beta; by default 0 or 1, whichever the number of electrons allows.

    Raises:
        InputError: Unknown basis, or charge and spin that the electrons cannot have.
        NotConvergedError: The SCF converged neither by DIIS nor by Newton steps.
    """
    from pyscf import scf

    mol = _molecule(atoms, basis, charge, spin)
    mean_field = (scf.RHF if mol.spin == 0 else scf.ROHF)(mol)
    mean_field.conv_tol = 1e-11
    mean_field.kernel()
    if not mean_field.converged:
        second_order = mean_field.newton()
        second_order.kernel(mean_field.mo_coeff, mean_field.mo_occ)
        mean_field = second_order.undo_soscf()
    if not mean_field.converged:
        raise NotConvergedError(
            f"The SCF of {mol.elements} in {basis} did not converge, neither by DIIS nor by "
            f"Newton steps; its last energy is {mean_field.e_tot:.8f} Hartree. Check the geometry, "
            "or converge it in PySCF and pass the object to ql.from_pyscf.",
            best=mean_field,
        )
    return mean_field


def _molecule(atoms: list[Any], basis: str, charge: int, spin: int | None) -> Any:
    """Build PySCF's molecule, or say which of basis, charge and spin is wrong."""
    from pyscf import gto
    from pyscf.data.elements import charge as nuclear_charge
    from pyscf.lib.exceptions import BasisNotFoundError

    electrons = sum(nuclear_charge(symbol) for symbol, _ in atoms) - charge
    wanted = electrons % 2 if spin is None else spin
    if electrons < 1:
        raise InputError(f"charge {charge} leaves {electrons} electrons; at least 1 is needed.")
    if wanted < 0 or wanted > electrons or (electrons - wanted) % 2:
        parity = "even" if electrons % 2 == 0 else "odd"
        raise InputError(
            f"spin (n_alpha - n_beta) {wanted} is impossible with {electrons} electrons "
            f"(charge {charge}): it must be {parity} and from 0 to {electrons}."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mol = gto.M(
                atom=atoms, basis=basis, charge=charge, spin=wanted, unit="Angstrom", verbose=0
            )
    except (BasisNotFoundError, KeyError, FileNotFoundError) as error:
        raise InputError(
            f"PySCF has no basis {basis!r} for these elements ({error}). Try sto-3g, 6-31g or "
            "cc-pvdz."
        ) from error
    if max(mol.nelec) > mol.nao:
        raise InputError(f"{mol.nao} orbitals of {basis} cannot hold {mol.nelec} electrons.")
    return mol
