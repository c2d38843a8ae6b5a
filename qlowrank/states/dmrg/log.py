# SPDX-License-Identifier: Apache-2.0
"""What a DMRG calculation has come to so far."""

from dataclasses import dataclass, field

import numpy as np

from qlowrank.lowrank import Progress
from qlowrank.states.dmrg.record import Blocks, Convergence


def _none() -> Blocks:
    """No tensors."""
    return Blocks(np.zeros((0, 8), dtype=np.int64), np.zeros(0), 0)


@dataclass(slots=True)
class Best:
    """The state of the last finished sweep."""

    blocks: Blocks = field(default_factory=_none)
    """Its tensors; none before there was a sweep."""
    energy: float = np.inf
    """Hartree."""


class Log:
    """What each sweep gave, stage by stage."""

    def __init__(self, progress: Progress | None, most: int) -> None:
        self._progress = progress
        self._most = most
        self.status = "converged"
        self.bonds: list[int] = []
        self.sweeps: list[int] = []
        self.energies: list[list[float]] = []
        self.weights: list[float] = []

    def restart(self) -> None:
        """Forget what an earlier start has led to."""
        self.status = "converged"
        for found in (self.bonds, self.sweeps, self.energies, self.weights):
            found.clear()

    def begin(self, bond: int) -> None:
        """Begin a stage."""
        self.bonds.append(bond)
        self.sweeps.append(0)
        self.energies.append([])
        self.weights.append(0.0)

    def add(self, energy: float, weight: float) -> None:
        """Add a sweep."""
        self.sweeps[-1] += 1
        self.energies[-1].append(energy)
        self.weights[-1] = weight
        if self._progress is not None:
            self._progress(f"DMRG sweeps, bond {self.bonds[-1]}", sum(self.sweeps), self._most)

    def rests(self, tolerance: float, noisy: int) -> bool:
        """Whether the last two sweeps were without noise and agree."""
        energies = self.energies[-1]
        if len(energies) < noisy + 1:
            return False
        return abs(energies[-1] - energies[-2]) < tolerance

    def convergence(self) -> Convergence:
        """Return the record; a stage without a finished sweep is left out."""
        kept = [stage for stage, count in enumerate(self.sweeps) if count]
        return Convergence(
            bond_dimensions=np.array([self.bonds[k] for k in kept]),
            energies=np.array([self.energies[k][-1] for k in kept]),
            discarded_weights=np.array([self.weights[k] for k in kept]),
            sweeps=np.array([self.sweeps[k] for k in kept]),
            status=self.status,
        )
