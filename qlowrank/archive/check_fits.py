# SPDX-License-Identifier: Apache-2.0
"""Do compressed and hypercontracted integrals fit the Hamiltonian as well as they say?"""

from collections.abc import Iterator

import numpy as np

from qlowrank.archive.check import Check, equal, within
from qlowrank.archive.evidence import EPS, Evidence
from qlowrank.checks import Array
from qlowrank.factorization.compression.compress import moved
from qlowrank.factorization.compression.errors import Errors, compression_errors
from qlowrank.factorization.compression.norms import linear_part
from qlowrank.factorization.compression.problem import Point, Problem, problem_of
from qlowrank.factorization.compression.record import CompressedFactorization
from qlowrank.factorization.hypercontraction.hypercontract import (
    contraction_errors,
    hidden_one_body,
)
from qlowrank.factorization.hypercontraction.record import Hypercontraction
from qlowrank.factorization.record import FactorizationStatus
from qlowrank.hamiltonian.record import Hamiltonian

Fit = CompressedFactorization | Hypercontraction


def fit_checks(evidence: Evidence) -> Iterator[Check]:
    """Check both fits by themselves, and against the Hamiltonian."""
    compressed = evidence.records.get("compressed")
    if compressed is not None:
        yield from _compressed_checks(compressed, evidence.hamiltonian)
    contracted = evidence.records.get("hypercontraction")
    if contracted is not None:
        yield from _contracted_checks(contracted, evidence.hamiltonian)


def _compressed_checks(
    fit: CompressedFactorization, hamiltonian: Hamiltonian | None
) -> Iterator[Check]:
    """Frames are orthogonal, bounds in order, and the error is within them."""
    gap = np.abs(fit.leaves.transpose(0, 2, 1) @ fit.leaves - np.eye(fit.norb)).max(initial=0.0)
    # a product of as many Cayley transforms as there are stages, each orthogonal to a modest
    # multiple of norb eps times the size of its turn
    yield within("compressed: leaves orthogonal", float(gap), 1e-11, "UᵀU misses 1 by")
    yield bounds_in_order("compressed", fit.status)
    if hamiltonian is None:
        return
    same = fit.nelec == hamiltonian.nelec and fit.source == hamiltonian.source
    yield equal("compressed: electrons and source are the hamiltonian's", same, "same")
    problem = problem_of(hamiltonian.factors, hamiltonian.kappa, hamiltonian.nelec)
    point = Point(fit.leaves, fit.cores)
    constants, one_body = hamiltonian.constants, hamiltonian.kappa
    if fit.in_sector:
        constants, one_body = moved(constants, problem, linear_part(point))
    yield from _one_body_checks("compressed", fit, problem, constants.total, one_body)
    found = compression_errors(problem, point, in_sector=fit.in_sector)
    size = float(np.abs(fit.cores).sum())
    yield from error_checks(
        "compressed", found, fit.status, hamiltonian, size=size, n_terms=fit.cores.size
    )


def _one_body_checks(
    kind: str, fit: Fit, problem: Problem, constant: float, one_body: Array
) -> Iterator[Check]:
    """What the sector cannot see of the fit has been moved here, and nothing else."""
    electrons, core = sum(fit.nelec), _core(fit)
    size = float(np.sum(problem.weights**2) + np.abs(core).sum())
    size = abs(constant) + float(np.linalg.norm(one_body)) + max(electrons, 1) ** 2 * size
    # sums over vectors, leaves and orbitals (or points) of products of this size
    terms = fit.norb + core.size // max(core.shape[-1], 1) + len(problem.vectors)
    allowed = 16 * terms * EPS * size
    gap = float(np.abs(fit.one_body - one_body).max(initial=0.0))
    yield within(f"{kind}: one-body part", gap, allowed, "off by")
    yield within(f"{kind}: constant", abs(fit.constant - constant), allowed, "off by")


def _core(fit: Fit) -> Array:
    """Return all core entries."""
    return fit.core if isinstance(fit, Hypercontraction) else fit.cores


def _contracted_checks(fit: Hypercontraction, hamiltonian: Hamiltonian | None) -> Iterator[Check]:
    """Columns are unit vectors, bounds in order, and the error is within them."""
    gap = np.abs(np.linalg.norm(fit.points, axis=0) - 1).max(initial=0.0)
    yield within("hypercontraction: unit points", float(gap), 8 * fit.norb * EPS, "norms miss 1 by")
    yield bounds_in_order("hypercontraction", fit.status)
    if hamiltonian is None:
        return
    same = fit.nelec == hamiltonian.nelec and fit.source == hamiltonian.source
    yield equal("hypercontraction: electrons and source are the hamiltonian's", same, "same")
    problem = problem_of(hamiltonian.factors, hamiltonian.kappa, hamiltonian.nelec)
    constants, one_body = hamiltonian.constants, hamiltonian.kappa
    if fit.in_sector:
        constants, one_body = moved(constants, problem, hidden_one_body(fit.points, fit.core))
    yield from _one_body_checks("hypercontraction", fit, problem, constants.total, one_body)
    found = contraction_errors(problem, fit.points, fit.core, fit.in_sector)
    size = float(np.abs(fit.core).sum())
    yield from error_checks(
        "hypercontraction", found, fit.status, hamiltonian, size=size, n_terms=fit.core.size
    )


def bounds_in_order(kind: str, status: FactorizationStatus) -> Check:
    """Element, Frobenius and trace norm of one residual rise in this order."""
    bounds = (status.max_abs_error, status.frobenius_error, status.trace_norm_error)
    return Check(
        name=f"{kind}: bounds in order",
        passed=bool(min(bounds) >= 0 and bounds[1] <= bounds[2] * (1 + 4 * EPS)),
        detail="element {:.1e}, Frobenius {:.1e}, trace norm {:.1e} Hartree".format(*bounds),
    )


def error_checks(
    kind: str,
    found: Errors,
    status: FactorizationStatus,
    hamiltonian: Hamiltonian,
    *,
    size: float,
    n_terms: int,
) -> Iterator[Check]:
    """What is stated is no less than what is found; a looser bound is one all the same.

    Args:
        kind: Name of the record.
        found: Norms of the residual.
        status: What is stated.
        hamiltonian: What the record stands for.
        size: Sum of the norms of what the record is made of, Hartree.
        n_terms: How many numbers that is.
    """
    trace, factors = hamiltonian.residual_trace, hamiltonian.factors
    n_pairs = hamiltonian.norb * (hamiltonian.norb + 1) // 2
    # bounds have their own rounding in them; found anew from factors in another gauge, with more
    # or fewer vectors, it is another modest multiple of eps times the size of the terms
    rounding = 8 * (3 * n_pairs + n_terms) * EPS * (size + float(np.sum(factors**2)))
    for name, error, stated, slack in (
        (
            "element",
            found[0],
            status.max_abs_error - hamiltonian.max_abs_error_bound,
            rounding,
        ),
        ("Frobenius norm", found[1], status.frobenius_error - trace, rounding),
        ("trace norm", found[2], status.trace_norm_error - trace, n_pairs * rounding),
    ):
        yield within(f"{kind}: integrals, {name}", error, max(stated, 0.0) + slack, "error is")
