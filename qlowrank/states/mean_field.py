# SPDX-License-Identifier: Apache-2.0
"""PySCF's mean-field objects for a Hamiltonian that is given by its factors."""

from typing import Any

import numpy as np
from opt_einsum import contract

from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.record import Hamiltonian, packed_two_body


def on_determinant(hamiltonian: Hamiltonian, orbitals: Array, energy: float) -> Any:
    """Return a mean-field object that holds a determinant, for correlated methods to start from.

    Args:
        hamiltonian: The operator; its integrals over pairs are formed.
        orbitals: Shape (norb, norb); the first are filled.
        energy: Of the determinant, Hartree.
    """
    mean_field = mean_field_of(hamiltonian)
    mean_field._eri = packed_two_body(hamiltonian)  # noqa: SLF001 (PySCF's place for a model's)
    mean_field.mo_coeff = np.array(orbitals)
    mean_field.mo_occ = occupation_of(hamiltonian.norb, hamiltonian.nelec)
    mean_field.e_tot = energy
    mean_field.converged = True
    density = mean_field.make_rdm1()
    fock = mean_field.get_fock(dm=density)
    mean_field.mo_energy = np.einsum(
        "pi,pq,qi->i", mean_field.mo_coeff, np.asarray(fock), mean_field.mo_coeff
    )
    return mean_field


def occupation_of(norb: int, nelec: tuple[int, int]) -> Array:
    """Occupation 2, 1 or 0 of orbitals filled from the first."""
    index = np.arange(norb)
    return (index < nelec[0]).astype(float) + (index < nelec[1])


def mean_field_of(hamiltonian: Hamiltonian) -> Any:
    """PySCF's mean-field object for a Hamiltonian in an orthonormal basis.

    Of the class itself: `scf.ROHF` would hand one electron to a class that leaves our constant out.
    """
    from pyscf import gto
    from pyscf.scf.hf import RHF
    from pyscf.scf.rohf import ROHF

    norb, (n_alpha, n_beta) = hamiltonian.norb, hamiltonian.nelec
    if n_beta > n_alpha:
        raise InputError(
            f"nelec must not have more beta than alpha electrons for a mean field; got "
            f"({n_alpha}, {n_beta}). Swap the spins."
        )
    mol = gto.M(verbose=0)
    mol.nelectron = n_alpha + n_beta
    mol.spin = n_alpha - n_beta
    mol.incore_anyway = True
    one_body = hamiltonian.normal_ordered_one_body()
    mean_field = (RHF if mol.spin == 0 else ROHF)(mol)
    mean_field.get_hcore = lambda *_: one_body
    mean_field.get_ovlp = lambda *_: np.eye(norb)
    mean_field.energy_nuc = lambda *_: hamiltonian.constant
    mean_field.get_jk = lambda _mol, dm, *_, **__: coulomb_exchange(hamiltonian, dm)
    mean_field.conv_tol = 1e-11
    mean_field.max_cycle = 200
    return mean_field


def coulomb_exchange(hamiltonian: Hamiltonian, densities: Any) -> tuple[Array, Array]:
    """Coulomb and exchange matrices of one density or a stack of them, from the factors."""
    factors = hamiltonian.factors
    stack = np.asarray(densities)
    shape = stack.shape
    stack = stack.reshape(-1, *shape[-2:])
    coulomb = contract("tpq,trs,xrs->xpq", factors, factors, stack)
    exchange = np.stack([_exchange(factors, density) for density in stack])
    return coulomb.reshape(shape), exchange.reshape(shape)


def _exchange(factors: Array, density: Array) -> Array:
    """Σ_t L_t D L_t, shape (norb, norb)."""
    half = factors @ density
    norb = len(density)
    return np.asarray(
        half.transpose(1, 0, 2).reshape(norb, -1) @ factors.transpose(0, 2, 1).reshape(-1, norb)
    )


def orbital_gradient(hamiltonian: Hamiltonian) -> float:
    """Largest orbital gradient of the determinant that fills the first orbitals, Hartree."""
    norb, (n_alpha, n_beta) = hamiltonian.norb, hamiltonian.nelec
    index = np.arange(norb)
    densities = np.array([np.diag((index < n).astype(float)) for n in (n_alpha, n_beta)])
    coulomb, exchange = coulomb_exchange(hamiltonian, densities)
    fock = hamiltonian.normal_ordered_one_body() + coulomb.sum(axis=0) - exchange
    occupation = occupation_of(norb, (n_alpha, n_beta))
    closed, opened, empty = occupation == 2, occupation == 1, occupation == 0
    parts = (
        fock.sum(axis=0)[np.ix_(closed, empty)] / 2,
        fock[0][np.ix_(opened, empty)],
        fock[1][np.ix_(closed, opened)],
    )
    return max(float(np.abs(part).max(initial=0.0)) for part in parts)
