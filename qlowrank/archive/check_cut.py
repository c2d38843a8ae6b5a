# SPDX-License-Identifier: Apache-2.0
"""Are the bounds of a factorization those of what it cut, and no larger?"""

from collections.abc import Iterator

import numpy as np
from opt_einsum import contract

from qlowrank.archive.check import Check, between
from qlowrank.archive.evidence import EPS
from qlowrank.checks import Array
from qlowrank.factorization.cut import cut_loss
from qlowrank.factorization.gauge import CholeskyGauge
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.record import Hamiltonian


def cut_checks(factorization: DoubleFactorization, hamiltonian: Hamiltonian) -> Iterator[Check]:
    r"""Recompute the bounds from the eigenvalues of the factors that the leaves lack.

    `factorization.cut` has the bounds. Files of earlier versions state looser ones, 2ab + a² with
    :math:`a^2 = \max_{pq} \sum_t (\Delta^t_{pq})^2` of what is cut and b the same of L, and
    :math:`\sum_t 2 |\Delta^t| |L^t - \Delta^t| + |\Delta^t|^2` for the trace norm: what is stated
    must lie between the two.

    Only factors taken as they are, without mixing, are the same on every machine: where
    eigenvalues of the mixing are equal, the leaves and what is cut from them are a choice.
    """
    status, factors = factorization.status, hamiltonian.factors
    if status.method != CholeskyGauge().name or factorization.n_leaves > hamiltonian.rank:
        return
    values, missing, vectors = _what_was_cut(factorization, factors)
    cut = contract("tpk,tk,tqk->tpq", vectors, missing, vectors)
    whole, lost = (np.sqrt(np.einsum("tpq,tpq->t", x, x)) for x in (factors, cut))
    a, b = (np.sqrt(np.einsum("tpq,tpq->pq", x, x).max(initial=0.0)) for x in (cut, factors))
    rest = np.sqrt(np.maximum(whole**2 - lost**2, 0.0))
    loss = cut_loss(missing, factors, vectors)
    # eigenvalues that are rounding differ by machine: norb eps b² over the size of the factor
    largest = np.abs(values).max(axis=1, initial=np.finfo(float).tiny)
    noise = hamiltonian.norb * EPS * b**2 / largest
    slack = 2 * b * float(np.sqrt(hamiltonian.norb * np.sum(noise**2)))
    slack_trace = 2 * float(np.sqrt(hamiltonian.norb) * np.sum(noise * whole))
    looser_trace = float(np.sum(2 * lost * rest + lost**2))
    looser = 2 * a * b + a**2
    bound, trace = hamiltonian.max_abs_error_bound, hamiltonian.residual_trace
    whole_trace = (trace, loss.trace_norm, looser_trace, slack_trace)
    for name, stated, (base, least, most, rounding) in (
        ("element", status.max_abs_error, (bound, loss.element, looser, slack + slack_trace)),
        ("Frobenius", status.frobenius_error, whole_trace),
        ("trace-norm", status.trace_norm_error, whole_trace),
    ):
        allowed = 1e-6 * (base + most) + rounding
        yield between(
            f"factorization: {name} bound recomputed",
            base + least - allowed,
            stated,
            base + max(least, most) + allowed,
            f"{stated:.3e} Hartree stated, {base + least:.3e} recomputed",
        )


def _what_was_cut(factorization: DoubleFactorization, factors: Array) -> tuple[Array, Array, Array]:
    """Return all eigenvalues, those that the leaves lack, zero elsewhere, and eigenvectors.

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
    return values, missing, vectors
