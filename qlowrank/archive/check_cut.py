# SPDX-License-Identifier: Apache-2.0
"""Are the bounds of a factorization those of what it cut, and no larger?"""

from collections.abc import Iterator

import numpy as np
from opt_einsum import contract

from qlowrank.archive.check import Check, within
from qlowrank.archive.evidence import EPS
from qlowrank.checks import Array
from qlowrank.factorization.gauge import CholeskyGauge
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.record import Hamiltonian


def cut_checks(factorization: DoubleFactorization, hamiltonian: Hamiltonian) -> Iterator[Check]:
    r"""Recompute the bounds from the eigenvalues of the factors that the leaves lack.

    With Δ the part of factor L that is cut, no integral moves by more than 2ab + a², where
    :math:`a^2 = \max_{pq} \sum_t (\Delta^t_{pq})^2` and b is the same of L; the trace norm of the
    change is at most :math:`\sum_t 2 |\Delta^t| |L^t - \Delta^t| + |\Delta^t|^2`.

    Only factors taken as they are, without mixing, are the same on every machine: where
    eigenvalues of the mixing are equal, the leaves and what is cut from them are a choice.
    """
    status, factors = factorization.status, hamiltonian.factors
    if status.method != CholeskyGauge().name or factorization.n_leaves > hamiltonian.rank:
        return
    values, cut = _what_was_cut(factorization, factors)
    whole, lost = (np.sqrt(np.einsum("tpq,tpq->t", x, x)) for x in (factors, cut))
    a, b = (np.sqrt(np.einsum("tpq,tpq->pq", x, x).max(initial=0.0)) for x in (cut, factors))
    rest = np.sqrt(np.maximum(whole**2 - lost**2, 0.0))
    trace = hamiltonian.residual_trace + float(np.sum(2 * lost * rest + lost**2))
    # eigenvalues that are rounding differ by machine: norb eps b² over the size of the factor
    largest = np.abs(values).max(axis=1, initial=np.finfo(float).tiny)
    noise = hamiltonian.norb * EPS * b**2 / largest
    slack = 2 * b * float(np.sqrt(hamiltonian.norb * np.sum(noise**2)))
    slack_trace = 2 * float(np.sqrt(hamiltonian.norb) * np.sum(noise * whole))
    for name, stated, fresh, rounding in (
        (
            "element",
            status.max_abs_error,
            hamiltonian.max_abs_error_bound + 2 * a * b + a**2,
            slack,
        ),
        ("Frobenius", status.frobenius_error, trace, slack_trace),
        ("trace-norm", status.trace_norm_error, trace, slack_trace),
    ):
        yield within(
            f"factorization: {name} bound recomputed",
            abs(stated - fresh),
            1e-6 * fresh + rounding,
            f"{stated:.3e} Hartree stated, off by",
        )


def _what_was_cut(factorization: DoubleFactorization, factors: Array) -> tuple[Array, Array]:
    """Return all eigenvalues, and the part of each factor that the leaves lack.

    Leaves stand by falling size, and eigenvalues in each by falling magnitude, so what is left is
    the first of them.
    """
    values, vectors = np.linalg.eigh(factors)
    order = np.argsort(-np.abs(values), axis=1, kind="stable")
    values = np.take_along_axis(values, order, axis=1)
    vectors = np.take_along_axis(vectors, order[:, None, :], axis=2)
    kept = np.zeros(len(factors), dtype=int)
    by_size = np.argsort(-np.abs(values).max(axis=1, initial=0.0), kind="stable")
    kept[by_size[: factorization.n_leaves]] = factorization.inner_ranks
    missing = np.where(np.arange(values.shape[1]) < kept[:, None], 0.0, values)
    return values, np.asarray(contract("tpk,tk,tqk->tpq", vectors, missing, vectors))
