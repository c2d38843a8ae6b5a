# SPDX-License-Identifier: Apache-2.0
"""Integrals from converged PySCF objects: RHF, ROHF, CASCI and CASSCF."""

from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.integrals.pairs import DensePairs
from qlowrank.integrals.record import (
    Constants,
    Integrals,
    Molecule,
    Reference,
    Source,
    determinant_energy,
    fingerprint,
    hill_formula,
)

ENERGY_TOLERANCE = 1e-8
"""An import must rebuild the source's energy to this many Hartree, or it refuses."""
ORTHONORMAL = 1e-8
"""Largest element by which the overlap of orbitals may miss the identity."""


def read_pyscf(
    source: Any, *, active: tuple[int, int] | None = None, max_memory: float | None = None
) -> Integrals:
    """Read a converged PySCF mean field, or an active space of one.

    The one-body part comes from the object's own `get_hcore` (effective core potentials,
    relativistic corrections and embedding fields stay in), frozen orbitals enter through PySCF's
    effective core Hamiltonian. Orbitals are ordered by occupation, so that the reference
    determinant fills the first ones.

    Args:
        source: `scf.RHF`, `scf.ROHF`, `mcscf.CASCI` or `mcscf.CASSCF`. An active space need not
            have been solved; its frozen core and orbitals are taken as they stand.
        active: (electrons, orbitals) around the Fermi level of a mean field.
        max_memory: Bytes that the dense tensor may take; the machine's free memory by default.

    Raises:
        InputError: Unrestricted, generalised, Kohn-Sham, periodic, density-fitted, complex or
            unconverged input; an active space that does not fit; an energy that is not rebuilt.
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
    nuclear = float(mean_field.energy_nuc())
    if cas is None:
        one_body, frozen = window.T @ mean_field.get_hcore() @ window, 0.0
    else:
        one_body, total_core = cas.get_h1eff(orbitals)
        frozen = float(total_core) - nuclear
    packed = _transformed(mean_field, window, max_memory)
    integrals = Integrals(
        constants=Constants(nuclear_repulsion=nuclear, frozen_core=frozen),
        one_body=(one_body + one_body.T) / 2,
        pairs=DensePairs(packed),
        nelec=(int(nelec[0]), int(nelec[1])),
        source=_provenance(source, mean_field, cas, (nuclear, frozen, one_body, packed, nelec)),
    )
    _check_energies(integrals, source, mean_field, orbitals, core)
    return integrals


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
    if any(getattr(part, "with_df", None) is not None for part in (source, mean_field)):
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
    vector = getattr(source, "ci", None)
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


def _transformed(mean_field: Any, window: Array, max_memory: float | None) -> Array:
    """Two-electron integrals over the window's orbital pairs."""
    from pyscf import ao2mo

    nao, norb = window.shape
    pairs_ao, pairs_mo = nao * (nao + 1) / 2, norb * (norb + 1) / 2
    checks.fits(
        f"The dense two-electron tensor of {norb} of {nao} orbitals",
        8 * (pairs_ao**2 / 2 + pairs_ao * pairs_mo + 2 * pairs_mo**2),
        max_memory,
        "Choose an active space, a smaller basis, or raise the limit.",
    )
    integrals = mean_field._eri  # noqa: SLF001 (where PySCF keeps a model's own integrals)
    if integrals is None:
        integrals = mean_field.mol.intor("int2e", aosym="s8")
    packed = ao2mo.kernel(integrals, np.array(window), compact=True)
    packed = packed.reshape(2 * (norb * (norb + 1) // 2,))  # one orbital comes back four-index
    return np.asarray((packed + packed.T) / 2)


def _check_energies(
    integrals: Integrals, source: Any, mean_field: Any, orbitals: Array, core: int
) -> None:
    """Refuse integrals that do not rebuild the source's own energies."""
    from pyscf import fci

    n_alpha, n_beta = integrals.nelec
    alpha, beta = orbitals[:, : core + n_alpha], orbitals[:, : core + n_beta]
    densities = np.array([alpha @ alpha.T, beta @ beta.T, *_spin_densities(mean_field)])
    coulomb, exchange = mean_field.get_jk(mean_field.mol, densities)
    one_electron = np.einsum("spq,pq->s", densities, mean_field.get_hcore())
    pairs = np.einsum("spq,tpq->st", densities, coulomb) - np.diag(
        np.einsum("spq,spq->s", densities, exchange)
    )
    expected, converged = (
        float(mean_field.energy_nuc() + one_electron[s].sum() + pairs[s, s].sum() / 2)
        for s in (slice(0, 2), slice(2, 4))
    )
    _agree("reference determinant", determinant_energy(integrals), expected)
    _agree(type(mean_field).__name__, converged, float(mean_field.e_tot))
    if source is mean_field:
        _agree(type(source).__name__, determinant_energy(integrals), float(source.e_tot))
    vector = getattr(source, "ci", None)
    if vector is not None:
        packed = integrals.pairs.columns(np.arange(len(integrals.pairs.diagonal())))
        energy = fci.direct_spin1.energy(
            integrals.one_body, packed, vector, integrals.norb, integrals.nelec
        )
        _agree("CASCI", integrals.constants.total + float(energy), float(source.e_tot))


def _spin_densities(mean_field: Any) -> Array:
    """Alpha and beta density of a mean field, shape (2, nao, nao)."""
    density = np.asarray(mean_field.make_rdm1())
    return np.stack([density / 2] * 2) if density.ndim == 2 else density


def _agree(what: str, rebuilt: float, expected: float) -> None:
    """Refuse when two energies that must be equal are not."""
    if not abs(rebuilt - expected) <= ENERGY_TOLERANCE:
        raise InputError(
            f"The {what} energy rebuilt from the integrals is {rebuilt:.10f} Hartree, and PySCF "
            f"reports {expected:.10f}: they must agree to {ENERGY_TOLERANCE:g}. The object carries "
            "an energy that its Hamiltonian does not describe (solvent, dispersion, fractional "
            "occupations, edited orbitals), or its last iteration was not finished; converge it "
            "tighter without these."
        )


def _provenance(source: Any, mean_field: Any, cas: Any, numbers: tuple[Any, ...]) -> Source:
    """Describe the molecule and the energies that PySCF reports."""
    kind = type(mean_field).__name__
    references = [Reference(method="HF", energy=float(mean_field.e_tot))]
    if cas is not None and getattr(cas, "ci", None) is not None:
        method = f"{type(source).__name__}({sum(cas.nelecas)}, {cas.ncas})"
        references.append(Reference(method=method, energy=float(cas.e_tot)))
    molecule = describe(mean_field.mol)
    return Source(
        name=molecule.formula or "model",
        origin=f"PySCF {kind}" if cas is None else f"PySCF {type(cas).__name__} on {kind}",
        molecule=molecule,
        references=tuple(references),
        digest=fingerprint(*numbers),
    )


def describe(mol: Any) -> Molecule:
    """Return formula, geometry in Ångström, basis, charge and spin of a PySCF molecule."""
    symbols = [mol.atom_pure_symbol(i) for i in range(mol.natm)]
    charged = [s for s, charge in zip(symbols, mol.atom_charges(), strict=True) if charge > 0]
    lines = [
        f"{symbol} {x:.10f} {y:.10f} {z:.10f}"
        for symbol, (x, y, z) in zip(symbols, mol.atom_coords(unit="Angstrom"), strict=True)
    ]
    return Molecule(
        formula=hill_formula(charged),
        geometry="\n".join(lines),
        basis=mol.basis if isinstance(mol.basis, str) else "custom",
        charge=int(mol.charge),
        spin=int(mol.spin),
    )
