# SPDX-License-Identifier: Apache-2.0
r"""Step two: the factors, with the pivots as an auxiliary basis.

.. math:: S_{PQ} = (P|Q) = (K K^T)_{PQ}, \qquad L_P(pq) = \sum_Q (K^{-1})_{PQ} (Q|pq)

for **all** pq: what is left of the integrals is then a Schur complement, so it is positive
semidefinite in every basis.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import blas
from scipy.linalg.lapack import dpotrf, dpstrf

from qlowrank.checks import Array, forget
from qlowrank.integrals.direct.budget import Budget
from qlowrank.integrals.direct.columns import ColumnsTask, batches, run
from qlowrank.integrals.direct.shells import Integers, Shells
from qlowrank.lowrank import Progress

PAIRS = 2048
"""How many pairs of orbitals are solved for at a time."""


@dataclass(frozen=True, eq=False, slots=True)
class FirstFactors:
    """Factors of pivots in atomic orbitals, and the fields that came with their integrals."""

    vectors: Array = field(metadata={"units": "hartree^0.5", "axes": "factor,pair"})
    """L over pairs p ≥ q of the wanted orbitals."""
    coulomb: Array = field(metadata={"units": "hartree", "axes": "density,function,function"})
    """J of the integrals that have a pivot's shell pair on either side."""
    exchange: Array = field(metadata={"units": "hartree", "axes": "density,function,function"})
    """K of the same."""


def first_factors(
    shells: Shells,
    orbitals: Array,
    pivots: Integers,
    densities: Array,
    budget: Budget,
    progress: Progress | None = None,
) -> FirstFactors:
    """Compute and solve, batch by batch.

    Pivots that rounding cannot tell from a combination of the others are left out.

    Args:
        shells: The basis.
        orbitals: Coefficients of the wanted orbitals, shape (nao, norb).
        pivots: Pairs of atomic orbitals, as `find_pivots` gives them.
        densities: Whose fields are wanted, shape (n, nao, nao).
        budget: How much memory there is.
        progress: Called as the columns come.
    """
    norb = orbitals.shape[1]
    size = budget.columns_at_a_time(shells)
    vectors = budget.array(len(pivots), norb * (norb + 1) // 2)
    metric = np.empty((len(pivots), len(pivots)))
    coulomb, exchange = np.zeros(densities.shape), np.zeros(densities.shape)
    done = 0
    for members in batches(shells, pivots, size):
        part = run(ColumnsTask(shells, orbitals, pivots, members, densities))
        metric[members], vectors[members] = part.metric, part.transformed
        coulomb += part.coulomb
        exchange += part.exchange
        forget(vectors)
        done += len(members)
        if progress is not None:
            progress("Columns of integrals", done, len(pivots))
    return FirstFactors(_solved(metric, vectors), coulomb, exchange)


def _solved(metric: Array, vectors: Array) -> Array:
    """Return K⁻¹ (P|pq), computed in place, a few pairs at a time."""
    if not len(metric):
        return vectors
    scale = 1 / np.sqrt(np.diagonal(metric))
    metric = (metric + metric.T) / 2 * scale * scale[:, None]
    factor, failed = dpotrf(metric, lower=1)
    order = np.arange(len(metric))
    if failed or np.diagonal(factor).min() ** 2 < len(metric) * np.finfo(float).eps:
        factor, places, rank, _ = dpstrf(metric, tol=len(metric) * np.finfo(float).eps, lower=1)
        factor, order = factor[:rank, :rank], places[:rank] - 1
    for start in range(0, vectors.shape[1], PAIRS):
        pairs = slice(start, start + PAIRS)
        block = vectors[order, pairs] * scale[order][:, None]
        solved = blas.dtrsm(1.0, factor, block.T, side=1, lower=1, trans_a=1, overwrite_b=1)
        vectors[: len(order), pairs] = solved.T
        forget(vectors)
    return vectors[: len(order)]
