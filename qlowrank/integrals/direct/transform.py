# SPDX-License-Identifier: Apache-2.0
"""Vectors over pairs of atomic orbitals, turned to the wanted orbitals."""

import numpy as np

from qlowrank.checks import Array
from qlowrank.integrals.direct.budget import Means
from qlowrank.integrals.direct.shells import Integers
from qlowrank.integrals.pairs import pack, pair_index
from qlowrank.lowrank.threads import slices
from qlowrank.memory import forget

VECTORS = 16
"""How many vectors a thread takes at a time."""
ORBITALS = 64
"""How many rows of a vector are made at a time."""
SPARE = 1 / 8
"""Where room does not suffice, it is enlarged by this share at least."""
COPIED = 128
"""How many vectors are copied at a time."""


class Transformed:
    r"""Vectors :math:`L^t_{pq} = \sum_{\mu\nu} C_{\mu p} L^t_{\mu\nu} C_{\nu q}`, packed.

    They are transformed while threads would wait for something else. Those of large pivots and
    those of small ones are kept apart: the first fill an array from its front, the others from its
    back. The room between them takes no memory.
    """

    def __init__(
        self, rows: Integers, orbitals: Array, large: float, expected: int, means: Means
    ) -> None:
        """Prepare for vectors on some rows.

        Args:
            rows: The rows, as pairs of atomic orbitals; all others are zero.
            orbitals: C, shape (nao, norb).
            large: From which size on a vector is a large one.
            expected: How many vectors there is room for at first; more may come.
            means: Memory and threads.
        """
        nao, norb = orbitals.shape
        place = np.full(nao * (nao + 1) // 2, len(rows))  # one more, which is zero
        place[rows] = np.arange(len(rows))
        self._index = place[pair_index(nao)]
        self._width, self._orbitals, self._means = len(rows), orbitals, means
        self._least, self._large, self._small = large, 0, 0
        self._array = means.array(expected, norb * (norb + 1) // 2)

    @property
    def large(self) -> Array:
        """Those of large pivots once all are done, first come first, (n, npair), Hartree^½."""
        self._means.team.finish()
        return self._array[: self._large]

    @property
    def small(self) -> Array:
        """All others once all are done, last come first, (n, npair), Hartree^½."""
        self._means.team.finish()
        return self._array[len(self._array) - self._small :]

    def take(self, vectors: Array, sizes: Array) -> None:
        """Have some vectors transformed.

        Args:
            vectors: L on the rows, Hartree^½; read later, so they must stay as they are.
            sizes: What they are told apart by, shape (n,).
        """
        self._make_room(len(sizes))
        large = sizes >= self._least
        many, others = int(np.count_nonzero(large)), int(np.count_nonzero(~large))
        places = np.empty(len(sizes), dtype=np.int64)
        places[large] = self._large + np.arange(many)
        places[~large] = len(self._array) - self._small - 1 - np.arange(others)
        self._large += many
        self._small += others
        target = self._array

        def work(part: slice) -> None:
            target[places[part]] = self._turned(vectors[part])
            forget(vectors)
            forget(target)

        size = self._means.vectors_at_a_time(len(self._index), VECTORS)
        self._means.team.later(work, slices(len(vectors), size))

    def _turned(self, vectors: Array) -> Array:
        """Return some vectors in the wanted orbitals."""
        padded = np.zeros((len(vectors), self._width + 1))
        padded[:, :-1] = vectors
        nao, norb = self._orbitals.shape
        square = np.take(padded, self._index, axis=1, mode="clip")
        half = (square.reshape(-1, nao) @ self._orbitals).reshape(-1, nao, norb)
        whole = np.empty((len(vectors), norb, norb))
        for rows in slices(norb, ORBITALS):  # what is right of them is not needed
            left = self._orbitals.T[rows]
            np.matmul(left, half[..., : rows.stop], out=whole[:, rows, : rows.stop])
        return pack(whole)

    def _make_room(self, count: int) -> None:
        """Have room for so many more vectors."""
        most = self._large + self._small + count
        if most <= len(self._array):
            return
        large, small = self.large, self.small
        grown = self._means.array(most + int(SPARE * most), self._array.shape[1])
        for known, place in ((large, grown), (small, grown[len(grown) - len(small) :])):
            for part in slices(len(known), COPIED):
                place[part] = known[part]
                forget(known)
                forget(grown)
        self._array = grown
