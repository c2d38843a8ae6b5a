# SPDX-License-Identifier: Apache-2.0
"""SciPy's L-BFGS in stages: each begins with coordinates that fit the point it begins at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.lbfgs import Function, descend
from qlowrank.factorization.optimizer import OptimizerStatus
from qlowrank.lowrank import Progress

FIRST_STAGE = 20
STAGE_GROWTH = 1.5
LONGEST_STAGE = 150
"""Steps in the first stage, how stages grow, and their limit."""

RESOLUTION = 1e-3
"""Share of the present error by which the integrals themselves may be cut, stage by stage."""

Place = TypeVar("Place")
"""Points of a landscape."""


class Landscape(Protocol[Place]):
    """What is minimised, and how its points are described."""

    @property
    def name(self) -> str:
        """What is minimised, in words."""
        ...

    @property
    def rounding(self) -> float:
        """Squared error that cannot be told from zero, Hartree²."""
        ...

    def error(self, place: Place) -> float:
        """Return half the squared error of the integrals, Hartree²."""
        ...

    def chart(
        self, place: Place, resolution: float
    ) -> tuple[Array, Function, Callable[[Array], Place]]:
        """Return the coordinates of a point, a function of coordinates, and the way back.

        Args:
            place: Where the coordinates should fit.
            resolution: Frobenius error by which the integrals may be cut, Hartree.
        """
        ...


@dataclass(frozen=True, slots=True)
class QuasiNewton:
    """Method: L-BFGS with gradients evaluated from the vectors of the integrals.

    Constraints are built into the coordinates, and these are scaled by the lengths of the moves
    that they make, so that most second derivatives begin near one. The scale follows the point,
    so the run is made of stages, each with fresh coordinates, of 20, 30, 45 … 150 steps. At the
    beginning of a stage the smallest vectors of the integrals are left out, by a thousandth of the
    error then, which saves work; the errors that a result states are those against all.

    Source:
        C. Zhu, R. H. Byrd, P. Lu, J. Nocedal, ACM Trans. Math. Softw. 23, 550 (1997) (L-BFGS-B).
    """

    max_steps: int = 300
    """Most steps."""
    tolerance: float = 1e-5
    """Converged when a stage of 20 steps or more lowers the objective by less than this share of
    it for each step."""
    memory: int = 20
    """Steps that L-BFGS remembers."""

    def __post_init__(self) -> None:
        if checks.whole("max_steps", self.max_steps) < 1:
            raise InputError(f"max_steps must be at least 1; got {self.max_steps}.")
        if checks.whole("memory", self.memory) < 1:
            raise InputError(f"memory must be at least 1; got {self.memory}.")
        if not checks.finite("tolerance", self.tolerance) > 0:
            raise InputError(f"tolerance must be above 0; got {self.tolerance:g}.")

    @property
    def name(self) -> str:
        """Name to report."""
        return "L-BFGS"

    def __call__(
        self,
        landscape: Landscape[Place],
        start: Place,
        *,
        seed: int | None = None,
        progress: Progress | None = None,
    ) -> tuple[Place, OptimizerStatus]:
        """Return the best point seen and how it went."""
        run = _Run(place=start, values=[])
        message, converged = f"the limit of {self.max_steps} steps is reached", False
        for n_steps in self._stages():
            left = landscape.error(run.place)
            before = len(run.values)
            run.stage(landscape, RESOLUTION * float(np.sqrt(2 * left)), n_steps, self.memory)
            steps = len(run.values) - max(before, 1)
            if progress is not None:
                progress(f"steps down the {landscape.name}", len(run.values) - 1, self.max_steps)
            if steps == 0 or left <= landscape.rounding:
                converged = bool(
                    left <= landscape.rounding or run.gradient_norm <= landscape.rounding
                )
                message = (
                    "nothing but rounding is left"
                    if converged
                    else "stalled: the line search found nothing lower"
                )
                break
            gain = run.values[-1 - steps] - run.values[-1]
            if steps >= FIRST_STAGE and gain <= self.tolerance * steps * run.values[-1]:
                converged = True
                message = f"the last {steps} steps lowered it by {gain:.1e} only"
                break
        status = OptimizerStatus(
            method=self.name,
            objective=landscape.name,
            converged=converged,
            message=message,
            history=np.array(run.values),
            gradient_norm=run.gradient_norm,
            seed=seed,
        )
        return run.place, status

    def _stages(self) -> Iterator[int]:
        """Yield the lengths of the stages."""
        left, length = self.max_steps, float(FIRST_STAGE)
        while left > 0:
            steps = min(left, int(length), LONGEST_STAGE)
            yield steps
            left -= steps
            length *= STAGE_GROWTH


@dataclass
class _Run(Generic[Place]):
    """Where a run stands."""

    place: Place
    """The best point so far."""
    values: list[float]
    """Objective at the start and after every step."""
    gradient_norm: float = 0.0
    """At that point."""

    def stage(
        self, landscape: Landscape[Place], resolution: float, n_steps: int, memory: int
    ) -> None:
        """Go on from the point with fresh coordinates."""
        start, function, back = landscape.chart(self.place, resolution)

        if not self.values:
            self.values.append(function(start)[0])
        found = descend(
            function,
            start,
            max_steps=n_steps,
            memory=memory,
            evaluations=20,
            note=self.values.append,
        )
        self.place = back(found.place)
        self.gradient_norm = found.gradient_norm
