# SPDX-License-Identifier: Apache-2.0
"""Vectors over pairs of atomic orbitals, turned to the wanted orbitals."""

from collections.abc import Sequence

import numpy as np

from qlowrank.checks import Array, forget
from qlowrank.integrals.direct.budget import Means
from qlowrank.integrals.direct.shells import Integers
from qlowrank.integrals.pairs import pack, pair_index
from qlowrank.lowrank.threads import slices

VECTORS = 16
"""How many vectors a thread takes at a time."""
COPIED = 128
"""How many vectors are copied at a time."""


def transformed(
    vectors: Sequence[Array],
    places: Integers,
    rows: Integers,
    orbitals: Array,
    means: Means,
    known: Array,
) -> Array:
    r"""Return :math:`L^t_{pq} = \sum_{\mu\nu} C_{\mu p} L^t_{\mu\nu} C_{\nu q}`, (rank, npair).

    Args:
        vectors: L, stacks of vectors on some rows, Hartree^½.
        places: Where each vector goes in the result, a permutation.
        rows: The rows, as pairs of atomic orbitals; all others are zero.
        orbitals: C, shape (nao, norb).
        means: Memory and threads.
        known: The first of the results, where they were computed before from as many of the first
            vectors, shape (n, npair).
    """
    nao, norb = orbitals.shape
    place = np.full(nao * (nao + 1) // 2, len(rows))  # one more, which is zero
    place[rows] = np.arange(len(rows))
    index = place[pair_index(nao)]
    result = means.array(len(places), norb * (norb + 1) // 2)
    for part in slices(len(known), COPIED):
        result[part] = known[part]
        forget(known)
        forget(result)
    size, start = means.vectors_at_a_time(nao, VECTORS), 0
    for stack in vectors:
        missing = stack[max(len(known) - start, 0) :]
        where = places[start + len(stack) - len(missing) : start + len(stack)]

        def work(part: slice, missing: Array = missing, where: Integers = where) -> None:
            padded = np.zeros((part.stop - part.start, len(rows) + 1))
            padded[:, :-1] = missing[part]
            square = np.take(padded, index, axis=1, mode="clip")
            half = square.reshape(-1, nao) @ orbitals
            result[where[part]] = pack(orbitals.T @ half.reshape(-1, nao, norb))
            forget(missing)
            forget(result)

        means.team.run(work, slices(len(missing), size))
        start += len(stack)
    return result
