# SPDX-License-Identifier: Apache-2.0
r"""Step two: the factors, with the pivots as an auxiliary basis.

.. math:: S_{PQ} = (P|Q) = (K K^T)_{PQ}, \qquad L_P(pq) = \sum_Q (K^{-1})_{PQ} (Q|pq)

for **all** pq: what is left of the integrals is then a Schur complement, so it is positive
semidefinite in every basis.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import blas
from scipy.linalg.lapack import dpstrf

from qlowrank.checks import Array
from qlowrank.integrals.direct.shells import Integers, Rows, Shells, columns, positions
from qlowrank.integrals.pairs import pack, unpack
from qlowrank.lowrank import Progress

BATCH = 128
"""About how many pivots are transformed at a time."""


@dataclass(frozen=True, eq=False, slots=True)
class PivotColumns:
    """What one batch of shell pairs gives: a stateless task's result."""

    metric: Array = field(metadata={"units": "hartree", "axes": "pivot,pivot"})
    """(P|Q) for the batch's pivots P and all pivots Q."""
    transformed: Array = field(metadata={"units": "hartree", "axes": "pivot,pair"})
    """(P|pq) over pairs p ≥ q of the wanted orbitals."""


def pivot_batches(shells: Shells, pivots: Integers) -> Iterator[Integers]:
    """Yield positions of pivots, whole shell pairs together, about `BATCH` at a time."""
    owner = shells.owner[pivots]
    order = np.argsort(owner, kind="stable")
    edges = np.flatnonzero(np.diff(owner[order], prepend=-1))
    start = 0
    for first, last in zip(edges, [*edges[1:], len(order)], strict=True):
        if last - start >= BATCH or last == len(order):
            yield order[start:last]
            start = last
        del first


def pivot_columns(
    shells: Shells, orbitals: Array, pivots: Integers, members: Integers
) -> PivotColumns:
    """Compute the columns of some pivots and transform their rows.

    Args:
        shells: The basis.
        orbitals: Coefficients of the wanted orbitals, shape (nao, norb).
        pivots: All pivots.
        members: Positions of the pivots of this batch.
    """
    nao, npair = shells.nao, shells.nao * (shells.nao + 1) // 2
    rows = Rows(shells)
    chosen = pivots[members]
    owner = shells.owner[chosen]
    buffer = np.empty((shells.widest, npair))
    packed = np.empty((len(members), npair))
    for shell_pair in np.unique(owner):
        inside = np.flatnonzero(owner == shell_pair)
        values = columns(shells, shells.pairs[shell_pair], rows, buffer)
        functions = shells.functions(shells.pairs[shell_pair])
        packed[inside] = values[positions(functions, chosen[inside])]
    half = unpack(packed, nao).reshape(len(members) * nao, nao) @ orbitals
    half = half.reshape(len(members), nao, -1)
    return PivotColumns(metric=packed[:, pivots], transformed=pack(orbitals.T @ half))


def factors_of(
    shells: Shells, orbitals: Array, pivots: Integers, progress: Progress | None = None
) -> Array:
    """Return Cholesky vectors L over pairs p ≥ q, shape (n_pivots, npair), Hartree^½.

    Pivots that rounding cannot tell from a combination of the others are left out.
    """
    norb = orbitals.shape[1]
    vectors = np.empty((len(pivots), norb * (norb + 1) // 2))
    metric = np.empty((len(pivots), len(pivots)))
    done = 0
    for members in pivot_batches(shells, pivots):
        part = pivot_columns(shells, orbitals, pivots, members)
        metric[members], vectors[members] = part.metric, part.transformed
        done += len(members)
        if progress is not None:
            progress("Columns of integrals", done, len(pivots))
    return _solve(metric, vectors)


def _solve(metric: Array, vectors: Array) -> Array:
    """Return K⁻¹ (P|pq), computed in place where no pivot has to go."""
    if not len(metric):
        return vectors
    scale = 1 / np.sqrt(np.diagonal(metric))
    metric = (metric + metric.T) / 2 * scale * scale[:, None]
    factor, order, rank, _ = dpstrf(metric, tol=len(metric) * np.finfo(float).eps, lower=1)
    order = order[:rank] - 1
    vectors = vectors[order]
    vectors *= scale[order][:, None]
    solved = blas.dtrsm(
        1.0, factor[:rank, :rank], vectors.T, side=1, lower=1, trans_a=1, overwrite_b=1
    )
    return np.asarray(solved.T)
