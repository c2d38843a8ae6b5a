# SPDX-License-Identifier: Apache-2.0
"""What a fit lost, proven: the residual has both signs, so nothing follows from its diagonal."""

from collections.abc import Callable, Iterable

import numpy as np

from qlowrank.checks import Array
from qlowrank.factorization.compression.frobenius import FrobeniusError, SectorError, without_trace
from qlowrank.factorization.compression.packing import packed_squares, pair_weights
from qlowrank.factorization.compression.problem import Point, Problem

MOST_PAIRS = 2080
"""Pairs of 64 orbitals: up to here the residual is formed, 35 MB, and its norms are exact."""

Errors = tuple[float, float, float]
"""Bounds on element, Frobenius and trace norm of a residual, Hartree."""


def compression_errors(problem: Problem, point: Point, *, in_sector: bool) -> Errors:
    """Return bounds on the norms of V − Σ X Z Xᵀ, or of what a sector sees of it."""
    vectors = without_trace(problem.vectors, problem.norb) if in_sector else problem.vectors
    objective = SectorError() if in_sector else FrobeniusError()

    def pieces() -> Iterable[tuple[Array, Array]]:
        for leaf, core in zip(point.leaves, point.cores, strict=True):
            squares = packed_squares(leaf)
            yield (without_trace(squares.T, problem.norb).T if in_sector else squares), core

    return residual_errors(
        vectors,
        pieces(),
        n_terms=len(point.leaves) * problem.norb,
        size=float(np.linalg.norm(point.cores, axis=(1, 2)).sum()),
        squared=lambda: 2 * objective.prepare(problem)(point).value,
    )


def residual_errors(
    vectors: Array,
    pieces: Iterable[tuple[Array, Array]],
    *,
    n_terms: int,
    size: float,
    squared: Callable[[], float],
) -> Errors:
    r"""Return bounds on element, Frobenius and trace norm of a residual over orbital pairs.

    .. math:: R = \sum_m v_m v_m^T - \sum_t S_t Z_t S_t^T

    Up to 64 orbitals R is formed: element and Frobenius norm are read off and the trace norm is
    the sum of its absolute eigenvalues. Beyond, the Frobenius norm comes from a closed formula, no
    element is larger than it, and the trace norm is at most :math:`\sqrt{n_{\rm pairs}}` times it.
    What rounding may hide is added.

    Args:
        vectors: v, packed, shape (rank, n_pairs).
        pieces: S, shape (n_pairs, k), and Z, shape (k, k).
        n_terms: Columns of all S.
        size: Upper bound of the sum of Frobenius norms of the terms S Z Sᵀ, Hartree.
        squared: Gives the squared Frobenius norm by the closed formula.
    """
    n_pairs = vectors.shape[1]
    size += float(np.sum(vectors**2))
    rounding = 4 * (len(vectors) + n_terms + n_pairs) * float(np.finfo(float).eps) * size
    if n_pairs > MOST_PAIRS:
        frobenius = float(np.sqrt(squared() + 2 * rounding * size))
        return frobenius, frobenius, float(np.sqrt(n_pairs)) * frobenius
    residual = vectors.T @ vectors
    for squares, core in pieces:
        residual -= squares @ core @ squares.T
    residual = (residual + residual.T) / 2
    weights = pair_weights(int(np.sqrt(2 * n_pairs)))
    element = float(np.abs(residual / np.outer(weights, weights)).max(initial=0.0))
    trace_norm = float(np.abs(np.linalg.eigvalsh(residual)).sum())
    return (
        element + rounding,
        float(np.linalg.norm(residual)) + rounding,
        trace_norm + n_pairs * rounding,
    )
