# SPDX-License-Identifier: Apache-2.0
"""The schedule of a DMRG calculation: bond dimensions, noise, and when to stop."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError, NotConvergedError
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank import Progress
from qlowrank.mps.record import MPS
from qlowrank.states.dmrg.log import Best, Log
from qlowrank.states.dmrg.read import mps_from_blocks
from qlowrank.states.dmrg.record import Convergence, Integrals, Settings, Trial
from qlowrank.states.dmrg.session import Session, session
from qlowrank.states.sites import in_orbitals
from qlowrank.states.solve import lowest_determinant

Opened = Callable[[Integrals, Settings], AbstractContextManager[Session]]

NOISES = (1e-4, 1e-5, 1e-6)
"""Perturbative noise of the first sweeps at the smallest bond dimension."""

NEGLIGIBLE = 1e-6
"""Hartree by which integrals that are left out may move an energy at most."""

SMALLEST = 20
"""Least bond dimension of a start; with few states block2 may leave a bond without any."""

SPREADS = (0.3, 0.6, 1.0)
"""How far the occupations of the first, the second and further starts are moved towards one."""

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
    noise and goes on without until two sweeps agree. The start is random, with numbers of electrons
    near those of the Hartree-Fock determinant: noise respects the symmetries of a molecule's
    orbitals, and from a start far away a sweep may keep nothing but the sector of an excited state.
    A first stage that ends above the determinant's energy begins again from another start.
    block2 runs in a process and a temporary folder of its own and conserves n_alpha and n_beta. An
    interrupt (Ctrl-C) keeps the last finished sweep, and so does a failure of block2 or of its
    scratch folder after one.

    Where most orbitals are far apart, sweeps work with an operator whose tensors are compressed by
    singular values; what that changes in the state moves its energy in second order only. The
    state's energy is that of the whole operator.

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
    starts: int = 3
    """Most random states to try where the first stage ends above the Hartree-Fock energy."""
    threads: int = 1
    """Threads of block2; with more than one, sums are not the same to the last bit."""
    memory: int = 2_000_000_000
    """Bytes of block2's stack, which holds what a step works on."""
    scratch: str = ""
    """Folder for its files; empty for the system's place for temporary files."""

    def __post_init__(self) -> None:
        for name in ("stages", "max_sweeps", "starts", "threads", "memory"):
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
        self,
        hamiltonian: Hamiltonian,
        max_bond: int,
        progress: Progress | None = None,
        sites: Array | None = None,
    ) -> Solution:
        """Return the lowest state with at most `max_bond` states at each bond.

        Two-electron integrals that together change no state's energy by ten times `tolerance` (or
        1e-6 Hartree), as proven, are left out; those between distant orbitals are what makes
        block2's operator large.

        Args:
            hamiltonian: The operator.
            max_bond: Largest bond dimension.
            progress: Called after each sweep.
            sites: Columns are the orbitals of the sites, shape (norb, norb); by default the
                Hamiltonian's own.

        Raises:
            InputError: block2 is not installed, the scratch folder cannot be used, or the integrals
                do not fit in memory.
            OSError: The scratch folder was full before the first sweep was over.
            NotConvergedError: block2 failed for another reason before that.
            KeyboardInterrupt: Interrupted before that.
        """
        columns = np.eye(hamiltonian.norb) if sites is None else sites
        turned = in_orbitals(hamiltonian, columns)
        integrals = Integrals(
            one_body=turned.normal_ordered_one_body(),
            two_body=turned.two_body(),
            constant=hamiltonian.constant,
            nelec=hamiltonian.nelec,
        )
        kept = integrals.without_negligible(min(10 * self.tolerance, NEGLIGIBLE))
        return self.solve(kept, trial_of(hamiltonian, columns), max_bond, progress=progress)

    def solve(
        self,
        integrals: Integrals,
        trial: Trial,
        max_bond: int,
        *,
        progress: Progress | None = None,
        opened: Opened = session,
    ) -> Solution:
        """Do the same for integrals as arrays.

        Args:
            integrals: The Hamiltonian in the orbitals of the sites.
            trial: A determinant to start near to.
            max_bond: Largest bond dimension.
            progress: Called after each sweep.
            opened: Opens a session; block2's unless a test brings its own.
        """
        bonds = self.bond_dimensions(max_bond)
        log = Log(progress, len(bonds) * self.max_sweeps)
        settings = Settings(self.threads, self.memory, self.scratch)
        best = Best()
        highest = trial.energy + 10 * self.tolerance  # of a state that may be the lowest
        try:
            with opened(integrals, settings) as running:
                for start in range(self.starts):
                    spread = SPREADS[min(start, len(SPREADS) - 1)]
                    running.begin(max(bonds[0], SMALLEST), self.seed + start, trial.spread(spread))
                    log.restart()
                    self._stage(running, log, best, bonds[0], NOISES)
                    if best.energy <= highest:
                        break
                for bond in bonds[1:]:
                    self._stage(running, log, best, bond, SETTLING)
        except (KeyboardInterrupt, OSError, NotConvergedError) as error:
            if not len(best.blocks.table):
                raise
            interrupted = isinstance(error, KeyboardInterrupt)
            log.status = "interrupted" if interrupted else f"stopped: {error}"
        if log.status == "converged" and best.energy > highest:
            log.status = f"above the Hartree-Fock energy, {trial.energy:.6f} Hartree"
        return Solution(mps_from_blocks(best.blocks), best.energy, log.convergence())

    def _stage(
        self, running: Session, log: Log, best: Best, bond: int, noises: tuple[float, ...]
    ) -> None:
        """Sweep at one bond dimension until two sweeps agree."""
        log.begin(bond)
        while not log.rests(self.tolerance, len(noises)):
            if log.sweeps[-1] == self.max_sweeps:
                log.status = "not converged"
                break
            noise = noises[log.sweeps[-1]] if log.sweeps[-1] < len(noises) else 0.0
            log.add(*running.sweep(bond, noise, _threshold(noise, self.tolerance)))
            best.blocks, best.energy = running.state()


def trial_of(hamiltonian: Hamiltonian, sites: Array) -> Trial:
    """Return the Hartree-Fock determinant's electrons in each site and its energy.

    Args:
        hamiltonian: In any orbitals.
        sites: Columns are the orbitals of the sites in those, shape (norb, norb).
    """
    state = lowest_determinant(hamiltonian)
    density = state.spin_densities().sum(axis=0)
    return Trial(occupations=np.diag(sites.T @ density @ sites), energy=state.energy)


def _threshold(noise: float, tolerance: float) -> float:
    """Squared residual at which the eigensolver of a step stops: coarse while there is noise."""
    return max(noise * 0.1, 1e-12) if noise else min(1e-9, tolerance * 0.01)
