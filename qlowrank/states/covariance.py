# SPDX-License-Identifier: Apache-2.0
"""Covariances of all one-body operators of a state, from its reduced density matrices."""

from typing import Any

import numpy as np

from qlowrank.checks import Array

SpinPair = tuple[Array, Array]


def covariance_from_rdms(one: SpinPair, two: tuple[Array, Array, Array]) -> Array:
    r"""Return the covariance of spin-summed excitation operators.

    .. math:: \Gamma_{pqrs} = \langle E_{pq} E_{rs} \rangle - \langle E_{pq} \rangle
              \langle E_{rs} \rangle, \qquad E_{pq} = \sum_\sigma a^\dagger_{p\sigma} a_{q\sigma}

    Args:
        one: One-particle density matrices of alpha and beta, each (norb, norb).
        two: Two-particle density matrices αα, αβ, ββ in PySCF's order,
            two[p,q,r,s] = ⟨p† r† s q⟩, each (norb,)*4.

    Returns:
        Γ, shape (norb,)*4, symmetrised over p ↔ q and r ↔ s, as real symmetric one-body operators
        see it.
    """
    alpha_alpha, alpha_beta, beta_beta = two
    total = one[0] + one[1]
    pairs = alpha_alpha + beta_beta + alpha_beta + alpha_beta.transpose(2, 3, 0, 1)
    pairs = pairs + np.einsum("qr,ps->pqrs", np.eye(len(total)), total)
    covariance = pairs - np.einsum("pq,rs->pqrs", total, total)
    covariance = (covariance + covariance.transpose(1, 0, 2, 3)) / 2
    return np.asarray((covariance + covariance.transpose(0, 1, 3, 2)) / 2)


def rotated(covariance: Array, orbitals: Array) -> Array:
    """Carry Γ from orbitals to the basis they are written in: columns of `orbitals` to rows.

    Args:
        covariance: Γ over the columns of `orbitals`, (norb,)*4.
        orbitals: Shape (norb, norb), orthogonal.
    """
    norb = len(orbitals)
    pairs = np.einsum("pi,qj->pqij", orbitals, orbitals).reshape(norb**2, norb**2)
    return np.asarray((pairs @ covariance.reshape(norb**2, -1) @ pairs.T).reshape((norb,) * 4))


def cisd_rdms(
    nelec: tuple[int, int], norb: int, reference: float, singles: Any, doubles: Any
) -> tuple[SpinPair, tuple[Array, Array, Array]]:
    """Return one- and two-particle density matrices of a CISD state in its reference orbitals.

    Args:
        nelec: (n_alpha, n_beta).
        norb: Number of orbitals.
        reference: c_0.
        singles: c^α, c^β.
        doubles: c^αα, c^αβ, c^ββ.
    """
    solver, vector = _unrestricted(nelec, norb, reference, singles, doubles)
    return solver.make_rdm1(vector), solver.make_rdm2(vector)


def cisd_density(
    nelec: tuple[int, int], norb: int, reference: float, singles: Any, doubles: Any
) -> Array:
    """Return the spin-summed one-particle density of a CISD state in its reference orbitals.

    Arguments are those of `cisd_rdms`; nothing larger than the amplitudes is formed.
    """
    solver, vector = _unrestricted(nelec, norb, reference, singles, doubles)
    density = np.sum(solver.make_rdm1(vector), axis=0)
    return np.asarray(density + density.T) / 2


def _unrestricted(
    nelec: tuple[int, int], norb: int, reference: float, singles: Any, doubles: Any
) -> tuple[Any, Any]:
    """PySCF's CISD object in its reference orbitals, and its vector."""
    from pyscf import ci, gto, scf

    mean_field = scf.UHF(gto.M(verbose=0))
    mean_field.mo_coeff = np.array([np.eye(norb)] * 2)
    mean_field.mo_occ = np.array([(np.arange(norb) < n).astype(float) for n in nelec])
    solver = ci.UCISD(mean_field)
    return solver, ci.ucisd.amplitudes_to_cisdvec(reference, singles, doubles)
