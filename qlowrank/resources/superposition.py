# SPDX-License-Identifier: Apache-2.0
"""Equal superpositions over a number of items that is no power of two."""

import numpy as np
from numpy.lib.scimath import arccos, arcsin

from qlowrank.resources.qrom import index_bits

CANDIDATES = 20
"""How many numbers of bits are tried."""


def rotation_bits(items: float, log2_size: float, step_toffoli: float, *, fewest: int = 1) -> int:
    r"""Bits of the angle that one round of amplitude amplification rotates its ancilla by.

    .. math::
        \min_b \; s \left( \frac{1}{\sin^2\!\big(3 \arcsin(a \cos\tfrac{2 \pi v}{2^b})\big)} - 1
        \right) + 4 b, \qquad
        a = \frac{\sqrt{d}}{2^n}, \quad
        v = \operatorname{round}\!\Big(\frac{2^b}{2\pi} \arccos \frac{1}{2 a}\Big)

    More bits cost 4 Toffoli each; fewer make the superposition fail more often, and each failure
    costs a step. Where 1/(2a) is above one, the published programs continue the functions into the
    complex plane and take the real part. So does this, to give their numbers.

    Args:
        items: d, how many basis states share the superposition, its factors of two taken out.
        log2_size: n, where the register has room for 2^n amplitudes in these formulas.
        step_toffoli: s, what a step of the walk costs.
        fewest: Fewest bits tried.

    Source:
        J. Lee et al., PRX Quantum 2, 030305 (2021), below Eq. (27) and appendices A to C.
    """
    size, root = np.power(2.0, log2_size), np.sqrt(items)
    costs = []
    for bits in range(fewest, fewest + CANDIDATES):
        turn = np.power(2, bits)
        step = np.round(turn / (2 * np.pi) * arccos(size / root / 2))
        reached = arcsin(np.cos(step * 2 * np.pi / turn) * root / size)
        with np.errstate(divide="ignore"):
            failure = 1 / np.sin(3 * reached) ** 2 - 1
        costs.append(np.real(step_toffoli * failure + 4 * bits))
    return fewest + int(np.argmin(costs))


def leaf_rotation_bits(items: int, twos: int, step_toffoli: float) -> int:
    """Bits for the superposition over `items` leaves, of which 2^twos is a factor."""
    return rotation_bits(items / 2**twos, index_bits(items), step_toffoli)
