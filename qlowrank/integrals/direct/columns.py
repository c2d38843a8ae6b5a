# SPDX-License-Identifier: Apache-2.0
"""Columns of integrals of some shell pairs, and the Coulomb and exchange fields they make.

A batch is a stateless task: `run` needs nothing but the task, so it can run anywhere.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qlowrank.checks import Array
from qlowrank.integrals.direct.shells import Integers, Rows, Shells, columns, positions

NEW = 0.5
"""Share of the integrals between two shell pairs whose columns are computed together: each of the
two columns holds them."""


@dataclass(frozen=True, eq=False, slots=True)
class ColumnsTask:
    """Which columns to compute, on which rows, and whose fields go with them."""

    shells: Shells
    """The basis."""
    rows: Integers = field(metadata={"units": "1", "axes": "row"})
    """Rows to return, as pairs of atomic orbitals."""
    wanted: NDArray[np.bool_] = field(metadata={"units": "1", "axes": "shell pair"})
    """Shell pairs whose rows are computed; the others are returned as zero."""
    pairs: Integers = field(metadata={"units": "1", "axes": "column"})
    """Columns to return, as pairs of atomic orbitals: some of each shell pair they belong to."""
    shares: Array = field(metadata={"units": "1", "axes": "shell pair"})
    """How much of its integrals with a new shell pair counts in the fields: 0 where the columns of
    this one were computed before, `NEW` where they are now, 1 for all others. Each integral and its
    mirror image are so counted once, whatever the order of the batches."""
    densities: Array = field(metadata={"units": "1", "axes": "function,function,density"})
    """Symmetric densities whose fields are wanted, shape (nao, nao, n)."""
    packed: Array = field(metadata={"units": "1", "axes": "density,pair"})
    """Those whose J is wanted too, over pairs of atomic orbitals, once for μν and νμ together,
    shape (m, npair)."""


@dataclass(frozen=True, eq=False, slots=True)
class ColumnsResult:
    """What a batch gives."""

    columns: Array = field(metadata={"units": "hartree", "axes": "column,row"})
    """(column|row)."""
    coulomb: Array = field(metadata={"units": "hartree", "axes": "density,pair"})
    """J of the integrals that count, of the densities in `packed`."""
    exchange: Array = field(metadata={"units": "hartree", "axes": "function,function,density"})
    """K of the same, of all densities, once its transpose has been added."""


def run(task: ColumnsTask) -> ColumnsResult:
    """Compute the columns of a batch, and add up their fields."""
    shells = task.shells
    rows, buffer = Rows(shells, task.wanted), np.empty((shells.widest, len(shells.owner)))
    block = np.empty((len(task.pairs), len(task.rows)))
    owner, fields = shells.owner[task.pairs], _Fields(task)
    for shell_pair in np.unique(owner):
        pair = shells.pairs[shell_pair]
        values = columns(shells, pair, rows, buffer)
        inside = np.flatnonzero(owner == shell_pair)
        local = positions(shells.functions(pair), task.pairs[inside])
        for member, function in zip(inside, local, strict=True):
            np.take(values[function], task.rows, out=block[member], mode="clip")
        if task.shares[shell_pair] == NEW:
            fields.add(pair, values)
    return ColumnsResult(columns=block, coulomb=fields.coulomb, exchange=fields.exchange)


class _Fields:
    """J and K of the integrals of new shell pairs, each with its mirror image."""

    def __init__(self, task: ColumnsTask) -> None:
        shells = task.shells
        self._shells, self._densities, self._packed = shells, task.densities, task.packed
        self._weights = task.shares[shells.owner]
        self.coulomb = np.zeros(task.packed.shape)
        self.exchange = np.zeros(task.densities.shape)
        self._squares = np.empty((shells.widest, *shells.index.shape))

    def add(self, pair: Integers, values: Array) -> None:
        """Take in the columns of one shell pair, as `columns` returns them, and spoil them."""
        number = self._densities.shape[2]
        if number == 0:
            return
        values *= self._weights
        functions, each = self._shells.functions(pair), values
        if pair[0] == pair[1]:  # μν and νμ are both there
            functions, once = np.unique(functions, return_index=True)
            each = values[once]
        self.coulomb += self._packed[:, functions] @ each
        self.coulomb[:, functions] += self._packed @ each.T
        first, second = (slice(*self._shells.starts[s : s + 2]) for s in pair)
        of_first, of_second = self._densities[first], self._densities[second]
        square = self._squares[: len(values)]
        np.take(values, self._shells.index, axis=1, out=square, mode="clip")
        square = square.reshape(len(of_first), len(of_second), *self._shells.index.shape)
        # K_k,mu = sum over l, nu of (mu nu|kl) D_l,nu, and the same with k and l exchanged
        sides = np.empty((*square.shape[:3], 2 * number))
        sides[..., :number], sides[..., number:] = of_second, of_first[:, None]
        halves = square @ sides
        self.exchange[first] += halves[..., :number].sum(axis=1)
        if pair[0] != pair[1]:
            self.exchange[second] += halves[..., number:].sum(axis=0)
