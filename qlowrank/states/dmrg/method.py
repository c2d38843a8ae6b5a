# SPDX-License-Identifier: Apache-2.0
"""The schedule of a DMRG calculation: bond dimensions, noise, and when to stop."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from qlowrank import checks
from qlowrank.checks import InputError, NotConvergedError
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank import Progress
from qlowrank.mps.record import MPS
from qlowrank.states.dmrg.read import mps_from_blocks
from qlowrank.states.dmrg.record import Blocks, Convergence, Integrals, Settings
from qlowrank.states.dmrg.session import Session, session

Opened = Callable[[Integrals, Settings], AbstractContextManager[Session]]

NOISES = (1e-4, 1e-5, 1e-6)
"""Perturbative noise of the first sweeps at the smallest bond dimension."""

SETTLING = (1e-6, 0.0)
"""Noise of the first sweeps after the bond dimension has grown."""


@dataclass(frozen=True, eq=False)
class Solution:
    """What a DMRG calculation ends with."""

    mps: MPS
    """The state, normalised."""
    energy: float
    """Its expectation value of the Hamiltonian, Hartree."""
    convergence: Convergence
    """How it came about."""


@dataclass(frozen=True, slots=True)
class Block2DMRG:
    """Two-site DMRG by block2, for states that no CI vector could hold.

    The bond dimension doubles from stage to stage up to the one asked for. A stage begins with
    noise, so that no symmetry of the start traps it, and goes on without until two sweeps agree.
    block2 runs in a process and a temporary folder of its own and conserves n_alpha and n_beta. An
    interrupt (Ctrl-C) keeps the last finished sweep, and so does a failure of block2 or of its
    scratch folder after one.

    Source:
        H. Zhai et al., J. Chem. Phys. 159, 234801 (2023) (block2); needs
        ``pip install 'qlowrank[dmrg]'``.
    """

    stages: int = 3
    """Bond dimensions to converge one after the other, each twice the one before."""
    tolerance: float = 1e-7
    """Change of the energy between sweeps below which a stage is done, Hartree."""
    max_sweeps: int = 30
    """Most sweeps of a stage."""
    seed: int = 7
    """Of the random state it starts from."""
    threads: int = 1
    """Threads of block2; with more than one, sums are not the same to the last bit."""
    memory: int = 2_000_000_000
    """Bytes of block2's stack, which holds what a step works on."""
    scratch: str = ""
    """Folder for its files; empty for the system's place for temporary files."""

    def __post_init__(self) -> None:
        for name in ("stages", "max_sweeps", "threads", "memory"):
            if checks.whole(name, getattr(self, name)) < 1:
                raise InputError(f"{name} must be at least 1; got {getattr(self, name)}.")
        checks.positive("tolerance", self.tolerance)

    def bond_dimensions(self, max_bond: int) -> list[int]:
        """Return the bond dimensions of the stages, ending with `max_bond`.

        >>> Block2DMRG(stages=3).bond_dimensions(100)
        [25, 50, 100]
        """
        halved = [max(1, max_bond // 2**k) for k in range(self.stages)]
        return sorted(set(halved))

    def __call__(
        self, hamiltonian: Hamiltonian, max_bond: int, progress: Progress | None = None
    ) -> Solution:
        """Return the lowest state with at most `max_bond` states at each bond.

        Args:
            hamiltonian: In the orbitals of the sites, in their order.
            max_bond: Largest bond dimension.
            progress: Called after each sweep.

        Raises:
            InputError: block2 is not installed, the scratch folder cannot be used, or the integrals
                do not fit in memory.
            OSError: The scratch folder was full before the first sweep was over.
            NotConvergedError: block2 failed for another reason before that.
            KeyboardInterrupt: Interrupted before that.
        """
        integrals = Integrals(
            one_body=hamiltonian.normal_ordered_one_body(),
            two_body=hamiltonian.two_body(),
            constant=hamiltonian.constant,
            nelec=hamiltonian.nelec,
        )
        return self.solve(integrals, max_bond, progress=progress)

    def solve(
        self,
        integrals: Integrals,
        max_bond: int,
        *,
        progress: Progress | None = None,
        opened: Opened = session,
    ) -> Solution:
        """Do the same for integrals as arrays.

        Args:
            integrals: The Hamiltonian in the orbitals of the sites.
            max_bond: Largest bond dimension.
            progress: Called after each sweep.
            opened: Opens a session; block2's unless a test brings its own.
        """
        bonds = self.bond_dimensions(max_bond)
        log = Log(progress, len(bonds) * self.max_sweeps)
        settings = Settings(bonds[0], self.seed, self.threads, self.memory, self.scratch)
        best = Blocks(np.zeros((0, 8), dtype=np.int64), np.zeros(0), 0)
        energy = 0.0
        try:
            with opened(integrals, settings) as running:
                for stage, bond in enumerate(bonds):
                    log.begin(bond)
                    noises = NOISES if stage == 0 else SETTLING
                    while not log.rests(self.tolerance, len(noises)):
                        if log.sweeps[-1] == self.max_sweeps:
                            log.status = "not converged"
                            break
                        noise = noises[log.sweeps[-1]] if log.sweeps[-1] < len(noises) else 0.0
                        log.add(*running.sweep(bond, noise, _threshold(noise, self.tolerance)))
                        best, energy = running.state()
        except (KeyboardInterrupt, OSError, NotConvergedError) as error:
            if not len(best.table):
                raise
            interrupted = isinstance(error, KeyboardInterrupt)
            log.status = "interrupted" if interrupted else f"stopped: {error}"
        return Solution(mps_from_blocks(best), energy, log.convergence())


def _threshold(noise: float, tolerance: float) -> float:
    """Squared residual at which the eigensolver of a step stops: coarse while there is noise."""
    return max(noise * 0.1, 1e-12) if noise else min(1e-9, tolerance * 0.01)


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
