# SPDX-License-Identifier: Apache-2.0
"""Fragments with free cores in the frames of the leaves: a convex problem."""

from dataclasses import dataclass

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, NotConvergedError
from qlowrank.factorization.gauge import with_positive_peak
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.lowrank import Progress
from qlowrank.measurement.fragments.design import Design, Solution
from qlowrank.measurement.fragments.record import Fragments, FragmentStatus
from qlowrank.measurement.fragments.setting import (
    GAP,
    Setting,
    assemble,
    prepare,
    pruned,
    settled,
)
from qlowrank.states.state import State

EQUAL = 1e-9
"""Relative difference up to which eigenvalues of a leaf count as equal."""


@dataclass(frozen=True, slots=True)
class ResplitFragments:
    r"""Keep the frames of the leaves and that of the orbitals; free everything else.

    Every frame carries a polynomial of second degree in its occupations. Together they are the
    Hamiltonian on the sector, which makes terms that vanish there free, and
    :math:`\sum_g \sqrt{\mathrm{Var}\,F_g}` is the least that these frames allow, to within the
    relative `gap` that Lagrange's dual proves.
    """

    separate_spins: bool = True
    """Whether the forms of equal and of opposite spins may differ in a frame."""
    gap: float = GAP
    """Relative distance of Σ sqrt(Var) squared from its lower bound at which to stop."""
    max_steps: int = 500
    """Turns of improving coefficients and shares."""
    regularization: float | None = None
    """Variance added to every occupation feature; None for what the state calls for."""
    max_memory: float | None = None
    """Bytes that may be used; the machine's free memory by default."""

    def __call__(
        self, factorization: DoubleFactorization, state: State, progress: Progress | None = None
    ) -> Fragments:
        """Return the fragments that are cheapest in the state.

        Args:
            factorization: Leaves and one-body part.
            state: FCI, or a CISD or MPS state whose CI vector fits in memory.
            progress: Called once a turn.

        Raises:
            InputError: A state of another sector or kind, or work that does not fit in memory.

        >>> from qlowrank.factorization import double_factorize
        >>> from qlowrank.hamiltonian.read import from_example
        >>> from qlowrank.states import fci_state
        >>> hamiltonian = from_example("h2")
        >>> state = fci_state(hamiltonian)
        >>> fragments = ResplitFragments()(double_factorize(hamiltonian), state)
        >>> round(sum(state.moments(g).variance ** 0.5 for g in fragments.groups) ** 2, 4)
        0.1364
        """
        checks.positive("gap", self.gap)
        setting = prepare(
            factorization,
            state,
            separate_spins=self.separate_spins,
            regularization=self.regularization,
            max_memory=self.max_memory,
        )
        frames, problem, solution, steps = resplit(
            setting, factorization, gap=self.gap, max_steps=self.max_steps, progress=progress
        )
        solution = pruned(setting, problem, solution)
        near = solution.spread <= (1 + self.gap) * solution.lower_bound
        status = FragmentStatus(
            method="resplit",
            converged=bool(near),
            iterations=steps,
            message=(
                f"{solution.spread:.6g} Hartree², and no less than {solution.lower_bound:.6g} in "
                "these frames"
            ),
        )
        return assemble(setting, factorization, frames, solution, status)


def leaf_frames(factorization: DoubleFactorization) -> Array:
    """Return the orbitals' own frame and those of the leaves, (n_leaves + 1, norb, norb).

    A leaf leaves open how to turn orbitals of equal eigenvalue among themselves, most often of
    eigenvalue zero. They are turned to make kappa diagonal, so that the frame suits it as well.
    """
    frames = [np.eye(factorization.norb)]
    for values, leaf in zip(factorization.eigenvalues, factorization.leaves, strict=True):
        order = np.argsort(values, kind="stable")
        frame = leaf[:, order]
        step = np.diff(values[order]) > EQUAL * np.abs(values).max(initial=0.0)
        for same in np.split(np.arange(len(values)), np.flatnonzero(step) + 1):
            block = frame[:, same]
            _, turn = np.linalg.eigh(block.T @ factorization.one_body @ block)
            frame[:, same] = with_positive_peak(block @ turn)
        frames.append(frame)
    return np.array(frames)


def resplit(
    setting: Setting,
    factorization: DoubleFactorization,
    *,
    gap: float = GAP,
    max_steps: int,
    progress: Progress | None = None,
) -> tuple[Array, Design, Solution, int]:
    """Return frames, problem, solution and turns of the convex re-split.

    The orbitals' own frame comes first. Where few leaves are left and it cannot carry the one-body
    part, the frame that makes kappa diagonal takes its place: with it the plain factorization
    itself is a solution.
    """
    frames = leaf_frames(factorization)
    for first in (frames[0], np.linalg.eigh(factorization.one_body)[1]):
        frames[0] = first
        problem = setting.design(frames)
        shares = np.full(len(frames), 1 / len(frames))
        solution, steps = settled(problem, shares, gap=gap, max_steps=max_steps, progress=progress)
        if setting.exact(solution):
            return frames, problem, solution, steps
    raise NotConvergedError(
        f"The groups miss the Hamiltonian by {solution.misfit:.1e} Hartree. Use fragments 'fluid'."
    )
