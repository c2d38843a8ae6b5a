# SPDX-License-Identifier: Apache-2.0
"""All pairs of several, dealt out so that disjoint ones come together."""

import numpy as np


def tournament(size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return rounds of disjoint pairs in which everyone meets everyone else once.

    The circle method: one stays, the others move on by a place; with an odd number, one pauses.

    >>> [[first.tolist(), second.tolist()] for first, second in tournament(4)]
    [[[0, 1], [3, 2]], [[0, 3], [2, 1]], [[0, 2], [1, 3]]]
    """
    seats = np.arange(size + size % 2)
    rounds = []
    for _ in range(len(seats) - 1):
        first, second = seats[: len(seats) // 2], seats[::-1][: len(seats) // 2]
        playing = (first < size) & (second < size)
        rounds.append((first[playing], second[playing]))
        seats = np.concatenate([seats[:1], np.roll(seats[1:], 1)])
    return rounds
