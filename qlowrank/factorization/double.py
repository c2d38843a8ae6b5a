# SPDX-License-Identifier: Apache-2.0
"""Explicit double factorization: diagonalise every factor, cut what the tolerance allows."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.cut import chosen, cut_loss
from qlowrank.factorization.gauge import CholeskyGauge, Gauge, signs_of_peaks
from qlowrank.factorization.record import DoubleFactorization, FactorizationStatus
from qlowrank.files.scratch import array_for
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank.passes import Passes
from qlowrank.lowrank.threads import Workers, executor_or, slices, workers
from qlowrank.memory import forget, reused_memory

BATCH = 16
"""Leaves diagonalised at a time."""
PAGES = 4
"""Of factors in a file so many times less than the limit of memory is looked at together."""


def double_factorize(
    hamiltonian: Hamiltonian,
    *,
    tolerance: float = 0.0,
    gauge: Gauge | None = None,
    max_memory: float | None = None,
) -> DoubleFactorization:
    r"""Write each square of the Hamiltonian in the orbital frame that makes it diagonal.

    .. math:: L^t_{pq} = \sum_k U^t_{pk} \varepsilon^t_k U^t_{qk}, \qquad
              (pq|rs) = \sum_t \sum_{kl} \varepsilon^t_k \varepsilon^t_l
                        U^t_{pk} U^t_{qk} U^t_{rl} U^t_{sl}

    With a tolerance, small eigenvalues are cut: with Δ the part of a factor that is cut,
    :math:`S = 2L - \Delta` and :math:`\lambda = \|S\| / \|\Delta\|`, no element of (pq|rs) moves
    by more than :math:`\tfrac12 \max_{pq} \sum_t [\lambda_t (\Delta^t_{pq})^2 + (S^t_{pq})^2 /
    \lambda_t]` (see `factorization.cut`). As many eigenvalues are cut as keep this below the
    tolerance, those first whose product with the largest of their leaf is smallest.

    Args:
        hamiltonian: The sum of squares to factorize.
        tolerance: Further error any (pq|rs) may take from cutting leaves, Hartree; by default
            nothing is cut but exact zeros.
        gauge: How the factors are mixed first: `CholeskyGauge()` (default) or `EigenGauge()`.
        max_memory: Bytes the leaves may take in memory; what is larger goes to a scratch file. Half
            of the machine's free memory by default.

    Returns:
        Leaves by falling size; `status` bounds the error against the source of the Hamiltonian.

    Raises:
        InputError: A negative or nan tolerance, or a gauge that is none.

    Source:
        M. Motta et al., arXiv:1808.02625; V. von Burg et al., arXiv:2007.14460.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> factorization = double_factorize(from_example("h2"))
    >>> factorization.n_leaves, factorization.leaves.shape
    (3, (3, 2, 2))
    """
    budget = checks.tolerance(tolerance)
    method = CholeskyGauge() if gauge is None else gauge
    if isinstance(method, type) or not callable(method):
        raise InputError(f"gauge must be CholeskyGauge() or EigenGauge(); got {gauge!r:.60}.")
    factors = method(hamiltonian.factors)
    with reused_memory(), workers() as team:
        eigenvalues, leaves = _diagonalise(factors, max_memory, team)
        pages = np.inf if max_memory is None else max_memory / PAGES
        noise = _noise(factors, Passes(team, pages))
        kept = chosen(eigenvalues, factors, leaves, budget, noise, team)
        loss = cut_loss(np.where(kept, 0.0, eigenvalues), factors, leaves, team)
        eigenvalues = np.where(kept, eigenvalues, 0.0)
        size = np.abs(eigenvalues).max(axis=1, initial=0.0)
        order = np.argsort(-size, kind="stable")[: np.count_nonzero(size)]
        leaves = _in_order(leaves, order, team)
    trace_norm = hamiltonian.residual_trace + loss.trace_norm
    return DoubleFactorization(
        constants=hamiltonian.constants,
        one_body=hamiltonian.kappa,
        eigenvalues=eigenvalues[order],
        leaves=leaves,
        nelec=hamiltonian.nelec,
        status=FactorizationStatus(
            method=method.name,
            max_abs_error=hamiltonian.max_abs_error_bound + loss.element,
            frobenius_error=trace_norm,
            trace_norm_error=trace_norm,
        ),
        source=hamiltonian.source,
    )


def _diagonalise(factors: Array, max_memory: float | None, team: Workers) -> tuple[Array, Array]:
    """Eigenvalues by falling magnitude and eigenvectors of every factor.

    The matrices are small, so each is left to one thread and the threads share the matrices.
    """
    eigenvalues = np.empty(factors.shape[:2])
    leaves = array_for(factors.shape, max_memory)
    parts = slices(len(factors), BATCH)

    def keep(part: slice, found: tuple[Array, Array]) -> None:
        eigenvalues[part], leaves[part] = found
        forget(factors)
        forget(leaves)

    executor = executor_or(team)
    if executor is team:  # who has a leaf puts it where it belongs
        team.run(lambda part: keep(part, eigenpairs(factors[part])), parts)
    else:
        answers = executor.map(eigenpairs, (factors[part] for part in parts))
        for part, found in zip(parts, answers, strict=True):
            keep(part, found)
    return eigenvalues, leaves


def eigenpairs(factors: Array) -> tuple[Array, Array]:
    """Eigenvalues by falling magnitude and eigenvectors of a batch; a stateless task."""
    values, vectors = np.linalg.eigh(factors)
    order = np.argsort(-np.abs(values), axis=1, kind="stable")
    ordered = np.empty_like(vectors)
    for leaf, columns, out in zip(vectors, order, ordered, strict=True):
        np.take(leaf, columns, axis=1, out=out, mode="clip")
    ordered *= signs_of_peaks(ordered)
    return np.take_along_axis(values, order, axis=1), ordered


def _in_order(leaves: Array, order: NDArray[np.int64], team: Workers) -> Array:
    """Put leaves in a new order, some left out, without a second copy of all of them."""
    left_out = np.setdiff1d(np.arange(len(leaves)), order)
    cycles = _cycles(np.concatenate([order, left_out]))
    flat = leaves.reshape(len(leaves), leaves.shape[1] * leaves.shape[2])

    def move(part: slice) -> None:
        mine = flat[:, part]
        moved = 0
        for cycle in cycles:
            first = mine[cycle[0]].copy()
            for here, there in pairwise(cycle):
                mine[here] = mine[there]
                moved += 1
                if moved % BATCH == 0:
                    forget(leaves)
            mine[cycle[-1]] = first
        forget(leaves)

    team.run(move, slices(flat.shape[1], max(flat.shape[1] // team.count, 1)))
    return leaves[: len(order)]


def _cycles(order: NDArray[np.int64]) -> list[list[int]]:
    """Return the cycles of a permutation: to each place goes what is at the place after it.

    Those of one place are left out.
    """
    source, cycles = order.tolist(), []
    for start in range(len(source)):
        cycle, place = [], start
        while source[place] >= 0:
            cycle.append(place)
            source[place], place = -1, source[place]
        if len(cycle) > 1:
            cycles.append(cycle)
    return cycles


def _noise(factors: Array, passes: Passes) -> float:
    """Return below what the product of an eigenvalue and its leaf's largest is rounding, Hartree.

    A factor is a column of the integrals divided by the root of its pivot, so the rounding of the
    integrals stands in it enlarged by one over its own size.
    """
    norb = factors.shape[1]
    squares = passes.squared_norms(factors.reshape(len(factors), norb**2))
    return float(norb * np.finfo(float).eps * squares.max(initial=0.0))
