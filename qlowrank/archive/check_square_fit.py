# SPDX-License-Identifier: Apache-2.0
"""Are fitted squares what they say, twice over, and as near to the Hamiltonian as they say?"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from opt_einsum import contract

from qlowrank.archive.check import Check, equal, within
from qlowrank.archive.check_fits import bounds_in_order, error_checks
from qlowrank.archive.evidence import EPS, Evidence
from qlowrank.checks import Array
from qlowrank.factorization.compression.errors import residual_errors
from qlowrank.factorization.compression.packing import packed
from qlowrank.factorization.gauges.fit import NOISE, SquareFit
from qlowrank.factorization.mean_field import keep_mean_field
from qlowrank.hamiltonian.record import Hamiltonian

KIND = "square_fit"


def square_fit_checks(evidence: Evidence) -> Iterator[Check]:
    """Check the fit by itself, and against the Hamiltonian."""
    fit: SquareFit | None = evidence.records.get(KIND)
    if fit is None:
        return
    plain, encoding = fit.factorization, fit.encoding
    for name, frames in (("leaves", plain.leaves), ("shifted leaves", encoding.leaves)):
        gap = np.abs(frames.transpose(0, 2, 1) @ frames - np.eye(plain.norb)).max(initial=0.0)
        # eigenvectors are orthogonal to a modest multiple of norb eps
        allowed = 100 * plain.norb * EPS
        yield within(f"{KIND}: {name} orthogonal", float(gap), allowed, "UᵀU misses 1 by")
    yield bounds_in_order(KIND, plain.status)
    same = (plain.nelec, plain.source) == (encoding.nelec, encoding.source)
    same = same and replace(plain.status, method="") == replace(encoding.status, method="")
    yield equal(f"{KIND}: both forms have the same electrons, source and bounds", same, "same")
    electrons = sum(plain.nelec)
    gap = np.abs(fit.density @ fit.density - 2 * fit.density).max(initial=0.0)
    gap += abs(np.trace(fit.density) - electrons)
    # orbitals of a determinant are orthogonal to 1e-8
    yield within(f"{KIND}: density of a closed shell", float(gap), 1e-7, "D² misses 2D by")
    yield from _form_checks(fit, electrons)
    if evidence.hamiltonian is not None:
        yield from _against_hamiltonian(fit, evidence.hamiltonian)


def _form_checks(fit: SquareFit, electrons: int) -> Iterator[Check]:
    """The shifted form is the plain one, its shifts undone."""
    plain, encoding, shift = fit.factorization, fit.encoding, fit.encoding.shift
    unshifted = plain.shift is None and not encoding.n_projected and shift.electrons == electrons
    yield equal(f"{KIND}: one form is plain, the other shifted", unshifted, "as it should be")
    own = plain.factors()
    other = encoding.factors() + shift.leaf_shifts[:, None, None] * np.eye(plain.norb)
    rows, others = packed(own), packed(other)
    gap = np.abs(rows.T @ rows - others.T @ others).max(initial=0.0)
    size = float(np.sum(rows**2))
    # the shifted form sets eigenvalues to zero that are a share of NOISE of the largest
    allowed = 4 * plain.norb * NOISE * size
    yield within(f"{KIND}: integrals of both forms", float(gap), allowed, "off by")
    moved = electrons * contract("t,tpq->pq", shift.leaf_shifts, other)
    moved = moved - shift.chemical_potential * np.eye(plain.norb)
    gap = np.abs(encoding.one_body - plain.one_body - moved).max(initial=0.0)
    size += float(np.linalg.norm(plain.one_body)) + float(np.linalg.norm(moved))
    allowed = 16 * (plain.norb + len(own)) * EPS * size + electrons * NOISE * size
    yield within(f"{KIND}: one-body part of both forms", float(gap), allowed, "off by")
    squares = float(shift.leaf_shifts @ shift.leaf_shifts)
    constant = electrons * shift.chemical_potential - electrons**2 * squares / 2
    gap = abs(encoding.constant - plain.constant - constant)
    size = abs(plain.constant) + electrons**2 * squares
    size += electrons * abs(shift.chemical_potential)
    allowed = 16 * (len(own) + 4) * EPS * size
    yield within(f"{KIND}: constant of both forms", gap, allowed, "off by")


def _against_hamiltonian(fit: SquareFit, hamiltonian: Hamiltonian) -> Iterator[Check]:
    """Same molecule, its mean field in the one-body part, and errors as stated."""
    plain = fit.factorization
    same = (plain.nelec, plain.source) == (hamiltonian.nelec, hamiltonian.source)
    yield equal(f"{KIND}: electrons and source are the hamiltonian's", same, "same")
    bare = replace(
        plain,
        one_body=hamiltonian.kappa,
        constants=hamiltonian.constants,
        status=replace(plain.status, method="fit"),
    )
    kept = keep_mean_field(bare, hamiltonian, np.stack([fit.density / 2] * 2))
    rows, vectors = packed(plain.factors()), packed(np.asarray(hamiltonian.factors))
    size = float(np.sum(rows**2) + np.sum(vectors**2))
    # sums over squares and orbitals of products of this size, η at a time
    terms = 16 * (plain.norb + len(rows) + len(vectors)) * EPS
    allowed = terms * (sum(plain.nelec) + 1) * (size + float(np.linalg.norm(hamiltonian.kappa)))
    gap = float(np.abs(kept.one_body - plain.one_body).max(initial=0.0))
    yield within(f"{KIND}: mean field in the one-body part", gap, allowed, "off by")
    allowed = sum(plain.nelec) * allowed + terms * abs(hamiltonian.constant)
    gap = abs(kept.constant - plain.constant)
    yield within(f"{KIND}: mean field in the constant", gap, allowed, "off by")
    square = _squared_error(rows, vectors)
    allowed = terms * size**2
    gap = abs(fit.frobenius_error**2 - square)
    yield within(f"{KIND}: stated Frobenius error, squared", gap, allowed, "off by")
    found = residual_errors(
        vectors,
        [(rows.T, np.eye(len(rows)))],
        n_terms=len(rows),
        size=float(np.sum(rows**2)),
        squared=lambda: square,
    )
    yield from error_checks(KIND, found, plain.status, hamiltonian, size=size, n_terms=rows.size)


def _squared_error(rows: Array, vectors: Array) -> float:
    """Return ‖V − W‖² from packed vectors of both, Hartree²."""
    mixed, own, whole = rows @ vectors.T, rows @ rows.T, vectors @ vectors.T
    return max(float(np.sum(own**2) - 2 * np.sum(mixed**2) + np.sum(whole**2)), 0.0)
