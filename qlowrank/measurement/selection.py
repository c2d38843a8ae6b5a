# SPDX-License-Identifier: Apache-2.0
"""Which shots count: all of them, or those with the right numbers of electrons."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


class ShotSelection(Protocol):
    """A frozen object that says which outcomes count."""

    @property
    def name(self) -> str:
        """Name to report."""
        ...

    def __call__(self, right: Mask) -> Mask:
        """Return which outcomes count, given which have the right numbers of electrons."""
        ...


@dataclass(frozen=True, slots=True)
class AllShots:
    """Every shot counts: unbiased where the device is, biased by all of its errors else."""

    @property
    def name(self) -> str:
        """Name to report."""
        return "all"

    def __call__(self, right: Mask) -> Mask:
        """Return that all count."""
        return np.ones_like(right)


@dataclass(frozen=True, slots=True)
class PostSelected:
    """Only shots with the plan's numbers of alpha and of beta electrons count.

    Rotations of orbitals conserve both numbers, so every shot of every group shows them: the bits
    of each spin add up to its electrons, also where single bits mean nothing (orbitals that a group
    does not depend on). Each number is checked by itself, which checks the spin projection
    (n_alpha − n_beta) / 2; the total spin S² is not seen.

    What it removes: errors that change a number, above all single readout errors, relaxation, and
    bit flips before or inside the rotation. What it leaves: errors that keep both numbers, which
    are phase errors, wrong angles, an exchange of an electron between two orbitals, and pairs of
    flips that cancel, such as two readout errors in one spin. It also favours outcomes that the
    device disturbs less. So the mean of what is kept is not free of bias, only of that part. The
    estimate says by how much the selection moved the energy, which measures what was removed and
    says nothing about what was left. Without noise it removes nothing and changes nothing.

    Source:
        W. J. Huggins et al., npj Quantum Information 7, 23 (2021), arXiv:1907.13117.
    """

    @property
    def name(self) -> str:
        """Name to report."""
        return "post-selected"

    def __call__(self, right: Mask) -> Mask:
        """Return that those with the right numbers count."""
        return right
