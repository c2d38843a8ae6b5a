# SPDX-License-Identifier: Apache-2.0
"""Step one: which pairs of atomic orbitals span the integrals to a threshold.

Source:
    S. D. Folkestad, E. F. Kjønstad, H. Koch, J. Chem. Phys. 150, 194112 (2019) (two steps);
    H. Koch, A. Sánchez de Merás, T. B. Pedersen, J. Chem. Phys. 118, 9481 (2003) (span factor).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qlowrank.checks import Array, forget, give_back
from qlowrank.integrals.direct.budget import Means
from qlowrank.integrals.direct.shells import Integers, Rows, Shells, columns, positions
from qlowrank.lowrank.cholesky import eliminate
from qlowrank.lowrank.threads import slices

SPAN = 1e-3
"""A column may enter a batch when its residual is at least this share of the largest one."""
BATCH = 256
"""About how many columns enter a batch."""
SHELL_PAIRS = 8
"""How many shell pairs a thread takes at a time."""
COLUMNS = 1024
"""How many rows of integrals a thread takes at a time."""


@dataclass(frozen=True, eq=False, slots=True)
class Pivots:
    """Pairs of atomic orbitals whose columns span the integrals, in the order they were found."""

    pairs: Integers = field(metadata={"units": "1", "axes": "pivot"})
    """Index of each pivot among pairs μ ≥ ν, shape (n_pivots,)."""
    threshold: float = field(metadata={"units": "hartree"})
    """No diagonal element of the residual, in rescaled orbitals, is larger than this."""


class _Remainder:
    """Residual diagonal of the rescaled integrals, and the vectors on rows that still matter."""

    def __init__(self, values: Array, threshold: float, means: Means) -> None:
        self.threshold, self.means = threshold, means
        self.rows = np.flatnonzero(values > threshold)
        self.values = values[self.rows]
        self.vectors = np.empty((0, len(self.rows)))
        self.rank = 0

    def append(self, found: Array, used: Integers) -> None:
        """Take in new vectors; `used` are positions of their pivots among the rows."""
        room = self.rank + len(found)
        if room > len(self.vectors):
            rows = np.arange(len(self.rows))
            self.vectors = self._copied(max(room, 2 * self.rank, 4 * BATCH), rows)
        self.vectors[self.rank : room] = found
        self.rank = room
        self.values -= np.einsum("ti,ti->i", found, found)
        self.values[used] = 0.0
        self._forget()

    def _forget(self) -> None:
        """Drop rows below the threshold once they are a fifth of all."""
        alive = self.values > self.threshold
        if np.count_nonzero(alive) < 0.8 * len(alive):
            self.rows, self.values = self.rows[alive], self.values[alive]
            self.vectors = self._copied(self.rank, np.flatnonzero(alive))

    def _copied(self, room: int, rows: Integers) -> Array:
        """Return the vectors on some rows, with room for more."""
        copied = self.means.array(room, len(rows))
        for start in range(0, self.rank, BATCH):
            part = slice(start, min(start + BATCH, self.rank))
            np.take(self.vectors[part], rows, axis=1, out=copied[part], mode="clip")
            forget(copied)
        return copied

    def subtract(self, block: Array, chosen: Integers) -> None:
        """Take what the vectors have already explained from the chosen columns, in place."""
        coefficients = np.array(self.vectors[: self.rank, chosen].T)

        def work(part: slice) -> None:
            block[:, part] -= coefficients @ self.vectors[: self.rank, part]
            forget(self.vectors)

        self.means.team.run(work, slices(block.shape[1], COLUMNS))


def find_pivots(
    shells: Shells,
    weights: Array,
    threshold: float,
    means: Means,
) -> Pivots:
    """Decompose w_μ w_ν (μν|λσ) w_λ w_σ by pivoted Cholesky, and keep the pivots only.

    Only rows whose residual still exceeds the threshold are computed: the others can be no pivots.

    Args:
        shells: The basis.
        weights: w, one for each atomic orbital, shape (nao,).
        threshold: Largest permitted element of the rescaled residual, Hartree.
        means: Memory, threads, and whom to tell.
    """
    low, high = np.tril_indices(shells.nao)
    scale = weights[low] * weights[high]
    state = _Remainder(shells.diagonal * scale**2, threshold, means)
    pivots: list[Integers] = []
    while state.rows.size and (largest := float(state.values.max())) > threshold:
        floor = max(SPAN * largest, threshold)
        chosen = _qualified(shells, state, floor)
        block = _residual_columns(shells, state, scale, chosen)
        found, used = eliminate(block, chosen, floor)
        position = np.array(used, dtype=np.int64)
        pivots.append(state.rows[position])
        state.append(found, position)
        means.tell("Cholesky pivots", state.rank, None)
    del state
    give_back()
    pairs = np.concatenate(pivots) if pivots else np.empty(0, dtype=np.int64)
    return Pivots(pairs=pairs, threshold=threshold)


def _qualified(shells: Shells, state: _Remainder, floor: float) -> Integers:
    """Positions of the next batch: whole shell pairs' worth of large residuals, largest first."""
    candidates = np.flatnonzero(state.values >= floor)
    owner = shells.owner[state.rows[candidates]]
    largest = np.zeros(len(shells.pairs))
    np.maximum.at(largest, owner, state.values[candidates])
    order = np.argsort(-largest, kind="stable")
    counts = np.cumsum(np.bincount(owner, minlength=len(largest))[order])
    chosen = order[: int(np.searchsorted(counts, BATCH)) + 1]
    return np.asarray(candidates[np.isin(owner, chosen)])


def _residual_columns(shells: Shells, state: _Remainder, scale: Array, chosen: Integers) -> Array:
    """Rescaled residual columns of the chosen positions as rows, shape (n, rows left)."""
    wanted = np.zeros(len(shells.pairs), dtype=bool)
    wanted[shells.owner[state.rows]] = True
    pairs = state.rows[chosen]
    owner = shells.owner[pairs]
    order = np.argsort(owner, kind="stable")
    block = np.empty((len(chosen), len(state.rows)))
    edges = np.flatnonzero(np.diff(owner[order], prepend=-1))
    parts = np.split(order, edges[SHELL_PAIRS::SHELL_PAIRS])
    tasks = (RowsTask(shells, wanted, state.rows, pairs[part]) for part in parts)
    for part, values in zip(parts, state.means.executor.map(integrals, tasks), strict=True):
        block[part] = values
    block *= scale[state.rows]
    block *= scale[pairs][:, None]
    state.subtract(block, chosen)
    return block


@dataclass(frozen=True, eq=False, slots=True)
class RowsTask:
    """Which integrals to compute; a stateless task, which can run anywhere."""

    shells: Shells
    """The basis."""
    wanted: NDArray[np.bool_] = field(metadata={"units": "1", "axes": "shell pair"})
    """Shell pairs that have a row."""
    rows: Integers = field(metadata={"units": "1", "axes": "row"})
    """Rows, as pairs of atomic orbitals."""
    pairs: Integers = field(metadata={"units": "1", "axes": "column"})
    """Columns, as pairs of atomic orbitals."""


def integrals(task: RowsTask) -> Array:
    """Return (column|row), shape (columns, rows), Hartree."""
    shells, owner = task.shells, task.shells.owner
    rows, buffer = Rows(shells, task.wanted), np.empty((shells.widest, len(owner)))
    block = np.empty((len(task.pairs), len(task.rows)))
    for shell_pair in np.unique(owner[task.pairs]):
        inside = np.flatnonzero(owner[task.pairs] == shell_pair)
        values = columns(shells, shells.pairs[shell_pair], rows, buffer)
        local = positions(shells.functions(shells.pairs[shell_pair]), task.pairs[inside])
        for member, function in zip(inside, local, strict=True):
            np.take(values[function], task.rows, out=block[member], mode="clip")
    return block
