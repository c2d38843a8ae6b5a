# SPDX-License-Identifier: Apache-2.0
"""Integrals from converged PySCF objects: RHF, ROHF, CASCI and CASSCF."""

from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.integrals.orbital_space import examine, optional
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
    space = examine(source, active)
    mean_field, cas, orbitals = space.mean_field, space.cas, space.orbitals
    core, nelec, window = space.core, space.nelec, space.window
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
        nelec=nelec,
        source=provenance(source, mean_field, cas, (nuclear, frozen, one_body, packed, nelec)),
    )
    _check_energies(integrals, source, mean_field, orbitals, core)
    return integrals


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
    densities = np.array([alpha @ alpha.T, beta @ beta.T, *spin_densities(mean_field)])
    coulomb, exchange = mean_field.get_jk(mean_field.mol, densities)
    one_electron = np.einsum("spq,pq->s", densities, mean_field.get_hcore())
    pairs = np.einsum("spq,tpq->st", densities, coulomb) - np.diag(
        np.einsum("spq,spq->s", densities, exchange)
    )
    expected, converged = (
        float(mean_field.energy_nuc() + one_electron[s].sum() + pairs[s, s].sum() / 2)
        for s in (slice(0, 2), slice(2, 4))
    )
    agree("reference determinant", determinant_energy(integrals), expected)
    agree(type(mean_field).__name__, converged, float(mean_field.e_tot))
    if source is mean_field:
        agree(type(source).__name__, determinant_energy(integrals), float(source.e_tot))
    vector = optional(source, "ci")
    if vector is not None:
        packed = integrals.pairs.columns(np.arange(len(integrals.pairs.diagonal())))
        energy = fci.direct_spin1.energy(
            integrals.one_body, packed, vector, integrals.norb, integrals.nelec
        )
        agree("CASCI", integrals.constants.total + float(energy), float(source.e_tot))


def spin_densities(mean_field: Any) -> Array:
    """Alpha and beta density of a mean field, shape (2, nao, nao)."""
    density = np.asarray(mean_field.make_rdm1())
    return np.stack([density / 2] * 2) if density.ndim == 2 else density


def agree(what: str, rebuilt: float, expected: float) -> None:
    """Refuse when two energies that must be equal are not."""
    if not abs(rebuilt - expected) <= ENERGY_TOLERANCE:
        raise InputError(
            f"The {what} energy rebuilt from the integrals is {rebuilt:.10f} Hartree, and PySCF "
            f"reports {expected:.10f}: they must agree to {ENERGY_TOLERANCE:g}. The object carries "
            "an energy that its Hamiltonian does not describe (solvent, dispersion, fractional "
            "occupations, edited orbitals), or its last iteration was not finished; converge it "
            "tighter without these."
        )


def provenance(source: Any, mean_field: Any, cas: Any, numbers: tuple[Any, ...]) -> Source:
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
