# SPDX-License-Identifier: Apache-2.0
"""Vectors over pairs of atomic orbitals, turned to the wanted orbitals."""

from collections.abc import Sequence

import numpy as np

from qlowrank.checks import Array
from qlowrank.integrals.direct.budget import Means
from qlowrank.integrals.direct.shells import Integers
from qlowrank.integrals.pairs import pack, pair_index
from qlowrank.lowrank.threads import slices
from qlowrank.memory import forget

VECTORS = 16
"""How many vectors a thread takes at a time."""
SPARE = 1 / 8
"""Room for more vectors, as a share of those that came first; lowering a threshold takes less."""
COPIED = 128
"""How many vectors are copied at a time."""


class Transformed:
    r"""Vectors :math:`L^t_{pq} = \sum_{\mu\nu} C_{\mu p} L^t_{\mu\nu} C_{\nu q}`, packed.

    There is room for some more than have come: room that is not used takes no memory.
    """

    def __init__(self, rows: Integers, orbitals: Array, means: Means) -> None:
        """Prepare for vectors on some rows.

        Args:
            rows: The rows, as pairs of atomic orbitals; all others are zero.
            orbitals: C, shape (nao, norb).
            means: Memory and threads.
        """
        nao, norb = orbitals.shape
        place = np.full(nao * (nao + 1) // 2, len(rows))  # one more, which is zero
        place[rows] = np.arange(len(rows))
        self._index = place[pair_index(nao)]
        self._width, self._orbitals, self._means = len(rows), orbitals, means
        self._array = np.empty((0, norb * (norb + 1) // 2))
        self._count = 0

    @property
    def filled(self) -> Array:
        """What has come so far, shape (rank, npair), Hartree^½."""
        return self._array[: self._count]

    def take(self, vectors: Sequence[Array], places: Integers) -> None:
        """Transform the vectors that have not come yet.

        Args:
            vectors: L, stacks of all vectors on the rows, Hartree^½.
            places: Where each of the new ones goes among them, a permutation.
        """
        known, target = self._count, self._room(len(places))
        size, start = self._means.vectors_at_a_time(len(self._index), VECTORS), 0
        for stack in vectors:
            new = stack[max(known - start, 0) :]
            first = max(start - known, 0)
            where = places[first : first + len(new)]

            def work(part: slice, new: Array = new, where: Integers = where) -> None:
                target[where[part]] = self._turned(new[part])
                forget(new)
                forget(target)

            self._means.team.run(work, slices(len(new), size))
            start += len(stack)

    def _turned(self, vectors: Array) -> Array:
        """Return some vectors in the wanted orbitals."""
        padded = np.zeros((len(vectors), self._width + 1))
        padded[:, :-1] = vectors
        nao, norb = self._orbitals.shape
        square = np.take(padded, self._index, axis=1, mode="clip")
        half = square.reshape(-1, nao) @ self._orbitals
        return pack(self._orbitals.T @ half.reshape(-1, nao, norb))

    def _room(self, count: int) -> Array:
        """Return the place of the next vectors, and take them for come."""
        start, self._count = self._count, self._count + count
        if self._count > len(self._array):
            room = self._count + int(SPARE * self._count)
            grown = self._means.array(room, self._array.shape[1])
            for part in slices(start, COPIED):
                grown[part] = self._array[part]
                forget(self._array)
                forget(grown)
            self._array = grown
        return self._array[start : self._count]
