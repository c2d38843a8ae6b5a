# SPDX-License-Identifier: Apache-2.0
"""Drop the rotations at the end of a network that a measurement does not see."""

from math import pi

import numpy as np
from numpy.typing import NDArray

from qlowrank.circuits.network import GivensNetwork, network_in_layers


def trimmed(network: GivensNetwork, needed_modes: NDArray[np.bool_]) -> GivensNetwork:
    """Drop last rotations between free modes, and last swaps, until none is left.

    A swap (angle ±π/2) that nothing follows renames two modes, and a rotation of two modes whose
    occupation numbers nobody asks for does nothing that is seen.

    Args:
        network: Rotations in any order that its matrix allows.
        needed_modes: Mask of the modes that are read, shape (norb,).

    Returns:
        The shorter network, signs left out. What is read may have moved to neighbouring modes.

    >>> network = GivensNetwork(modes=[1, 0, 2], angles=[0.3, pi / 2, 0.1], signs=np.ones(4))
    >>> trimmed(network, np.array([True, False, False, False]))
    GivensNetwork(norb=4, rotations=1, depth=1)
    """
    needed = needed_modes.tolist()
    followed = [False] * network.norb
    kept: list[tuple[int, float]] = []
    rotations = zip(network.modes.tolist(), network.angles.tolist(), strict=True)
    for mode, angle in reversed(list(rotations)):
        other = mode + 1
        if not (followed[mode] or followed[other]):
            if not (needed[mode] or needed[other]):
                continue
            if abs(angle) == pi / 2:
                needed[mode], needed[other] = needed[other], needed[mode]
                continue
        followed[mode] = followed[other] = True
        kept.append((mode, angle))
    return network_in_layers(kept[::-1], np.ones(network.norb))
