# SPDX-License-Identifier: Apache-2.0
"""What a fit lost, proven: the residual has both signs, so nothing follows from its diagonal."""

import numpy as np

from qlowrank.checks import Array
from qlowrank.factorization.compression.frobenius import FrobeniusError, SectorError, without_trace
from qlowrank.factorization.compression.packing import packed_squares, pair_weights
from qlowrank.factorization.compression.problem import Point, Problem

MOST_PAIRS = 2080
"""Pairs of 64 orbitals: up to here the residual is formed, 35 MB, and its norms are exact."""


def proven_errors(problem: Problem, point: Point, *, in_sector: bool) -> tuple[float, float, float]:
    r"""Return bounds on element, Frobenius and trace norm of V − Σ X Z Xᵀ, Hartree.

    Up to 64 orbitals the residual is formed over pairs: element and Frobenius norm are read off
    and the trace norm is the sum of its absolute eigenvalues. Beyond, the Frobenius norm comes
    from the closed formula, no element is larger than it, and the trace norm is at most
    :math:`\sqrt{n_{\rm pairs}}` times it. What rounding may hide is added.
    """
    vectors = without_trace(problem.vectors, problem.norb) if in_sector else problem.vectors
    n_pairs = vectors.shape[1]
    terms = len(vectors) + point.leaves.shape[0] * problem.norb + n_pairs
    size = float(np.sum(vectors**2)) + float(np.linalg.norm(point.cores, axis=(1, 2)).sum())
    rounding = 4 * terms * float(np.finfo(float).eps) * size
    if n_pairs <= MOST_PAIRS:
        residual = _residual(vectors, point, in_sector=in_sector)
        weights = pair_weights(problem.norb)
        element = float(np.abs(residual / np.outer(weights, weights)).max(initial=0.0))
        frobenius = float(np.linalg.norm(residual))
        trace_norm = float(np.abs(np.linalg.eigvalsh(residual)).sum())
        return element + rounding, frobenius + rounding, trace_norm + n_pairs * rounding
    objective = SectorError() if in_sector else FrobeniusError()
    squared = 2 * objective.prepare(problem)(point).value
    frobenius = float(np.sqrt(squared + 2 * rounding * size))
    return frobenius, frobenius, float(np.sqrt(n_pairs)) * frobenius


def _residual(vectors: Array, point: Point, *, in_sector: bool) -> Array:
    """Return the residual over weighted pairs, shape (n_pairs, n_pairs)."""
    norb = point.leaves.shape[-1]
    residual = vectors.T @ vectors
    for leaf, core in zip(point.leaves, point.cores, strict=True):
        squares = packed_squares(leaf)
        if in_sector:
            squares = without_trace(squares.T, norb).T
        residual -= squares @ core @ squares.T
    return np.asarray((residual + residual.T) / 2)
