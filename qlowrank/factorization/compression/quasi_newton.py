# SPDX-License-Identifier: Apache-2.0
"""SciPy's L-BFGS in stages: each begins with coordinates that fit the point it begins at."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.coordinates import Coordinates
from qlowrank.factorization.compression.frobenius import FrobeniusError, SectorError
from qlowrank.factorization.compression.objective import Evaluate, Objective
from qlowrank.factorization.compression.problem import Point, Problem
from qlowrank.factorization.optimizer import OptimizerStatus
from qlowrank.lowrank import Progress

FIRST_STAGE = 20
STAGE_GROWTH = 1.5
LONGEST_STAGE = 150
"""Steps in the first stage, how stages grow, and their limit."""

RESOLUTION = 1e-3
"""Share of the present error by which the integrals themselves may be cut, stage by stage."""


@dataclass(frozen=True, slots=True)
class QuasiNewton:
    """Method: L-BFGS with gradients evaluated from the vectors of the integrals.

    Leaves stay orthogonal by a Cayley transform, and coordinates are scaled so that every leaf
    alone has the identity matrix for second derivatives (`coordinates.py`). The scale follows the
    cores, so the run is made of stages, each with fresh coordinates, of 20, 30, 45 … 150 steps. At
    the beginning of a stage the smallest vectors of the integrals are left out, by a thousandth of
    the error then, which saves work; the errors that a result states are those against all.

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
        objective: Objective,
        problem: Problem,
        start: Point,
        *,
        seed: int | None = None,
        progress: Progress | None = None,
    ) -> tuple[Point, OptimizerStatus]:
        """Return the best point seen and how it went."""
        error = (SectorError() if objective.in_sector else FrobeniusError()).prepare(problem)
        rounding = 64 * np.finfo(float).eps * float(np.sum(problem.weights**2))
        run = _Run(point=start, values=[])
        message, converged = f"the limit of {self.max_steps} steps is reached", False
        for n_steps in self._stages():
            left = error(run.point).value
            resolved = problem.resolved(RESOLUTION * float(np.sqrt(2 * left)))
            before = len(run.values)
            run.stage(objective.prepare(resolved), n_steps, self.memory)
            steps = len(run.values) - max(before, 1)
            if progress is not None:
                progress("compression steps", len(run.values) - 1, self.max_steps)
            if steps == 0 or left <= rounding:
                converged = bool(left <= rounding or run.gradient_norm <= rounding)
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
            objective=objective.name,
            converged=converged,
            message=message,
            history=np.array(run.values),
            gradient_norm=run.gradient_norm,
            seed=seed,
        )
        return run.point, status

    def _stages(self) -> Iterator[int]:
        """Yield the lengths of the stages."""
        left, length = self.max_steps, float(FIRST_STAGE)
        while left > 0:
            steps = min(left, int(length), LONGEST_STAGE)
            yield steps
            left -= steps
            length *= STAGE_GROWTH


@dataclass
class _Run:
    """Where a run stands."""

    point: Point
    """The best point so far."""
    values: list[float]
    """Objective at the start and after every step."""
    gradient_norm: float = 0.0
    """At that point."""

    def stage(self, evaluate: Evaluate, n_steps: int, memory: int) -> None:
        """Go on from the point with fresh coordinates."""
        coordinates = Coordinates(self.point)

        def function(x: Array) -> tuple[float, Array]:
            slope = evaluate(coordinates.point(x))
            return slope.value, coordinates.gradient(x, slope)

        def note(intermediate_result: OptimizeResult) -> None:
            self.values.append(float(intermediate_result.fun))

        if not self.values:
            self.values.append(function(coordinates.start())[0])
        result = minimize(
            function,
            coordinates.start(),
            jac=True,
            method="L-BFGS-B",
            callback=note,
            options={
                "maxiter": n_steps,
                "maxfun": 20 * n_steps,
                "maxcor": memory,
                "ftol": 0.0,
                "gtol": 0.0,
            },
        )
        self.point = coordinates.point(result.x)
        self.gradient_norm = float(np.linalg.norm(result.jac))
