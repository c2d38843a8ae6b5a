# SPDX-License-Identifier: Apache-2.0
r"""Pivoted Cholesky decomposition of integrals over atomic orbitals, by batches of shell pairs.

.. math:: (\mu\nu|\lambda\sigma)
          = \sum_t L^t_{\mu\nu} L^t_{\lambda\sigma} + R_{\mu\nu,\lambda\sigma}

Vectors are made on **all** rows: what is left is then a Schur complement, so it is positive
semidefinite in every basis. Pivots are compared in rescaled orbitals :math:`w_\mu \mu`.

Source:
    H. Koch, A. Sánchez de Merás, T. B. Pedersen, J. Chem. Phys. 118, 9481 (2003) (batches of
    qualified columns, span factor).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpstrf, dtrtri

from qlowrank.checks import Array
from qlowrank.integrals.direct.batch import Batch
from qlowrank.integrals.direct.budget import Means
from qlowrank.integrals.direct.columns import NEW, ColumnsTask, run
from qlowrank.integrals.direct.shells import CUTOFF, Integers, Shells
from qlowrank.integrals.direct.stack import Stack
from qlowrank.integrals.pairs import pack, unpack
from qlowrank.lowrank.threads import slices

SPAN = 1e-6
"""A column may enter a batch when its residual is at least this share of the largest one. With so
small a share hardly a shell pair is computed twice, and the number of vectors hardly grows."""
PIVOT = 1 / 20
"""What linear algebra a pivot causes, for each atomic orbital, in units of `Shells.effort`: what
makes the whole cheapest in cc-pVDZ."""
LEAST, MOST = 128, 512
"""Between these many columns enter a batch, about one for each atomic orbital."""
SHARE, EFFORT = 1 / 5, 32.0
"""A thread takes shell pairs that make up this share of the effort that remains of a batch, but no
less than this effort: the last ones to be taken are light, so that no thread waits long."""
TRIANGLE = 32
"""How many rows of a triangular matrix are multiplied at a time. SciPy's product for triangular
matrices lets no other thread run."""


@dataclass(frozen=True, eq=False, slots=True)
class Diagonal:
    """The integrals (μν|μν) in rescaled atomic orbitals, without those that are nothing.

    What the Schwarz inequality proves to be zero up to `CUTOFF` is left out. Make one with
    `diagonal_of`.
    """

    rows: Integers = field(metadata={"units": "1", "axes": "row"})
    """Which pairs of atomic orbitals are kept."""
    scale: Array = field(metadata={"units": "1", "axes": "row"})
    """w_μ w_ν of each."""
    values: Array = field(metadata={"units": "hartree", "axes": "row"})
    """w_μ² w_ν² (μν|μν) of each."""


def diagonal_of(shells: Shells, weights: Array) -> Diagonal:
    """Return the diagonal of the integrals.

    Args:
        shells: The basis.
        weights: Scale w of each atomic orbital when pivots are compared, shape (nao,).
    """
    low, high = np.tril_indices(shells.nao)
    scale = weights[low] * weights[high]
    values = shells.diagonal * scale**2
    rows = np.flatnonzero(values * values.max(initial=0.0) > CUTOFF**2)
    return Diagonal(rows, scale[rows], values[rows])


class Elimination:
    """Vectors found so far, what they leave, and the fields that came with their columns."""

    def __init__(
        self,
        shells: Shells,
        diagonal: Diagonal,
        densities: Array,
        filled: list[int],
        means: Means,
        keep: Callable[[Array, Array], None],
    ) -> None:
        """Prepare to decompose, or to go on with what a checkpoint holds.

        Args:
            shells: The basis.
            diagonal: Of its integrals.
            densities: Whose K is wanted, symmetric, shape (n, nao, nao).
            filled: Positions of those whose J is wanted too; that of others is zero.
            means: Memory, disk and threads.
            keep: Takes each batch of vectors, shape (some, rows), and the rescaled residuals that
                their pivots had when they were chosen.
        """
        self.shells, self.densities, self._means, self._keep = shells, densities, means, keep
        self._filled = filled
        self._packed = pack(densities[filled] * (2 - np.eye(shells.nao)))
        # one shell's functions are then rows of a product
        self._stacked = np.ascontiguousarray(densities.transpose(1, 2, 0))
        self.rows, self._scale = diagonal.rows, diagonal.scale
        self.residual = diagonal.values.copy()
        self.vectors = Stack(means, len(self.rows))
        self.coulomb, self.exchange = np.zeros(densities.shape), np.zeros(densities.shape)
        self.computed = np.zeros(len(shells.pairs), dtype=bool)
        self._owner = shells.owner[self.rows]
        self.pivots: Integers = np.empty(0, dtype=np.int64)
        for batch in (
            () if means.checkpoint is None else means.checkpoint.batches(self.vectors.room)
        ):
            self._take(batch)

    def lower(self, threshold: float) -> None:
        """Go on until no shell pair's share of the rescaled residual is worth its columns.

        That is, until for each of them the sum of the diagonal elements above a threshold is less
        than the threshold times what their pivots and columns cost, in pivots.
        """
        while True:
            floor = max(SPAN * float(self.residual.max(initial=0.0)), threshold)
            chosen = self._qualified(floor)
            if not len(chosen):
                return
            batch = self._next(chosen, floor)
            if self._means.checkpoint is not None:
                self._means.checkpoint.keep(batch)
            self._take(batch)
            self._means.tell("Columns of integrals", len(self.vectors), None)

    def _next(self, chosen: Integers, floor: float) -> Batch:
        """Compute columns, and eliminate those whose residual stays at least `floor`."""
        found = self._columns(chosen)
        chosen, blocks = found.chosen, found.blocks
        coefficients = self.vectors.at(chosen)
        small = np.concatenate([block[:, chosen] for block in blocks])
        small -= sum(self._means.team.map(lambda part: part.T @ part, coefficients))
        scale = self._scale[chosen]
        factor, order, rank, _ = dpstrf(small * scale * scale[:, None], tol=floor, lower=1)
        rank = max(int(rank), 1)
        order = order[:rank] - 1
        inverse = np.tril(dtrtri(factor[:rank, :rank], lower=1)[0]) * scale[order]
        earlier = [-np.ascontiguousarray(part[:, order].T) for part in coefficients]
        vectors, squares = self.vectors.room(rank), np.empty(len(self.rows))
        pivots, others = chosen[order], np.ones(len(self.rows))
        others[self.pivots] = 0.0

        def work(part: slice) -> None:
            rest = np.concatenate([block[:, part] for block in blocks])
            rest = np.take(rest, order, axis=0, mode="clip")
            self.vectors.add(earlier, part, rest)
            mine = np.empty_like(rest)
            for some in slices(rank, TRIANGLE):  # what is right of them is zero
                np.matmul(inverse[some, : some.stop], rest[: some.stop], out=mine[some])
            mine *= others[part]  # at earlier pivots there is only rounding left
            vectors[:, part] = mine
            np.einsum("ti,ti->i", mine, mine, out=squares[part])

        self._means.team.run(work, self.vectors.parts)
        vectors[:, pivots] = np.triu(vectors[:, pivots])  # later ones have nothing left there
        return Batch(vectors, pivots, squares, found.shell_pairs, found.coulomb, found.exchange)

    def _take(self, batch: Batch) -> None:
        """Add what a batch has found."""
        self.vectors.append(len(batch.vectors))
        self.pivots = np.concatenate([self.pivots, batch.pivots])
        self.residual -= batch.squares * self._scale**2
        self.residual[self.pivots] = 0.0
        self.computed[batch.shell_pairs] = True
        self.coulomb += batch.coulomb
        self.exchange += batch.exchange
        own = batch.vectors[np.arange(len(batch.vectors)), batch.pivots]
        self._keep(batch.vectors, (own * self._scale[batch.pivots]) ** 2)

    def _qualified(self, floor: float) -> Integers:
        """Positions of the next columns: whole shell pairs' worth, largest residuals first."""
        candidates = np.flatnonzero(self.residual > floor)
        owner, residual = self._owner[candidates], self.residual[candidates]
        count = np.bincount(owner, minlength=len(self.shells.pairs))
        pivot = PIVOT * self.shells.nao
        worth = np.bincount(owner, residual, len(count)) > floor * (
            count + self.shells.effort / pivot
        )
        largest = np.zeros(len(count))
        np.maximum.at(largest, owner, residual)
        order = np.argsort(np.where(worth, -largest, 0.0), kind="stable")
        order = order[: np.count_nonzero(worth)]
        size = self._means.columns_at_a_time(self.shells, min(max(LEAST, self.shells.nao), MOST))
        taken = int(np.searchsorted(np.cumsum(count[order]), size, side="right"))
        return np.asarray(candidates[np.isin(owner, order[: max(taken, 1)])])

    def _columns(self, chosen: Integers) -> "_Columns":
        """Compute the chosen columns, and J and K of their new shell pairs."""
        owner = self._owner[chosen]
        new = np.unique(owner[~self.computed[owner]])
        shares = np.where(self.computed, 0.0, 1.0)
        shares[new] = NEW
        parts = [chosen[places] for places in self._together(owner)]
        common = shares, self._stacked, self._packed
        wanted = self._wanted()
        tasks = (
            ColumnsTask(self.shells, self.rows, wanted, self.rows[part], *common) for part in parts
        )
        blocks, packed, half = [], np.zeros(self._packed.shape), np.zeros(self._stacked.shape)
        for found in self._means.executor.map(run, tasks):
            blocks.append(found.columns)
            packed += found.coulomb
            half += found.exchange
        coulomb = np.zeros(self.densities.shape)
        coulomb[self._filled] = unpack(packed, self.shells.nao)
        exchange = (half + half.transpose(1, 0, 2)).transpose(2, 0, 1)
        return _Columns(np.concatenate(parts), blocks, new, coulomb, exchange)

    def _together(self, owner: Integers) -> list[Integers]:
        """Say which columns are computed together, first those whose shell pairs take longest.

        Args:
            owner: The shell pair of each column.
        """
        several, member = np.unique(owner, return_inverse=True)
        effort = self.shells.effort[several]
        order = np.argsort(-effort, kind="stable")
        sums = np.cumsum(effort[order])
        edges, done = [0], 0.0
        while edges[-1] < len(several):
            aim = done + max(SHARE * (sums[-1] - done), EFFORT)
            edges.append(max(int(np.searchsorted(sums, aim, side="right")), edges[-1] + 1))
            done = float(sums[edges[-1] - 1])
        place = np.empty(len(several), dtype=np.int64)
        place[order] = np.arange(len(several))
        rank = place[member]
        columns = np.argsort(rank, kind="stable")
        return np.split(columns, np.searchsorted(rank[columns], edges[1:-1]))

    def _wanted(self) -> NDArray[np.bool_]:
        """Shell pairs whose rows matter: all but those that consist of pivots."""
        left = np.bincount(self.shells.owner, minlength=len(self.shells.pairs))
        left -= np.bincount(self._owner[self.pivots], minlength=len(left))
        return np.asarray(left > 0)


@dataclass(frozen=True, eq=False, slots=True)
class _Columns:
    """Columns of integrals as they were computed, and what else came of it."""

    chosen: Integers
    """Positions of the columns among the rows that are kept, in the order of the blocks."""
    blocks: list[Array]
    """The columns, each block shape (some columns, rows that are kept), Hartree."""
    shell_pairs: Integers
    """Shell pairs that are new."""
    coulomb: Array
    """J of their integrals, shape (n, nao, nao), Hartree."""
    exchange: Array
    """K of the same."""
