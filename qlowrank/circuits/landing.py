# SPDX-License-Identifier: Apache-2.0
"""Where the needed columns of a frame land: orthogonal matrices that hold them, in any order.

A measurement that needs some columns only leaves the others free: any orthogonal completion will
do, and each column may land on any mode. Each function here is one way to use that freedom; the
Givens network of the result costs what the way is worth.
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse.csgraph import connected_components

from qlowrank.checks import Array
from qlowrank.circuits.elimination import NEGLIGIBLE, clear
from qlowrank.circuits.network import Indices, network_in_layers
from qlowrank.circuits.staircase import staircase


def landings(frame: Array, needed: np.ndarray) -> Iterator[Array]:
    """Yield orthogonal matrices with the needed columns of `frame` among their own.

    The frame as it is comes first, the generic optima second: needed columns last, which is never
    more than r (norb - r) + r (r - 1) / 2 rotations for r needed columns, and needed columns in
    the middle, which is as many and about half as deep for small r. For frames with zeros, two
    ways to use them follow.

    Args:
        frame: Shape (norb, norb), orthogonal.
        needed: Mask of the needed columns, shape (norb,).
    """
    columns, n_free = frame[:, needed], int((~needed).sum())
    yield frame
    if n_free:
        last = landed_at(columns, frame[:, ~needed], n_free)
        yield last
        yield landed_at(columns, frame[:, ~needed], min(len(frame) // 2, n_free))
    else:
        last = frame
    if (np.abs(columns) <= NEGLIGIBLE).any():
        yield sorted_by_block(last)
        yield gathered(columns)


def landed_at(columns: Array, free: Array, position: int) -> Array:
    """Put needed columns on neighbouring modes from `position`, and mix the free ones to zeros.

    .. code-block:: text

        f f n n 0 0      n needed, f and x free: mixtures of the free columns have
        f f n n 0 0      as many zeros as they have pairs, and each zero saves a
        f f n n x 0      rotation; x is cut from the top, f from the bottom
        f f n n x x
        f f n n x x
        0 f n n x x

    Args:
        columns: Needed columns, shape (norb, r).
        free: Their orthogonal complement, shape (norb, norb - r).
        position: Mode of the first needed column, 0 to norb - r.
    """
    from_top = staircase(free[::-1])[::-1, ::-1]
    left, right = from_top[:, :position], from_top[:, position:]
    return np.hstack([staircase(left), columns, right])


def sorted_by_block(matrix: Array) -> Array:
    """Order the columns by the mean row of their block, where blocks share no rows.

    Point-group symmetry makes such blocks, scattered over the rows. Columns of one block then land
    side by side, and lines of different blocks cross at most once.
    """
    touches = (np.abs(matrix) > NEGLIGIBLE).astype(np.int64)
    n_blocks, block_of_row = connected_components(touches @ touches.T, directed=False)
    rows = np.arange(len(matrix))
    mean_row = np.array([rows[block_of_row == block].mean() for block in range(n_blocks)])
    block_of_column = block_of_row[touches.argmax(axis=0)]
    return matrix[:, np.lexsort((block_of_column, mean_row[block_of_column]))]


def gathered(columns: Array) -> Array:
    """Rotate the needed columns one by one, shortest first, onto the first or last of their rows.

    A column that spans `extent` neighbouring rows takes `extent - 1` rotations, zeros inside
    included. Of columns equally short, and of the two ends, those are taken that leave the other
    columns shortest. What the rotations make of the other modes is the completion.

    Args:
        columns: Needed columns, shape (norb, r), orthonormal.
    """
    waiting = np.where(np.abs(columns) > NEGLIGIBLE, columns, 0.0)
    norb = len(waiting)
    rotations: list[tuple[int, float]] = []
    while waiting.shape[1]:
        first, last = _spans(waiting)
        extents = last - first
        shortest = np.flatnonzero(extents == extents.min())
        if extents.min() == 0:  # these have arrived
            shortest = shortest[:1]
        options = [
            _gather(waiting, int(column), (int(first[column]), int(last[column])), int(end))
            for column in shortest
            for end in np.unique([first[column], last[column]])
        ]
        waiting, taken = min(options, key=_total_extent)
        rotations += taken
    matrix = network_in_layers(rotations, np.ones(norb)).matrix()
    return np.where(np.abs(matrix) > NEGLIGIBLE, matrix, 0.0)


def _gather(
    columns: Array, column: int, span: tuple[int, int], end: int
) -> tuple[Array, list[tuple[int, float]]]:
    """Rotate one column onto row `end` of its span; return the others after it, and how."""
    rest, rotations = columns.copy(), []
    for row in range(span[1], end, -1):
        rotations += clear(rest, row, against=row - 1, column=column)
    for row in range(span[0], end):
        rotations += clear(rest, row, against=row + 1, column=column)
    rest[end] = 0.0  # by orthogonality; rounding must not make a column longer
    return np.delete(rest, column, axis=1), rotations


def _total_extent(option: tuple[Array, list[tuple[int, float]]]) -> int:
    """Sum of the spans of the columns that an option leaves."""
    first, last = _spans(option[0])
    return int((last - first).sum())


def _spans(columns: Array) -> tuple[Indices, Indices]:
    """First and last row of each column that is not zero."""
    filled = np.abs(columns) > NEGLIGIBLE
    return filled.argmax(axis=0), len(filled) - 1 - filled[::-1].argmax(axis=0)
