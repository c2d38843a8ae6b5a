# SPDX-License-Identifier: Apache-2.0
"""How many vectors a threshold takes, as seen in molecules. No result depends on it."""

import numpy as np

PIVOTS = 1.3
"""Pivots in atomic orbitals for each vector that the same threshold takes in molecular ones."""


def vectors_expected(norb: int, threshold: float) -> int:
    """Vectors that molecular orbitals take: two for each, and three more for two decimals.

    >>> vectors_expected(100, 1e-6)
    1100
    """
    pairs = norb * (norb + 1) // 2
    return int(min(pairs, norb * max(2.0 - 1.5 * np.log10(threshold), 1.0)))


def pivots_expected(nao: int, threshold: float) -> int:
    """Vectors that atomic orbitals take, rather too many.

    >>> pivots_expected(100, 1e-6)
    1430
    """
    return int(min(PIVOTS * vectors_expected(nao, threshold), nao * (nao + 1) // 2))
