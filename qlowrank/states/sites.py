# SPDX-License-Identifier: Apache-2.0
"""Which orbitals the sites of a chain are, and in which order they stand.

Entanglement, and with it the bond dimension, depends on both more than on anything else. A choice
is a small object that maps a Hamiltonian to orbitals; a Hamiltonian knows its integrals and no
molecule, so that all rules below look at integrals alone.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank import jointly_diagonal
from qlowrank.states.solve import lowest_determinant

LEAST_GAIN = 1e-14
"""Share of the sum below which a sweep ends a localisation: angles of about 1e-7 are left."""


class SiteOrbitals(Protocol):
    """Chooses the orbitals of the sites."""

    def __call__(self, hamiltonian: Hamiltonian) -> Array:
        """Return orthogonal (norb, norb); column k is the orbital of site k."""
        ...


@dataclass(frozen=True, slots=True)
class GivenOrbitals:
    """The Hamiltonian's own orbitals in their own order."""

    def __call__(self, hamiltonian: Hamiltonian) -> Array:
        """Return the identity."""
        return np.eye(hamiltonian.norb)


@dataclass(frozen=True, slots=True)
class OrderedOrbitals:
    """The Hamiltonian's own orbitals, in the order of `exchange_order`."""

    def __call__(self, hamiltonian: Hamiltonian) -> Array:
        """Return a permutation matrix."""
        return np.eye(hamiltonian.norb)[:, exchange_order(hamiltonian.factors)]


@dataclass(frozen=True, slots=True)
class LocalOrbitals:
    r"""Orbitals of largest self-repulsion (Edmiston-Ruedenberg), in the order of `exchange_order`.

    .. math:: \max_U \sum_i (ii|ii) = \max_U \sum_{t i} (U^T L^t U)_{ii}^2

    Occupied and empty orbitals are mixed freely. In terms of the factors this is their approximate
    joint diagonalisation, done by Jacobi rotations (`jointly_diagonal`),
    at a cost of rank × norb³ a round; no molecule and no four-index tensor is needed.

    Source:
        C. Edmiston and K. Ruedenberg, Rev. Mod. Phys. 35, 457 (1963).
    """

    def __call__(self, hamiltonian: Hamiltonian) -> Array:
        """Return the orbitals; column k is that of site k."""
        orbitals = most_local(hamiltonian.factors)
        turned = orbitals.T @ hamiltonian.factors @ orbitals
        return orbitals[:, exchange_order(turned)]


@dataclass(frozen=True, slots=True)
class SplitLocalOrbitals:
    """Filled, half-filled and empty orbitals, each localised by themselves, in exchange order.

    As `LocalOrbitals`, but what is mixed are filled orbitals of the Hartree-Fock determinant among
    each other, and so on: the determinant stays a product of sites, and what correlates stays near.

    Source:
        R. Olivares-Amaya et al., J. Chem. Phys. 142, 034102 (2015), section III.
    """

    def __call__(self, hamiltonian: Hamiltonian) -> Array:
        """Return the orbitals; column k is that of site k."""
        determinant = lowest_determinant(hamiltonian)
        orbitals = np.array(determinant.orbitals)
        n_alpha, n_beta = determinant.nelec
        for space in (slice(n_beta), slice(n_beta, n_alpha), slice(n_alpha, None)):
            columns = orbitals[:, space]
            orbitals[:, space] = columns @ most_local(columns.T @ hamiltonian.factors @ columns)
        turned = orbitals.T @ hamiltonian.factors @ orbitals
        return orbitals[:, exchange_order(turned)]


def most_local(factors: Array) -> Array:
    """Return the rotation that makes Σ_ti (UᵀL^tU)_ii² stationary, by Jacobi rotations.

    Args:
        factors: L, shape (rank, norb, norb), Hartree^½.

    Returns:
        U, shape (norb, norb); the largest entry of each column is positive.
    """
    orbitals = jointly_diagonal(factors, least_gain=LEAST_GAIN)
    peaks = np.abs(orbitals).max(axis=0, initial=0.0)
    return np.asarray(orbitals * np.where((orbitals == peaks).any(axis=0), 1.0, -1.0))


def exchange_order(factors: Array) -> list[int]:
    r"""Return the order of orbitals in which large exchange integrals are between neighbours.

    .. math:: K_{pq} = (pq|pq) = \sum_t (L^t_{pq})^2

    The orbitals are sorted by the Fiedler vector of K: the eigenvector of the second lowest
    eigenvalue of its graph Laplacian, which minimises Σ K_pq (x_p − x_q)².

    Args:
        factors: L, shape (rank, norb, norb), Hartree^½.

    Source:
        G. Barcza et al., Phys. Rev. A 83, 012508 (2011); exchange as in R. Olivares-Amaya et al.,
        J. Chem. Phys. 142, 034102 (2015).
    """
    return fiedler_order(np.einsum("tpq,tpq->pq", factors, factors))


def fiedler_order(weights: Array) -> list[int]:
    """Return the order that brings pairs of large weight together.

    Args:
        weights: Non-negative, symmetric, (norb, norb); the diagonal is not looked at. Mutual
            information serves as well as exchange.
    """
    links = np.asarray(weights) - np.diag(np.diag(weights))
    if (links < 0).any() or not np.allclose(links, links.T):
        raise InputError("weights must be symmetric and not negative.")
    norb = len(links)
    if norb < 3:  # every order has the same neighbours
        return list(range(norb))
    links = links + 1e-7 * links.max() * (1 - np.eye(norb))  # no orbital stands alone
    laplacian = np.diag(links.sum(axis=1)) - links
    fiedler = np.linalg.eigh(laplacian)[1][:, 1]
    order = np.argsort(fiedler, kind="stable")
    return [int(p) for p in (order if order[0] < order[-1] else order[::-1])]


def in_orbitals(hamiltonian: Hamiltonian, orbitals: Array) -> Hamiltonian:
    """Return the Hamiltonian in other orbitals, columns of `orbitals`."""
    return replace(
        hamiltonian,
        one_body=orbitals.T @ hamiltonian.one_body @ orbitals,
        kappa=orbitals.T @ hamiltonian.kappa @ orbitals,
        factors=orbitals.T @ hamiltonian.factors @ orbitals,
    )
