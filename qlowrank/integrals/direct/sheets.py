# SPDX-License-Identifier: Apache-2.0
"""Factors as symmetric matrices, filled from batches of packed rows."""

import numpy as np

from qlowrank.checks import Array
from qlowrank.integrals.direct.budget import Means
from qlowrank.integrals.pairs import pair_index
from qlowrank.lowrank.threads import slices
from qlowrank.memory import forget

ROWS = 16
"""How many rows a thread unpacks at a time."""


class Sheets:
    """A stack of symmetric matrices, of which only as many as come take memory."""

    def __init__(self, means: Means, most: int, norb: int) -> None:
        self._array, self._team = means.array(most, norb, norb), means.team
        self._index = pair_index(norb)
        self._rank = 0
        self.squares = 0.0

    def take(self, rows: Array) -> None:
        """Unpack a batch of rows."""
        target = self._array[self._rank : self._rank + len(rows)]

        def work(part: slice) -> float:
            np.take(rows[part], self._index, axis=1, out=target[part], mode="clip")
            return float(np.vdot(target[part], target[part]))

        self.squares += sum(self._team.map(work, slices(len(rows), ROWS)))
        forget(self._array)
        forget(rows)
        self._rank += len(rows)

    @property
    def filled(self) -> Array:
        """What has come so far, shape (rank, norb, norb)."""
        return self._array[: self._rank]
