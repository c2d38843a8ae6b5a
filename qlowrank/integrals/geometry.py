# SPDX-License-Identifier: Apache-2.0
"""From a geometry to a converged mean field: XYZ files, checked line by line, and PySCF's SCF."""

import math
import warnings
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import Any

from qlowrank import checks
from qlowrank.checks import InputError, NotConvergedError

CLOSEST = 1e-2
"""Atoms closer than this, in Ångström, are a mistake in the geometry."""


def read_xyz(path: str | Path) -> list[tuple[str, tuple[float, float, float]]]:
    """Read an XYZ file: number of atoms, a comment, then element and x y z in Ångström.

    Raises:
        InputError: Empty or misshapen file, unknown element, wrong number of atoms.
        FileNotFoundError: No such file.
    """
    if Path(path).is_dir():
        raise InputError(f"{path} is a folder; give the XYZ file in it.")
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no file {path}; check the path.") from error
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
        raise InputError(
            f"{path} announces {count} atoms on line 1 and lists {len(atoms)}; the numbers must "
            "agree, and be at least 1."
        )
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
        raise InputError(f"{path}, line {number}: coordinates end at 1e6 Å; got {line!r:.80}.")
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
        basis: A basis PySCF knows by name. Its effective core potentials, where it has any, come
            with it.
        charge: Total charge.
        spin: n_alpha − n_beta; by default 0 or 1, whichever the number of electrons allows.

    Raises:
        InputError: Unknown basis, atoms on top of each other, or charge and spin that the
            electrons cannot have.
        NotConvergedError: The SCF converged neither by DIIS nor by Newton steps.
    """
    mean_field = mean_field_of(atoms, basis=basis, charge=charge, spin=spin)
    mean_field.kernel()
    if not mean_field.converged:
        second_order = mean_field.newton()
        second_order.kernel(mean_field.mo_coeff, mean_field.mo_occ)
        mean_field = second_order.undo_soscf()
    if not mean_field.converged:
        raise NotConvergedError(
            f"The SCF of {' '.join(mean_field.mol.elements)} in {basis} did not converge, neither "
            f"by DIIS nor by Newton steps; its last energy is {mean_field.e_tot:.8f} Hartree. "
            "Check the geometry, or converge it in PySCF and pass the object to ql.from_pyscf.",
            best=mean_field,
        )
    return mean_field


def mean_field_of(
    atoms: list[tuple[str, tuple[float, float, float]]],
    *,
    basis: str,
    charge: int = 0,
    spin: int | None = None,
) -> Any:
    """Return RHF (spin 0) or ROHF for a geometry as `converge` begins with it.

    Raises:
        InputError: As `converge`.
    """
    from pyscf import scf

    mol = _molecule(atoms, basis, charge, spin)
    mean_field = (scf.RHF if mol.spin == 0 else scf.ROHF)(mol)
    mean_field.conv_tol = 1e-11
    return mean_field


def _molecule(atoms: list[Any], basis: str, charge: int, spin: int | None) -> Any:
    """Build PySCF's molecule, or say which of geometry, basis, charge and spin is wrong."""
    from pyscf import gto
    from pyscf.data.elements import charge as nuclear_charge

    _refuse_coincident(atoms)
    cores = _effective_cores({symbol for symbol, _ in atoms}, basis)
    electrons = sum(nuclear_charge(symbol) - cores.get(symbol, 0) for symbol, _ in atoms)
    electrons -= checks.whole("charge", charge)
    wanted = electrons % 2 if spin is None else checks.whole("spin", spin)
    if electrons < 1:
        raise InputError(f"charge {charge} leaves {electrons} electrons; at least 1 is needed.")
    if wanted < 0 or wanted > electrons or (electrons - wanted) % 2:
        parity = "even" if electrons % 2 == 0 else "odd"
        raise InputError(
            f"spin (n_alpha - n_beta) {wanted} is impossible with {electrons} electrons "
            f"(charge {charge}): it must be {parity} and from 0 to {electrons}."
        )
    mol = gto.Mole(
        atom=atoms,
        basis=basis,
        ecp=dict.fromkeys(cores, basis),
        charge=int(charge),
        spin=wanted,
        unit="Angstrom",
        verbose=0,
    )
    mol.build(dump_input=False, parse_arg=False)
    if max(mol.nelec) > mol.nao:
        raise InputError(f"{mol.nao} orbitals of {basis} cannot hold {mol.nelec} electrons.")
    return mol


def _effective_cores(symbols: set[str], basis: str) -> dict[str, int]:
    """Return how many electrons the basis leaves to a core potential, where it has one."""
    from pyscf import gto

    cores = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for symbol in sorted(symbols):
            _refuse_unknown(basis, symbol)
            with suppress(RuntimeError, LookupError, ValueError):  # PySCF's ways to say "none"
                potential = gto.basis.load_ecp(basis.lower().removeprefix("unc-"), symbol)
                if potential:
                    cores[symbol] = int(potential[0])
    return cores


def _refuse_unknown(basis: str, symbol: str) -> None:
    """Refuse a basis that PySCF does not have for an element."""
    from pyscf import gto
    from pyscf.lib.exceptions import BasisNotFoundError

    if not isinstance(basis, str):
        raise InputError(f"basis must be a name, such as 'sto-3g'; got {basis!r:.40}.")
    try:
        gto.format_basis({symbol: basis})
    except (BasisNotFoundError, AssertionError, LookupError, ValueError, OSError) as error:
        raise InputError(
            f"PySCF has no basis {basis!r:.40} for {symbol}. Try sto-3g, 6-31g or cc-pvdz, and "
            "def2-svp for heavy elements."
        ) from error


def _refuse_coincident(atoms: list[Any]) -> None:
    """Refuse two atoms in one place."""
    for (first, (a, here)), (second, (b, there)) in combinations(enumerate(atoms, 1), 2):
        if math.dist(here, there) < CLOSEST:
            raise InputError(
                f"Atoms {first} ({a}) and {second} ({b}) are {math.dist(here, there):.1e} Å apart; "
                "check the geometry, which is in Ångström."
            )
