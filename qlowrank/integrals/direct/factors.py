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

from qlowrank.checks import Array, forget, give_back
from qlowrank.integrals.direct.budget import Means
from qlowrank.integrals.direct.checkpoint import Columns
from qlowrank.integrals.direct.columns import ColumnsTask, batches, run
from qlowrank.integrals.direct.shells import Integers, Shells
from qlowrank.lowrank.threads import Workers, slices

PAIRS = 512
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
    means: Means,
) -> FirstFactors:
    """Compute and solve, batch by batch.

    Pivots that rounding cannot tell from a combination of the others are left out.

    Args:
        shells: The basis.
        orbitals: Coefficients of the wanted orbitals, shape (nao, norb).
        pivots: Pairs of atomic orbitals, as `find_pivots` gives them.
        densities: Whose fields are wanted, shape (n, nao, nao).
        means: Memory, threads, and whom to tell.
    """
    norb = orbitals.shape[1]
    size = means.columns_at_a_time(shells)
    held = _room(means, len(pivots), norb * (norb + 1) // 2, densities.shape)
    fields = held.current()
    tasks = [
        ColumnsTask(shells, orbitals, pivots, members, densities)
        for members in batches(shells, pivots, size, held.done)
    ]
    for task, part in zip(tasks, means.executor.map(run, tasks), strict=True):
        held.metric[task.members], held.vectors[task.members] = part.metric, part.transformed
        fields[0] += part.coulomb
        fields[1] += part.exchange
        held.finish(len(task.members), fields)
        forget(held.vectors)
        means.tell("Columns of integrals", held.done, len(pivots))
    held.spend()
    return FirstFactors(_solved(held.metric, held.vectors, means.team), *fields)


def _room(means: Means, n_pivots: int, npair: int, densities: tuple[int, ...]) -> Columns:
    """Room for columns: what an interrupted run has left, or new arrays."""
    if means.checkpoint is not None:
        return means.checkpoint.columns(n_pivots, npair, densities)
    return Columns(
        vectors=means.array(n_pivots, npair),
        metric=np.empty((n_pivots, n_pivots)),
        fields=np.zeros((2, 2, *densities)),
        counter=np.zeros(1),
    )


def _solved(metric: Array, vectors: Array, team: Workers) -> Array:
    """Return K⁻¹ (P|pq), computed in place, a few pairs at a time."""
    if not len(metric):
        return vectors
    scale = 1 / np.sqrt(np.diagonal(metric))
    metric *= scale
    metric *= scale[:, None]
    least = len(metric) * np.finfo(float).eps
    factor, failed = dpotrf(metric.T, lower=1, clean=0, overwrite_a=1)
    order = np.arange(len(metric))
    if failed or np.diagonal(factor).min() ** 2 < least:
        np.fill_diagonal(metric, 1.0)  # below it, LAPACK has left the metric as it was
        factor, places, rank, _ = dpstrf(np.tril(metric), tol=least, lower=1)
        factor, order = factor[:rank, :rank], places[:rank] - 1

    def work(pairs: slice) -> None:
        block = vectors[order, pairs] * scale[order][:, None]
        solved = blas.dtrsm(1.0, factor, block.T, side=1, lower=1, trans_a=1, overwrite_b=1)
        vectors[: len(order), pairs] = solved.T
        forget(vectors)

    team.run(work, slices(vectors.shape[1], PAIRS))
    give_back()
    return vectors[: len(order)]
