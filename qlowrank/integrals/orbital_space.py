# SPDX-License-Identifier: Apache-2.0
"""Which orbitals of a PySCF object a Hamiltonian is about; what cannot be described is refused."""

from dataclasses import dataclass
from inspect import getattr_static
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError

ORTHONORMAL = 1e-8
"""Largest element by which the overlap of orbitals may miss the identity."""


@dataclass(frozen=True, eq=False, slots=True)
class OrbitalSpace:
    """Which orbitals of a PySCF object the Hamiltonian is about."""

    mean_field: Any
    """The PySCF mean field."""
    cas: Any
    """The CASCI or CASSCF object, or None where all orbitals are active."""
    orbitals: Array
    """All orbitals, the doubly occupied first, shape (nao, n)."""
    core: int
    """Number of frozen doubly occupied orbitals, the first ones."""
    nelec: tuple[int, int]
    """Active electrons of each spin."""
    window: Array
    """Active orbitals, shape (nao, norb)."""


def examine(source: Any, active: tuple[int, int] | None) -> OrbitalSpace:
    """Find the orbitals of a PySCF object, or say why it cannot be used.

    Raises:
        InputError: As `read_pyscf`, but for the energies.
    """
    cas = _as_active_space(source, active)
    mean_field = source if cas is None else cas._scf  # noqa: SLF001 (PySCF's public idiom)
    _refuse_unsupported(source, mean_field)
    if cas is None:
        orbitals, core, nelec = _by_occupation(mean_field), 0, _electrons(mean_field.mol)
    else:
        orbitals, core, nelec = cas.mo_coeff, _core(cas), tuple(cas.nelecas)
    norb = orbitals.shape[1] if cas is None else cas.ncas
    window = _window(mean_field, orbitals, core, norb)
    return OrbitalSpace(mean_field, cas, orbitals, core, (int(nelec[0]), int(nelec[1])), window)


def _as_active_space(source: Any, active: tuple[int, int] | None) -> Any:
    """Return a CASCI/CASSCF object, or None for a mean field with all orbitals."""
    from pyscf import scf

    if _is_a(source, "pyscf.mcscf", "CASBase"):
        if active is not None:
            raise InputError(
                "active is for mean fields; this CASCI/CASSCF object has its own active space. "
                "Leave active out."
            )
        return source
    if not isinstance(source, scf.hf.SCF):
        raise InputError(
            "Expected a converged PySCF RHF or ROHF mean field, or a CASCI/CASSCF object on one; "
            f"got {type(source).__name__}. For arrays use ql.from_integrals."
        )
    if active is None:
        return None
    _refuse_unsupported(source, source)
    return _active_space(source, active)


def _active_space(mean_field: Any, active: tuple[int, int]) -> Any:
    """Freeze what lies outside the active window of a mean field."""
    from pyscf import mcscf

    try:
        n_electrons, norb = (checks.whole("active", n) for n in active)
    except (TypeError, ValueError):
        raise InputError(
            f"active must be two integers (electrons, orbitals); got {active!r:.60}."
        ) from None
    orbitals = _by_occupation(mean_field)
    mol = mean_field.mol
    n_alpha, n_beta = _electrons(mol)
    n_frozen = n_alpha + n_beta - n_electrons
    request = f"active space ({n_electrons} electrons, {norb} orbitals)"
    if norb < 1 or n_electrons < 0:
        raise InputError(f"The {request} must have at least 1 orbital and no negative electrons.")
    if n_frozen < 0 or norb > orbitals.shape[1]:
        raise InputError(
            f"The {request} is larger than the molecule, which has {n_alpha + n_beta} electrons "
            f"in {orbitals.shape[1]} orbitals. Ask for at most that."
        )
    if n_frozen % 2:
        raise InputError(
            f"The {request} would leave {n_frozen} electrons in the frozen core; they must pair. "
            "Add or remove one active electron."
        )
    core = n_frozen // 2
    inside = (n_alpha - core, n_beta - core)
    if core + norb > orbitals.shape[1] or max(inside) > norb or min(inside) < 0:
        raise InputError(
            f"The {request} does not fit: {core} frozen orbitals, {inside[0]} alpha and "
            f"{inside[1]} beta active electrons, {orbitals.shape[1]} orbitals in all. "
            "Change the number of active electrons or orbitals."
        )
    cas = mcscf.CASCI(mean_field, norb, inside)
    cas.verbose = 0
    cas.mo_coeff = orbitals
    return cas


def _refuse_unsupported(source: Any, mean_field: Any) -> None:
    """Refuse what the record cannot describe, naming the way out."""
    kind = type(mean_field).__name__
    if _is_a(source, "pyscf.mcscf", "UCASBase") or _is_a(mean_field, "pyscf.scf", "UHF"):
        raise InputError(
            f"Unrestricted orbitals ({kind}) are not supported: alpha and beta would need "
            "separate integrals. Use scf.ROHF, or mf.to_rhf().run() for a closed shell."
        )
    if _is_a(mean_field, "pyscf.scf", "GHF") or _is_a(mean_field, "pyscf.scf", "DHF"):
        raise InputError(
            f"Generalised or relativistic spinors ({kind}) are not supported; use scf.RHF or ROHF."
        )
    if _is_a(mean_field, "pyscf.dft", "KohnShamDFT"):
        raise InputError(
            f"A Kohn-Sham object ({kind}) has no Hartree-Fock energy to check against. Use "
            "mf.to_hf() and converge it, or a CASCI object on Hartree-Fock orbitals."
        )
    if _is_a(mean_field, "pyscf.pbc", "SCF"):
        raise InputError(f"Periodic systems ({kind}) are not supported; use a molecule.")
    if any(optional(part, "with_df") is not None for part in (source, mean_field)):
        raise InputError(
            f"{type(source).__name__} fits its integrals (density fitting, RI), so the exact "
            "Hamiltonian does not give its energy. Converge the same object without density_fit()."
        )
    if mean_field.mo_coeff is None:
        raise InputError("The mean field has no orbitals yet; call mf.kernel() first.")
    if not mean_field.converged:
        hint = "" if source is mean_field else " (PySCF makes UHF an RHF that never ran.)"
        raise InputError(
            f"The SCF of this {kind} did not converge. Pass a converged mean field: raise "
            f"mf.max_cycle, or use mf.newton().{hint}"
        )
    _refuse_unsolved(source)
    if np.iscomplexobj(mean_field.mo_coeff) or np.iscomplexobj(source.mo_coeff):
        raise InputError("Complex orbitals are not supported; use real ones.")


def _refuse_unsolved(source: Any) -> None:
    """Refuse an active space that was solved, but not to one converged state."""
    vector = optional(source, "ci")
    if vector is None:
        return
    if not isinstance(vector, np.ndarray):
        raise InputError(
            "State-averaged or multi-root CASCI/CASSCF gives no single reference state; pass "
            "mcscf.CASCI on its orbitals (mo_coeff), solved for one root."
        )
    if not np.all(source.converged):
        raise InputError(
            f"This {type(source).__name__} did not converge. Raise its max_cycle_macro or "
            "fcisolver.max_cycle and run it again."
        )


def optional(value: Any, name: str) -> Any:
    """Return an attribute of a PySCF object, None where it has none.

    A mean field that is asked for what it has not imports all of PySCF first, which takes a second.
    """
    return None if getattr_static(value, name, None) is None else getattr(value, name)


def _is_a(value: Any, package: str, name: str) -> bool:
    """Tell whether a PySCF class is among the bases, without importing the package it is in."""
    return any(
        base.__name__ == name and base.__module__.startswith(package)
        for base in type(value).__mro__
    )


def _by_occupation(mean_field: Any) -> Array:
    """Orbitals with the doubly occupied first, then the singly occupied."""
    order = np.argsort(-np.asarray(mean_field.mo_occ), kind="stable")
    return np.asarray(mean_field.mo_coeff[:, order])


def _electrons(mol: Any) -> tuple[int, int]:
    """(n_alpha, n_beta) of the whole molecule."""
    n_alpha, n_beta = mol.nelec
    return int(n_alpha), int(n_beta)


def _core(cas: Any) -> int:
    """Number of frozen orbitals below an active space."""
    n_electrons, n_active = cas.mol.nelectron, sum(cas.nelecas)
    try:
        return int(cas.ncore)
    except AssertionError:
        raise InputError(
            f"{n_active} of {n_electrons} electrons active leave {n_electrons - n_active} for the "
            "frozen core, which must be even and not negative. Change the active electrons."
        ) from None


def _window(mean_field: Any, orbitals: Array, core: int, norb: int) -> Array:
    """Return the active orbitals, or say why they cannot be used."""
    if core + norb > orbitals.shape[1]:
        raise InputError(
            f"The active space needs {core} frozen and {norb} active orbitals; mo_coeff has "
            f"{orbitals.shape[1]}. Ask for fewer, or pass all orbitals."
        )
    used = checks.readonly("mo_coeff", orbitals[:, : core + norb], (len(orbitals), core + norb))
    gap = np.abs(used.T @ mean_field.get_ovlp() @ used - np.eye(core + norb)).max()
    if gap > ORTHONORMAL:
        raise InputError(
            f"Orbitals must be orthonormal; CᵀSC misses the identity by {gap:.1e}. "
            "Orthonormalise mo_coeff, or take it as PySCF made it."
        )
    return used[:, core:]
