# SPDX-License-Identifier: Apache-2.0
"""Fragments whose orbital frames are optimised along with everything else."""

from dataclasses import dataclass

import numpy as np

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.lowrank import Progress
from qlowrank.measurement.fragments.descent import descend
from qlowrank.measurement.fragments.record import Fragments, FragmentStatus
from qlowrank.measurement.fragments.resplit import leaf_frames, resplit
from qlowrank.measurement.fragments.setting import Setting, assemble, prepare, pruned, settled
from qlowrank.measurement.fragments.turning import turned
from qlowrank.states.state import State

SHAKE = 0.1
"""Standard deviation of the angles, radians, by which frames are turned to begin with."""

SETTLING = 10
"""Turns of the convex problem in the frames that the descent ends with."""


@dataclass(frozen=True, slots=True)
class OptimizedFragments:
    r"""Choose frames and cores together, for the least :math:`\sum_g \sqrt{\mathrm{Var}\,F_g}`.

    The frames of the orbitals and of the largest leaves, shaken a little, are turned by damped
    Gauss-Newton steps; the convex problem of the cores and shares is solved within every step. The
    groups are exactly the Hamiltonian on its sector, whatever the frames. The problem is not
    convex: another seed ends elsewhere, usually within some percent.
    """

    n_groups: int | None = None
    """Number of groups; as many as the plain factorization has by default."""
    max_steps: int = 100
    """Gauss-Newton steps."""
    seed: int = 0
    """Of the generator that shakes the frames."""
    separate_spins: bool = True
    """Whether the forms of equal and of opposite spins may differ in a frame."""
    regularization: float | None = None
    """Variance added to every occupation feature; None for what the state calls for."""
    max_memory: float | None = None
    """Bytes that may be used; the machine's free memory by default."""

    def __call__(
        self, factorization: DoubleFactorization, state: State, progress: Progress | None = None
    ) -> Fragments:
        """Return the fragments found.

        Args:
            factorization: Leaves to start from.
            state: FCI, or a CISD or MPS state whose CI vector fits in memory.
            progress: Called once a step.

        Raises:
            InputError: A state of another sector or kind, work that does not fit in memory, or
                more groups than the plain factorization has, or too few to hold the Hamiltonian.
        """
        setting = prepare(
            factorization,
            state,
            separate_spins=self.separate_spins,
            regularization=self.regularization,
            max_memory=self.max_memory,
        )
        n_groups = self._count(factorization, setting)
        if n_groups < _least_groups(setting):
            return self._in_kept_frames(factorization, setting)
        rng = np.random.default_rng(self.seed)
        angles = SHAKE * rng.standard_normal((n_groups, setting.sector.pairs.shape[1]))
        start = turned(leaf_frames(factorization)[:n_groups], angles)
        result = descend(setting, start, max_steps=self.max_steps, progress=progress)
        if not setting.exact(result.solution):
            return self._in_kept_frames(factorization, setting)
        problem = setting.design(result.frames)
        solution, _ = settled(problem, result.solution.improved_shares, max_steps=SETTLING)
        solution = pruned(setting, problem, solution)
        status = FragmentStatus(
            method="optimized",
            converged=result.converged,
            iterations=result.steps,
            message=f"{result.message}; {solution.spread:.6g} Hartree²",
        )
        return assemble(setting, factorization, result.frames, solution, status)

    def _count(self, factorization: DoubleFactorization, setting: Setting) -> int:
        """Return the number of groups, checked."""
        most = factorization.n_leaves + 1
        if self.n_groups is None:
            return most
        wanted = checks.whole("n_groups", self.n_groups)
        least = _least_groups(setting)
        if not least <= wanted <= most:
            raise InputError(
                f"n_groups must be {least} to {most} for this Hamiltonian (fewer groups "
                f"cannot hold it, the plain factorization has {most}); got {wanted}."
            )
        return wanted

    def _in_kept_frames(self, factorization: DoubleFactorization, setting: Setting) -> Fragments:
        """Return the convex re-split, where frames in general position cannot hold the sum."""
        frames, problem, solution, steps = resplit(setting, factorization, max_steps=self.max_steps)
        status = FragmentStatus(
            method="optimized",
            converged=False,
            iterations=steps,
            message=(
                f"frames kept as they are: {factorization.n_leaves + 1} groups in other frames "
                "cannot hold this Hamiltonian; only cores were optimised"
            ),
        )
        solution = pruned(setting, problem, solution)
        return assemble(setting, factorization, frames, solution, status)


def _least_groups(setting: Setting) -> int:
    """As many groups as have at least the coefficients that the conditions take."""
    return max(-(-len(setting.target) // max(setting.width, 1)), 1)
