# SPDX-License-Identifier: Apache-2.0
"""Vectors that come a few at a time, in as few and as large arrays as may be."""

from qlowrank.checks import Array
from qlowrank.integrals.direct.budget import Means
from qlowrank.integrals.direct.shells import Integers

LEAST = 512
"""Vectors that one array has room for, at least; room that is not used costs none."""
COLUMNS = 512
"""Most columns of a part in memory."""


class Stack:
    """Rows of one length in arrays of many rows, each filled before the next is begun.

    Where the arrays are (in memory, in scratch files, in a checkpoint) changes sums in their last
    bits only.
    """

    def __init__(self, means: Means, length: int) -> None:
        self._means, self._length = means, length
        self._arrays: list[Array] = []
        self._filled: list[int] = []

    def __len__(self) -> int:
        """Count rows."""
        return sum(self._filled)

    @property
    def blocks(self) -> list[Array]:
        """The rows so far."""
        pairs = zip(self._arrays, self._filled, strict=True)
        return [array[:filled] for array, filled in pairs if filled]

    def room(self, count: int) -> Array:
        """Return the place of the next rows."""
        if not self._arrays or self._filled[-1] + count > len(self._arrays[-1]):
            self._arrays.append(self._array(max(count, LEAST)))
            self._filled.append(0)
        filled = self._filled[-1]
        return self._arrays[-1][filled : filled + count]

    def append(self, count: int) -> None:
        """Take in the rows that have been written to the last `room`."""
        self._filled[-1] += count

    @property
    def parts(self) -> list[slice]:
        """The columns, cut for threads to share."""
        return self._means.passes.parts(self._arrays[-1], COLUMNS)

    def at(self, columns: Integers) -> list[Array]:
        """Return some columns of each block."""
        return [self._means.passes.columns_of(block, columns) for block in self.blocks]

    def add(self, factors: list[Array], part: slice, target: Array) -> None:
        """Add `Σ factor @ block[:, part]` to `target`, in place."""
        for left, block in zip(factors, self.blocks, strict=True):
            self._means.passes.add(left, block, part, target)

    def _array(self, rows: int) -> Array:
        """Return a new array: in a checkpoint, in memory, or in a scratch file."""
        if self._means.checkpoint is not None:
            return self._means.checkpoint.array(len(self._arrays), (rows, self._length))
        held = 8.0 * self._length * sum(map(len, self._arrays))
        return self._means.array(rows, self._length, held=held)
