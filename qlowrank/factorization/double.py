# SPDX-License-Identifier: Apache-2.0
"""Explicit double factorization: diagonalise every factor, cut what the tolerance allows."""

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from qlowrank import checks
from qlowrank.checks import Array, InputError, forget
from qlowrank.factorization.gauge import CholeskyGauge, Gauge, with_positive_peak
from qlowrank.factorization.record import DoubleFactorization, FactorizationStatus
from qlowrank.files.scratch import array_for
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank.threads import each_on_one_thread

BATCH = 64
"""Leaves diagonalised at a time."""


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

    With a tolerance, small eigenvalues are cut. With Δ the part of the factors that is cut,
    :math:`a_{pq}^2 = \sum_t (\Delta^t_{pq})^2` and :math:`b_{pq}^2 = \sum_t (L^t_{pq})^2`, no
    element of (pq|rs) moves by more than :math:`2 \max a \max b + (\max a)^2`
    (Cauchy-Schwarz); as many of the smallest eigenvalues are cut as keep this below the tolerance.

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
    eigenvalues, leaves = _diagonalise(factors, max_memory)
    kept: NDArray[np.bool_] = _cut(eigenvalues, leaves, factors, budget)
    cut = np.where(kept, 0.0, eigenvalues)
    loss = _loss(cut, leaves, factors, hamiltonian)
    alive: NDArray[np.bool_] = np.any(kept, axis=1)
    order = np.argsort(
        -np.abs(np.where(kept, eigenvalues, 0.0)).max(axis=1, initial=0.0), kind="stable"
    )
    order = order[alive[order]]
    return DoubleFactorization(
        constants=hamiltonian.constants,
        one_body=hamiltonian.kappa,
        eigenvalues=np.where(kept, eigenvalues, 0.0)[order],
        leaves=_in_order(leaves, order),
        nelec=hamiltonian.nelec,
        status=FactorizationStatus(method.name, *loss),
        source=hamiltonian.source,
    )


def _diagonalise(factors: Array, max_memory: float | None) -> tuple[Array, Array]:
    """Eigenvalues by falling magnitude and eigenvectors of every factor.

    The matrices are small, so each is left to one thread and the threads share the matrices.
    """
    eigenvalues = np.empty(factors.shape[:2])
    leaves = array_for(factors.shape, max_memory)
    parts = [slice(start, start + BATCH) for start in range(0, len(factors), BATCH)]

    def work(part: slice) -> None:
        values, vectors = np.linalg.eigh(factors[part])
        order = np.argsort(-np.abs(values), axis=1, kind="stable")
        eigenvalues[part] = np.take_along_axis(values, order, axis=1)
        leaves[part] = with_positive_peak(np.take_along_axis(vectors, order[:, None, :], axis=2))
        forget(factors)
        forget(leaves)

    with each_on_one_thread() as pool:
        deque(pool.map(work, parts), maxlen=0)
    return eigenvalues, leaves


def _in_order(leaves: Array, order: NDArray[np.int64]) -> Array:
    """Put leaves in a new order, some left out, without a second copy of all of them."""
    place = np.full(len(leaves), -1)
    place[: len(order)] = order
    left_out = np.setdiff1d(np.arange(len(leaves)), order)
    place[len(order) :] = left_out
    moved = np.zeros(len(leaves), dtype=bool)
    for start in np.flatnonzero(place != np.arange(len(leaves))):
        if moved[start]:
            continue
        saved, here = leaves[start].copy(), int(start)
        while (there := int(place[here])) != start:
            leaves[here] = leaves[there]
            moved[here], here = True, there
        leaves[here], moved[here] = saved, True
    forget(leaves)
    return leaves[: len(order)]


def _cut(eigenvalues: Array, leaves: Array, factors: Array, tolerance: float) -> NDArray[np.bool_]:
    """Mark what to keep: above rounding, and above the largest threshold whose bound holds."""
    magnitudes = np.abs(eigenvalues)
    noise = _noise(magnitudes, factors)
    if tolerance == 0.0:
        return np.asarray(magnitudes > noise)
    levels = np.unique(magnitudes)
    low, high = 0, len(levels) + 1  # cutting the `low` smallest is allowed, `high` is too many
    while high - low > 1:
        middle = (low + high) // 2
        kept = magnitudes > levels[middle - 1]
        cut = np.where(kept, 0.0, eigenvalues)
        if _element_bound(cut, leaves, factors) <= tolerance:
            low = middle
        else:
            high = middle
    return np.asarray(magnitudes > np.maximum(levels[low - 1] if low else 0.0, noise))


def _noise(magnitudes: Array, factors: Array) -> Array:
    """Return below what an eigenvalue of each leaf is rounding, shape (n_leaves, 1), Hartree^½.

    A factor is a column of the integrals divided by the root of its pivot, so the rounding of the
    integrals stands in it enlarged by one over its own size.
    """
    largest = magnitudes.max(axis=1, initial=np.finfo(float).tiny)[:, None]
    rounding = (
        magnitudes.shape[1]
        * np.finfo(float).eps
        * _root_sum_squares(_slices(factors), factors.shape[1]) ** 2
    )
    return np.asarray(rounding / largest)


def _element_bound(cut: Array, leaves: Array, factors: Array) -> float:
    """Bound on the change of any (pq|rs) when the eigenvalues `cut` are set to zero."""
    lost = _root_sum_squares(_parts(cut, leaves), factors.shape[1])
    return 2 * lost * _root_sum_squares(_slices(factors), factors.shape[1]) + lost**2


def _parts(cut: Array, leaves: Array) -> Iterator[Array]:
    """Yield the part of each factor that is cut, for the leaves that lose anything, in batches."""
    touched = np.flatnonzero(cut.any(axis=1))
    for start in range(0, len(touched), BATCH):
        some = touched[start : start + BATCH]
        frames = leaves[some]
        yield np.matmul(frames * cut[some][:, None, :], frames.transpose(0, 2, 1))
        forget(leaves)


def _slices(factors: Array) -> Iterator[Array]:
    """Yield factors in batches."""
    for start in range(0, len(factors), BATCH):
        yield factors[start : start + BATCH]
        forget(factors)


def _root_sum_squares(batches: Iterator[Array], norb: int) -> float:
    """Largest sqrt(Σ_t F_tpq²) over p, q."""
    total = np.zeros((norb, norb))
    for batch in batches:
        total += np.einsum("tpq,tpq->pq", batch, batch)
    return float(np.sqrt(total.max(initial=0.0)))


def _loss(
    cut: Array, leaves: Array, factors: Array, hamiltonian: Hamiltonian
) -> tuple[float, float, float]:
    """Bounds on element, Frobenius and trace-norm error against the Hamiltonian's source.

    With Δ the part cut from factor t and L̃ what remains (ΔL̃ = 0), the change of the integrals is
    Σ_t (Δ⊗L̃ + L̃⊗Δ + Δ⊗Δ); each product has trace norm ‖·‖_F ‖·‖_F.
    """
    lost = np.sum(cut**2, axis=1)
    parts = [np.einsum("tpq,tpq->t", batch, batch) for batch in _slices(factors)]
    whole = np.concatenate([np.zeros(0), *parts])
    rest = np.maximum(whole - lost, 0.0)
    trace_norm = float(np.sum(2 * np.sqrt(lost * rest) + lost))
    return (
        hamiltonian.max_abs_error_bound + _element_bound(cut, leaves, factors),
        hamiltonian.residual_trace + trace_norm,
        hamiltonian.residual_trace + trace_norm,
    )
