# SPDX-License-Identifier: Apache-2.0
"""The exact integrals, where they are at hand to price what a truncation left out."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.record import Hamiltonian, packed_two_body
from qlowrank.hamiltonian.residual import residual_of
from qlowrank.integrals.orbital_space import examine, optional
from qlowrank.integrals.pairs import OrbitalPairs, pack, pair_index, unpack
from qlowrank.integrals.record import Integrals

SAME = 1e-6
"""Hartree; exchange of the identity that differs by more belongs to another Hamiltonian. (Direct
exchange builds screen, and differ by far less.)"""


class ExactIntegrals(Protocol):
    """Coulomb and exchange of densities, and all integrals where they fit into memory."""

    def coulomb(self, density: Array) -> Array:
        """Return Σ_rs (pq|rs) D_rs, shape (norb, norb), Hartree."""
        ...

    def exchange(self, density: Array) -> Array:
        """Return Σ_qr (pq|rs) D_qr over p and s, shape (norb, norb), Hartree."""
        ...

    def packed(self) -> Array:
        """Return (pq|rs) over pairs p ≥ q, shape (npair, npair), Hartree."""
        ...


@dataclass(frozen=True, eq=False)
class PairIntegrals:
    """Exact integrals behind the door of orbital pairs; they are read into memory once."""

    pairs: OrbitalPairs
    """(pq|rs) over orbital pairs."""

    def coulomb(self, density: Array) -> Array:
        """Return Σ_rs (pq|rs) D_rs, shape (norb, norb), Hartree."""
        return unpack(self._matrix @ _folded(density), len(density))

    def exchange(self, density: Array) -> Array:
        """Return Σ_qr (pq|rs) D_qr over p and s, shape (norb, norb), Hartree."""
        norb = len(density)
        result = np.zeros((norb, norb))
        for r, rows in enumerate(pair_index(norb)):
            result += (unpack(self._matrix[rows], norb) @ density[r]).T
        return result

    def packed(self) -> Array:
        """Return (pq|rs) over pairs p ≥ q, shape (npair, npair), Hartree."""
        return self._matrix

    @cached_property
    def _matrix(self) -> Array:
        """All columns, symmetric."""
        npair = len(self.pairs.diagonal())
        _refuse_large(self.pairs.norb)
        matrix = np.asarray(self.pairs.columns(np.arange(npair)))
        return (matrix + matrix.T) / 2


@dataclass(frozen=True, eq=False)
class MeanFieldIntegrals:
    """Exact integrals of a PySCF mean field: one exchange build, and no four-index tensor.

    Only `packed` makes one, which correlated states need and determinants do not.
    """

    mean_field: Any
    """Converged RHF or ROHF without density fitting."""
    orbitals: Array
    """Orbitals of the Hamiltonian, shape (nao, norb)."""

    def coulomb(self, density: Array) -> Array:
        """Return Σ_rs (pq|rs) D_rs, shape (norb, norb), Hartree."""
        return self._built(density)[0]

    def exchange(self, density: Array) -> Array:
        """Return Σ_qr (pq|rs) D_qr over p and s, shape (norb, norb), Hartree."""
        return self._built(density)[1]

    def packed(self) -> Array:
        """Return (pq|rs) over pairs p ≥ q, shape (npair, npair), Hartree."""
        return self._packed

    def _built(self, density: Array) -> tuple[Array, Array]:
        """Coulomb and exchange from one build over atomic orbitals."""
        atomic = self.orbitals @ density @ self.orbitals.T
        built = self.mean_field.get_jk(self.mean_field.mol, (atomic + atomic.T) / 2, hermi=1)
        coulomb, exchange = (self.orbitals.T @ np.asarray(part) @ self.orbitals for part in built)
        return coulomb, exchange

    @cached_property
    def _packed(self) -> Array:
        """Transformed by PySCF."""
        from pyscf import ao2mo

        norb = self.orbitals.shape[1]
        _refuse_large(norb)
        held = self.mean_field._eri  # noqa: SLF001 (where PySCF keeps a model's own integrals)
        source = self.mean_field.mol if held is None else held
        packed = ao2mo.kernel(source, np.array(self.orbitals), compact=True)
        packed = packed.reshape(2 * (norb * (norb + 1) // 2,))
        return np.asarray((packed + packed.T) / 2)


def exact_integrals(exact: Any, hamiltonian: Hamiltonian) -> ExactIntegrals:
    """Return the door to the exact integrals of a Hamiltonian, checked to be its own.

    Args:
        exact: An `Integrals` record, an `OrbitalPairs`, or the PySCF object (mean field, CASCI or
            CASSCF) that the Hamiltonian was read from.
        hamiltonian: The truncation of these integrals.

    Raises:
        InputError: Something else, or integrals of another Hamiltonian.
    """
    door = _door(exact, hamiltonian)
    norb = hamiltonian.norb
    expected = 2 * (hamiltonian.one_body - hamiltonian.kappa)
    found = door.exchange(np.eye(norb))
    allowed = SAME
    if not residual_of(hamiltonian).semidefinite:  # rebuilt from leaves: h is that of its squares
        allowed += norb * hamiltonian.max_abs_error_bound
    gap = float(np.abs(found - expected).max(initial=0.0)) if norb == len(found) else np.inf
    if not gap <= allowed:
        raise InputError(
            "exact must hold the integrals that this Hamiltonian was made from, in the same "
            f"orbitals; their exchange Σ_r (pr|rq) differs by {gap:.1e} Hartree from the one in "
            "the record. Pass the object that went into ql.from_pyscf, or its integrals."
        )
    return door


def residual_pairs(hamiltonian: Hamiltonian, exact: ExactIntegrals) -> Array:
    """Return R = V − Σ_t L_t L_t over pairs p ≥ q, shape (npair, npair), Hartree."""
    return exact.packed() - packed_two_body(hamiltonian)


def mean_over_pairs(matrix: Array, tensor: Array) -> float:
    """Return Σ_pqrs M_pqrs Γ_pqrs of a matrix over pairs and a tensor with its symmetries."""
    folded = pack(np.moveaxis(pack(tensor), -1, 0))  # (rs, pq)
    norb = len(tensor)
    weight = _folded(np.ones((norb, norb)))
    return float(np.einsum("ij,i,j,ij->", matrix, weight, weight, folded, optimize=True))


def _door(exact: Any, hamiltonian: Hamiltonian) -> ExactIntegrals:
    """Wrap what a caller may pass."""
    if isinstance(exact, Integrals):
        return PairIntegrals(exact.pairs)
    if type(exact).__module__.startswith("pyscf"):
        electrons, orbitals = sum(hamiltonian.nelec), np.shape(exact.mo_coeff)[-1]
        part = (exact.mol.nelectron, orbitals) != (electrons, hamiltonian.norb)
        is_active_space = optional(exact, "ncas") is not None
        active = (electrons, hamiltonian.norb) if part and not is_active_space else None
        space = examine(exact, active)
        return MeanFieldIntegrals(space.mean_field, space.window)
    if hasattr(exact, "columns") and hasattr(exact, "exchange_of_identity"):
        return PairIntegrals(exact)
    raise InputError(
        "exact must be the PySCF object that the Hamiltonian was read from, an Integrals record "
        f"or a door to orbital pairs; got {type(exact).__name__}."
    )


def _folded(density: Array) -> Array:
    """Pack a symmetric matrix so that a product over pairs sums over all ordered ones."""
    norb = len(density)
    rows, cols = np.tril_indices(norb)
    return pack((density + density.T) / 2) * np.where(rows == cols, 1.0, 2.0)


def _refuse_large(norb: int) -> None:
    """Refuse a tensor that does not fit, naming the way out."""
    checks.fits(
        f"Expectation values with the exact integrals of {norb} orbitals",
        8 * 3 * (norb * (norb + 1) / 2) ** 2,
        None,
        "Choose an active space, a determinant as the state with a mean field as `exact`, or "
        "leave `exact` out for the a-priori bounds.",
    )
