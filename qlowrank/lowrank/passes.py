# SPDX-License-Identifier: Apache-2.0
"""Passes over many rows of numbers, which may be in memory or in a file.

What is read of a file comes by pages, which take memory until they are let go. So a few rows are
gone over at a time, all their columns before the next ones: a pass over narrow columns of all rows
would bring and let go the same pages again and again.
"""

from dataclasses import dataclass, field

import numpy as np

from qlowrank.checks import Array
from qlowrank.lowrank.threads import ALONE, Workers, cut, slices
from qlowrank.memory import forget, in_file

COLUMNS = 1024
"""Most columns of a part in memory."""
WIDE = 2**15
"""Most columns of a part in a file."""
ROWS = 512
"""How many rows are read at a time, at most."""
FEWEST = 16
"""How many rows of a file are read at a time, at least."""


@dataclass(frozen=True, slots=True)
class Passes:
    """Who goes over rows, and how many of them at a time."""

    team: Workers = ALONE
    """Threads that share the columns."""
    pages: float = field(default=np.inf, metadata={"units": "byte"})
    """How much of a file may be in memory at a time, bytes."""

    def parts(self, vectors: Array, narrow: int) -> list[slice]:
        """Cut the columns for threads to share: narrow parts in memory, wide ones in a file.

        Sums may depend on the cut in their last bits.

        Args:
            vectors: Rows of numbers.
            narrow: Most columns of a part in memory.
        """
        length, count = vectors.shape[1], self.team.count
        wanted = -(-length // narrow)
        if in_file(vectors):  # each thread gets as many parts as the others
            wanted = min(wanted, count * -(-length // (count * WIDE)))
        return cut(length, wanted)

    def rows(self, vectors: Array) -> list[slice]:
        """Cut the rows into those that are read at a time: in a file, as few as there is room."""
        most = self.pages // (8 * max(vectors.shape[1], 1)) if in_file(vectors) else ROWS
        return slices(len(vectors), int(min(ROWS, max(FEWEST, most))))

    def columns_of(self, vectors: Array, indices: np.ndarray) -> Array:
        """Return a copy of some columns."""
        result = np.empty((len(vectors), len(indices)))
        each = Passes(self.team, self.pages / self.team.count)  # threads read different rows

        def work(part: slice) -> None:
            np.take(vectors[part], indices, axis=1, out=result[part], mode="clip")
            forget(vectors)

        self.team.run(work, each.rows(vectors))
        return result

    def product(self, left: Array, vectors: Array) -> Array:
        """Return `left @ vectors`."""
        result = np.zeros((len(left), vectors.shape[1]))

        def work(part: slice) -> None:
            self.add(left, vectors, part, result[:, part])

        self.team.run(work, self.parts(vectors, COLUMNS))
        return result

    def add(self, left: Array, vectors: Array, part: slice, target: Array) -> None:
        """Add `left @ vectors[:, part]` to `target`, in place."""
        for rows in self.rows(vectors):
            target += left[:, rows] @ vectors[rows, part]
            forget(vectors)

    def squared_norms(self, vectors: Array) -> Array:
        """Return the diagonal of AᵀA, shape (n,)."""
        total = np.zeros(vectors.shape[1])

        def work(part: slice) -> None:
            for rows in self.rows(vectors):
                block = vectors[rows, part]
                total[part] += np.einsum("ti,ti->i", block, block)
                forget(vectors)

        self.team.run(work, self.parts(vectors, COLUMNS))
        return total
