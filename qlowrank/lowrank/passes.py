# SPDX-License-Identifier: Apache-2.0
"""Passes over many rows of numbers, which may be in memory or in a file.

When one number of a file is asked for, the kernel brings 16 pages around it. Once they have been
used they are let go, so that they do not add up. A pass over narrow columns would bring and let go
the same pages again and again; one over wide columns does so once for each row.
"""

import numpy as np

from qlowrank.checks import Array
from qlowrank.lowrank.threads import Workers, cut, slices
from qlowrank.memory import forget, in_file

COLUMNS = 1024
"""Most columns of a part in memory."""
WIDE = 2**15
"""Most columns of a part in a file: four times what the kernel brings at once."""
ROWS = 256
"""How many rows are read at a time."""


def parts(vectors: Array, narrow: int, team: Workers) -> list[slice]:
    """Cut the columns for threads to share: narrow parts in memory, wide ones in a file.

    Sums may depend on the cut in their last bits.

    Args:
        vectors: Rows of numbers.
        narrow: Most columns of a part in memory.
        team: Threads; in a file each gets as many parts as the others.
    """
    length = vectors.shape[1]
    count = -(-length // narrow)
    if in_file(vectors):
        count = min(count, team.count * -(-length // (team.count * WIDE)))
    return cut(length, count)


def columns_of(vectors: Array, indices: np.ndarray, team: Workers) -> Array:
    """Return a copy of some columns, a few rows at a time, so that a file's pages can go."""
    result = np.empty((len(vectors), len(indices)))

    def work(part: slice) -> None:
        np.take(vectors[part], indices, axis=1, out=result[part], mode="clip")
        forget(vectors)

    team.run(work, slices(len(vectors), ROWS))
    return result


def product(left: Array, vectors: Array, team: Workers) -> Array:
    """Return `left @ vectors`, a block at a time, so that a file's pages can go."""
    result = np.zeros((len(left), vectors.shape[1]))

    def work(part: slice) -> None:
        for rows in slices(len(vectors), ROWS):
            result[:, part] += left[:, rows] @ vectors[rows, part]
            forget(vectors)

    team.run(work, parts(vectors, COLUMNS, team))
    return result


def squared_norms(vectors: Array, team: Workers) -> Array:
    """Return the diagonal of AᵀA, shape (n,)."""
    total = np.zeros(vectors.shape[1])

    def work(part: slice) -> None:
        for rows in slices(len(vectors), ROWS):
            block = vectors[rows, part]
            total[part] += np.einsum("ti,ti->i", block, block)
            forget(vectors)

    team.run(work, parts(vectors, COLUMNS, team))
    return total
