# SPDX-License-Identifier: Apache-2.0
r"""Is the Hamiltonian what it says? Its own arrays can prove much of it.

The matrix :math:`K_{pq} = 2(h - \kappa)_{pq} - \sum_t (L_t L_t)_{pq}` is the exchange-like trace
:math:`\sum_r R_{prrq}` of what the decomposition left out. It needs nothing but stored arrays, it
is positive semidefinite because R is, and its trace is the discarded weight.
"""

from collections.abc import Iterator

import numpy as np
from opt_einsum import contract

from qlowrank.archive.check import Check, between, equal, within
from qlowrank.archive.evidence import ENERGY_TOLERANCE, EPS, Evidence
from qlowrank.checks import Array
from qlowrank.hamiltonian.record import Hamiltonian

ASYMMETRY = 1e-8
"""Hartree; how far integrals given as arrays may be from symmetric (`integrals.arrays`)."""


def hamiltonian_checks(evidence: Evidence) -> Iterator[Check]:
    """Check the Hamiltonian by itself."""
    hamiltonian = evidence.hamiltonian
    if hamiltonian is None:
        return
    factors = hamiltonian.factors
    gap = np.abs(factors - factors.transpose(0, 2, 1)).max(initial=0.0)
    # rebuilt from leaves, an element is a sum of norb products that round differently
    allowed = 4 * (hamiltonian.norb + 2) * EPS * _largest_norm(factors)
    yield within("hamiltonian: factors symmetric", float(gap), allowed, "asymmetry")
    yield equal(
        "hamiltonian: rank",
        hamiltonian.truncation.rank == hamiltonian.rank,
        f"truncation says {hamiltonian.truncation.rank}, factors are {hamiltonian.rank}",
    )
    residual = _residual(hamiltonian)
    rounding = _rounding(hamiltonian)
    if _rebuilt_from_leaves(hamiltonian, residual, rounding):
        yield within(
            "hamiltonian: residual (rebuilt from leaves, its bound cannot be recomputed)",
            abs(float(np.trace(residual))),
            hamiltonian.truncation.discarded + rounding,
            "trace",
        )
    else:
        yield _trace_check(hamiltonian, residual, rounding)
        yield _semidefinite_check(hamiltonian, residual, rounding)
        yield from _bound_checks(hamiltonian, rounding)
    yield from _reference_check(hamiltonian, residual, rounding)


def _residual(hamiltonian: Hamiltonian) -> Array:
    """Return K, shape (norb, norb), Hartree."""
    factors = hamiltonian.factors
    squares = contract("tpr,trq->pq", factors, factors)
    matrix = 2 * (hamiltonian.one_body - hamiltonian.kappa) - squares
    return np.asarray((matrix + matrix.T) / 2)


def _rounding(hamiltonian: Hamiltonian) -> float:
    """Bound what double precision can make of tr K.

    Each stored number and each of the sums behind it (over orbitals, over factors) carries at most
    its number of terms times eps times the sum of magnitudes; 8 covers that sums were made twice,
    once by the decomposition and once here, and their constants.
    """
    norb, rank = hamiltonian.norb, hamiltonian.rank
    one_body = np.linalg.norm(hamiltonian.one_body) + np.linalg.norm(hamiltonian.kappa)
    scale = 2 * np.sqrt(norb) * one_body + np.sum(hamiltonian.factors**2)
    return float(8 * (norb + rank + 8) * EPS * scale)


def _noise(hamiltonian: Hamiltonian) -> float:
    """How far from positive semidefinite the source's integrals may have been, Hartree.

    PySCF computes them to rounding. Those of files and arrays carry the noise of their last
    digits; on import, negative residuals below the tolerance were taken for zero.
    """
    if hamiltonian.source.origin.startswith("PySCF"):
        return 0.0
    return max(hamiltonian.truncation.tolerance, ASYMMETRY)


def _rebuilt_from_leaves(hamiltonian: Hamiltonian, residual: Array, rounding: float) -> bool:
    """Tell whether it came from `DoubleFactorization.to_hamiltonian`, which gives K = 0."""
    truncation = hamiltonian.truncation
    nothing = bool(np.linalg.norm(residual) <= rounding)
    return nothing and truncation.tolerance == truncation.max_error


def _trace_check(hamiltonian: Hamiltonian, residual: Array, rounding: float) -> Check:
    """The discarded weight is the trace of K; clipped negative residuals can only add to it."""
    trace, stated = float(np.trace(residual)), hamiltonian.truncation.discarded
    clipped = hamiltonian.norb**2 * _noise(hamiltonian)
    return between(
        "hamiltonian: residual trace",
        -rounding,
        stated - trace,
        rounding + clipped,
        f"{trace:.6e} Hartree from the arrays, {stated:.6e} stated; may differ by {rounding:.1e}"
        + (f", be stated higher by {clipped:.1e}" if clipped else ""),
    )


def _semidefinite_check(hamiltonian: Hamiltonian, residual: Array, rounding: float) -> Check:
    """K has no negative eigenvalue."""
    lowest = float(np.linalg.eigvalsh(residual).min(initial=0.0))
    allowed = rounding + hamiltonian.norb * _noise(hamiltonian)
    return within(
        "hamiltonian: residual positive semidefinite", max(-lowest, 0.0), allowed, "negative part"
    )


def _bound_checks(hamiltonian: Hamiltonian, rounding: float) -> Iterator[Check]:
    """The largest error lies between mean and sum of the residual's diagonal, and was asked for."""
    truncation, norb = hamiltonian.truncation, hamiltonian.norb
    pairs = norb * (norb + 1) // 2
    diagonal = np.einsum("tpq,tpq->pq", hamiltonian.factors, hamiltonian.factors).max(initial=0.0)
    # what the decomposition calls rounding, n eps max(diagonal); twice that for our own
    floor = 2 * pairs * EPS * (float(diagonal) + truncation.max_error)
    noise = _noise(hamiltonian)
    slack = 0.0 if noise == 0.0 else noise + 1e-12 * pairs * float(diagonal)
    asked = max(truncation.tolerance, floor) + slack
    yield between(
        "hamiltonian: tolerance",
        0.0,
        truncation.max_error,
        asked,
        f"largest error {truncation.max_error:.2e} Hartree, {asked:.2e} asked for",
    )
    least = (truncation.discarded - rounding) / max(norb**2, 1)
    most = truncation.discarded + floor + slack
    yield between(
        "hamiltonian: error bound",
        least,
        truncation.max_error,
        most,
        f"largest error {truncation.max_error:.2e} Hartree, must lie between {least:.2e} and "
        f"{most:.2e} for this residual trace",
    )


def _reference_check(hamiltonian: Hamiltonian, residual: Array, rounding: float) -> Iterator[Check]:
    r"""The source's mean-field energy follows from the factors and the first orbitals.

    The squares left out raise the energy of a determinant with density matrix γ by at most
    (electrons / 2) tr(γ K) (Cauchy-Schwarz over electrons).
    """
    source = hamiltonian.source
    reference = source.reference("HF")
    whole = source.origin.startswith(("PySCF", "OpenFermion")) and " on " not in source.origin
    if reference is None or not whole:
        return
    density = _first_orbitals(hamiltonian).sum(axis=0)
    left_out = sum(hamiltonian.nelec) / 2 * float(density @ np.maximum(np.diagonal(residual), 0.0))
    truncation = hamiltonian.truncation
    either_way = 0.0
    if _rebuilt_from_leaves(hamiltonian, residual, rounding) or _noise(hamiltonian):
        either_way = sum(hamiltonian.nelec) * truncation.discarded
    allowed = ENERGY_TOLERANCE + sum(hamiltonian.nelec) * rounding + either_way
    missing = reference.energy - _determinant_energy(hamiltonian)
    yield between(
        "hamiltonian: mean-field energy",
        -allowed,
        missing,
        left_out + allowed,
        f"{reference.energy:.10f} Hartree stated, {missing:.2e} more than rebuilt; allowed "
        f"{-allowed:.1e} to {left_out + allowed:.1e}",
    )


def _first_orbitals(hamiltonian: Hamiltonian) -> Array:
    """Occupations of the determinant that fills the first orbitals, shape (2, norb)."""
    index = np.arange(hamiltonian.norb)
    return np.array([(index < n).astype(float) for n in hamiltonian.nelec])


def _determinant_energy(hamiltonian: Hamiltonian) -> float:
    """Energy of the determinant that fills the first orbitals, from the factors, Hartree."""
    spins = _first_orbitals(hamiltonian)
    density = spins.sum(axis=0)
    factors = hamiltonian.factors
    energy = hamiltonian.constant + density @ np.diagonal(hamiltonian.normal_ordered_one_body())
    energy += np.sum((np.einsum("tpp->tp", factors) @ density) ** 2) / 2
    exchange = np.einsum("tpq,tpq->pq", factors, factors)
    energy -= np.einsum("sp,pq,sq->", spins, exchange, spins) / 2
    return float(energy)


def _largest_norm(factors: Array) -> float:
    """Largest Frobenius norm of a factor."""
    return float(np.sqrt(np.einsum("tpq,tpq->t", factors, factors).max(initial=0.0)))
