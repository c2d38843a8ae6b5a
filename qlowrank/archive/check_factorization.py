# SPDX-License-Identifier: Apache-2.0
"""Is the factorization what it says, and does it factorize this Hamiltonian?"""

from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np

from qlowrank.archive.check import Check, equal, within
from qlowrank.archive.check_cut import cut_checks
from qlowrank.archive.evidence import EPS, Evidence
from qlowrank.checks import Array
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.factorization.shift import unshift
from qlowrank.hamiltonian.record import Hamiltonian


def factorization_checks(evidence: Evidence) -> Iterator[Check]:
    """Check the factorization by itself, and against the Hamiltonian."""
    factorization = evidence.factorization
    if factorization is None:
        return
    leaves, norb = factorization.leaves, factorization.norb
    gap = np.abs(leaves.transpose(0, 2, 1) @ leaves - np.eye(norb)).max(initial=0.0)
    # eigenvectors are orthogonal to a modest multiple of norb eps
    yield within(
        "factorization: leaves orthogonal", float(gap), 100 * norb * EPS, "UᵀU misses 1 by"
    )
    status = factorization.status
    bounds = (status.max_abs_error, status.frobenius_error, status.trace_norm_error)
    yield Check(
        name="factorization: bounds in order",
        passed=bool(min(bounds) >= 0 and bounds[1] <= bounds[2] * (1 + 4 * EPS)),
        detail="element {:.1e}, Frobenius {:.1e}, trace norm {:.1e} Hartree".format(*bounds),
    )
    if evidence.hamiltonian is not None:
        yield from _against_hamiltonian(factorization, evidence.hamiltonian)
        yield from cut_checks(factorization, evidence.hamiltonian)


def _against_hamiltonian(
    factorization: DoubleFactorization, hamiltonian: Hamiltonian
) -> Iterator[Check]:
    """Same molecule, same one-body part, and integrals within what was lost on the way."""
    if factorization.shift is not None:
        factorization = yield from _without_shift(factorization, hamiltonian)
    same = (
        factorization.constants == hamiltonian.constants
        and factorization.nelec == hamiltonian.nelec
        and factorization.source == hamiltonian.source
    )
    yield equal(
        "factorization: constants, electrons and source are the hamiltonian's", same, "same"
    )
    yield equal(
        "factorization: one-body part is the hamiltonian's kappa",
        np.array_equal(factorization.one_body, hamiltonian.kappa),
        "equal to the last bit",
    )
    status = factorization.status
    yield from _integral_checks(
        factorization.factors(),
        hamiltonian.factors,
        lost=(
            status.max_abs_error - hamiltonian.max_abs_error_bound,
            status.frobenius_error - hamiltonian.residual_trace,
            status.trace_norm_error - hamiltonian.residual_trace,
        ),
    )


def _without_shift(
    factorization: DoubleFactorization, hamiltonian: Hamiltonian
) -> Generator[Check, None, DoubleFactorization]:
    """Undo the symmetry shift; what must then be the hamiltonian's is so to rounding."""
    plain = unshift(factorization)
    electrons, shifts = sum(factorization.nelec), factorization.shift.leaf_shifts  # type: ignore[union-attr]
    size = float(np.abs(shifts) @ np.linalg.norm(factorization.eigenvalues, axis=1))
    size += abs(factorization.constant) + float(np.linalg.norm(hamiltonian.kappa))
    size += electrons * float(shifts @ shifts)
    # moved there and back: sums over leaves and orbitals of products of this size, twice
    allowed = 16 * (factorization.norb + factorization.n_leaves) * EPS * max(electrons, 1) * size
    for name, gap in (
        ("constant", abs(plain.constant - hamiltonian.constant)),
        ("one-body part", float(np.abs(plain.one_body - hamiltonian.kappa).max(initial=0.0))),
    ):
        yield within(f"factorization: {name} without the symmetry shift", gap, allowed, "off by")
    return replace(plain, constants=hamiltonian.constants, one_body=hamiltonian.kappa)


def _integral_checks(
    factors: Array, originals: Array, lost: tuple[float, float, float]
) -> Iterator[Check]:
    r"""Compare two sums of squares without forming either.

    With the factors as rows of A over orbital pairs and J = diag(1, …, −1, …), the difference of
    the integrals is AᵀJA. From Aᵀ = QR its norms are those of the small matrix RJRᵀ. (Norms from
    Gram matrices alone, ‖LLᵀ‖² − 2‖LL'ᵀ‖² + ‖L'L'ᵀ‖², would lose half of the digits.)
    """
    norb = originals.shape[1]
    stacked = np.concatenate([_over_pairs(factors), _over_pairs(originals)])
    signs = np.repeat([1.0, -1.0], [len(factors), len(originals)])
    triangle = np.asarray(np.linalg.qr(stacked.T, mode="r"))
    spectrum = np.abs(np.linalg.eigvalsh((triangle * signs) @ triangle.T))
    diagonal = np.einsum("tpq,tpq->pq", factors, factors)
    diagonal -= np.einsum("tpq,tpq->pq", originals, originals)
    # eigendecompositions of factors and of their mixing, and the QR, are backward stable: each
    # moves the factors by a modest multiple of size times eps, relative
    size = norb + len(stacked)
    rounding = 16 * size * EPS * float(np.sum(stacked**2))
    for name, deviation, allowed in (
        ("element (diagonal)", np.abs(diagonal).max(initial=0.0), lost[0] + rounding),
        ("Frobenius norm", np.sqrt(np.sum(spectrum**2)), lost[1] + rounding),
        ("trace norm", spectrum.sum(), lost[2] + np.sqrt(len(spectrum)) * rounding),
    ):
        yield within(
            f"factorization: integrals, {name}",
            float(deviation),
            float(allowed),
            "differ from the hamiltonian's by",
        )


def _over_pairs(factors: Array) -> Array:
    """Return symmetric matrices as rows over pairs p ≥ q, scaled so that norms stay the same."""
    norb = factors.shape[1]
    rows, cols = np.tril_indices(norb)
    return np.asarray(factors[:, rows, cols] * np.where(rows == cols, 1.0, np.sqrt(2.0)))
