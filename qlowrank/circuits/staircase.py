# SPDX-License-Identifier: Apache-2.0
"""Mix columns whose space alone matters, so that as many of their elements as can be are zero."""

import numpy as np

from qlowrank.checks import Array
from qlowrank.circuits.elimination import NEGLIGIBLE


def staircase(columns: Array) -> Array:
    """Mix orthonormal columns by reflections so that each ends higher than the next.

    .. code-block:: text

        x x x      the zeros below the stair are as many as a mixture can make;
        x x x      the space of the columns stays the same
        x x x
        0 x x
        0 0 x

    Args:
        columns: Shape (norb, n), orthonormal.

    Returns:
        An orthonormal basis of the same space, shape (norb, n), exactly zero below the stair.

    >>> abs(staircase(np.array([[0.0, 1.0], [0.6, 0.0], [0.8, 0.0]]))).round(2)
    array([[1. , 0. ],
           [0. , 0.6],
           [0. , 0.8]])
    """
    mixed = np.array(columns)
    left = mixed.shape[1]
    for row in reversed(range(len(mixed))):
        size = float(np.linalg.norm(mixed[row, :left]))
        if left and size > NEGLIGIBLE:
            mirror = mixed[row, :left].copy()
            mirror[-1] += np.copysign(size, mirror[-1])
            mirror /= np.linalg.norm(mirror)
            mixed[:, :left] -= 2 * np.outer(mixed[:, :left] @ mirror, mirror)
            left -= 1
        mixed[row, :left] = 0.0
    return mixed
