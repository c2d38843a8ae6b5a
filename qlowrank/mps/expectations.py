# SPDX-License-Identifier: Apache-2.0
"""Expectation values of one-body operators, of their squares, and of two-body operators."""

import numpy as np
from numpy.typing import ArrayLike
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.mps.action import ChainOperator, Image, one_body_operator
from qlowrank.mps.action.one_body import ANNIHILATORS, NUMBERS, PARITY
from qlowrank.mps.canonical import canonicalise_mps
from qlowrank.mps.record import MPS
from qlowrank.mps.reduced import pair_density, site_density
from qlowrank.mps.sectors import ORBITAL

_EXACT = 1e-15
"""Share of an operator's norm that may be left out of its channels: rounding."""

_SYMMETRY = 1e-9
"""Share of the largest integral by which integrals may miss a symmetry."""


def spin_densities(mps: MPS) -> Array:
    r"""Return the one-body density matrices of a chain of orbitals.

    .. math:: \gamma^\sigma_{pq} = \langle\psi| a^\dagger_{p\sigma} a_{q\sigma} |\psi\rangle
              / \langle\psi|\psi\rangle

    Returns:
        Alpha, then beta; shape (2, norb, norb), symmetric.

    Raises:
        InputError: The sites are not spatial orbitals, or the norm is zero.

    >>> import qlowrank as ql
    >>> mps = ql.mps_from_determinants([0b01, 0b10], [0b01, 0b10], [0.8, -0.6], 2)
    >>> spin_densities(mps)[0].round(3)
    array([[0.64, 0.  ],
           [0.  , 0.36]])
    """
    size = _norm(mps)
    canonical = canonicalise_mps(mps, 0)
    norb = mps.n_sites
    found = np.zeros((2, norb, norb))
    occupied = contract("kss,ns->nk", site_density(canonical), NUMBERS)
    pairs = pair_density(canonical)
    for spin in (0, 1):
        # a†_p a_q with q next to p: a_q passes the parity of site p
        hop = np.kron(ANNIHILATORS[spin].T @ PARITY, ANNIHILATORS[spin])
        upper = contract("pqij,ji->pq", pairs, hop)
        found[spin] = upper + upper.T + np.diag(occupied[spin])
    return found / size**2


def one_body_expectation(mps: MPS, matrix: ArrayLike) -> float:
    r"""Return :math:`\sum_{pq} h_{pq} \langle E_{pq} \rangle`, normalised.

    Args:
        mps: One site per spatial orbital.
        matrix: h, symmetric, shape (norb, norb).

    Raises:
        InputError: The sites are not spatial orbitals, the matrix does not fit, the norm is zero.

    >>> import qlowrank as ql
    >>> mps = ql.mps_from_determinants([0b01], [0b11], [2.0], 2)
    >>> one_body_expectation(mps, [[1.0, 0.0], [0.0, 10.0]])
    12.0
    """
    size = _norm(mps)
    image = Image((_spin_summed(mps, matrix), mps))
    return image.overlap(mps) / size**2


def square_expectation(mps: MPS, matrix: ArrayLike) -> float:
    r"""Return :math:`\tfrac12 \langle (\sum_{pq} L_{pq} E_{pq})^2 \rangle`, normalised.

    The squared norm of the chain with the operator applied, exactly: nothing is compressed. One
    term of a sum of squares; with the one-body part, their sum is the energy.

    Args:
        mps: One site per spatial orbital.
        matrix: L, symmetric, shape (norb, norb).

    Raises:
        InputError: The sites are not spatial orbitals, the matrix does not fit, the norm is zero.

    >>> import qlowrank as ql
    >>> mps = ql.mps_from_determinants([0b01], [0b11], [2.0], 2)
    >>> square_expectation(mps, [[1.0, 0.0], [0.0, 10.0]])
    72.0
    """
    size = _norm(mps)
    image = Image((_spin_summed(mps, matrix), mps))
    return image.norm_squared() / size**2 / 2


def two_body_expectation(mps: MPS, two_body: ArrayLike) -> float:
    r"""Return the expectation value of a two-body operator, normalised.

    .. math:: \tfrac12 \sum_{pqrs} (pq|rs) \langle E_{pq} E_{rs} - \delta_{qr} E_{ps} \rangle

    The eigenvectors of (pq|rs) as a matrix over pairs make it a sum of squares with signs, and each
    square is the norm of an image, exactly; at most norb (norb + 1) / 2 of them. Where factors are
    known, `square_expectation` of each is cheaper.

    Args:
        mps: One site per spatial orbital.
        two_body: (pq|rs) in chemists' order, shape (norb,)*4, real, with all eight symmetries.

    Raises:
        InputError: The sites are not spatial orbitals, the integrals do not fit or lack the
            symmetries, the norm is zero.

    >>> import numpy as np
    >>> import qlowrank as ql
    >>> mps = ql.mps_from_determinants([0b01], [0b01], [1.0], 2)
    >>> on_site = np.zeros((2, 2, 2, 2))
    >>> on_site[0, 0, 0, 0] = 8.0
    >>> two_body_expectation(mps, on_site)
    8.0
    """
    norb = mps.n_sites
    integrals = checks.readonly("two_body", two_body, (norb,) * 4)
    size = max(float(np.abs(integrals).max()), 1e-300)
    for axes in ((1, 0, 2, 3), (2, 3, 0, 1)):
        gap = float(np.abs(integrals - integrals.transpose(axes)).max())
        if gap > _SYMMETRY * size:
            raise InputError(
                "two_body must have the eightfold symmetry of real integrals (pq|rs) = (qp|rs) = "
                f"(rs|pq); it is off by up to {gap:.2e}."
            )
    values, vectors = np.linalg.eigh(integrals.reshape(norb**2, -1))
    total = -one_body_expectation(mps, contract("pqqs->ps", integrals)) / 2
    for weight, vector in zip(values, vectors.T, strict=True):
        if abs(weight) > _EXACT * np.abs(values).max(initial=0.0):
            matrix = vector.reshape(norb, norb)
            total += weight * square_expectation(mps, (matrix + matrix.T) / 2)
    return float(total)


def _spin_summed(mps: MPS, matrix: ArrayLike) -> ChainOperator:
    """The operator as a chain."""
    both = checks.symmetric("matrix", matrix, mps.n_sites)
    return one_body_operator(np.stack([both, both]), cutoff=_EXACT)


def _norm(mps: MPS) -> float:
    """Norm of a chain of orbitals, or say what is wrong."""
    if any(site != ORBITAL for site in mps.sites):
        raise InputError("Expectation values of orbitals need one site per spatial orbital.")
    size = mps.norm()
    if size == 0:
        raise InputError("The MPS is zero; it has no expectation values.")
    return size
