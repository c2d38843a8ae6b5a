# SPDX-License-Identifier: Apache-2.0
"""The objective of compression as a landscape that an optimiser walks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from qlowrank.checks import Array
from qlowrank.factorization.compression.coordinates import Coordinates
from qlowrank.factorization.compression.frobenius import FrobeniusError, SectorError
from qlowrank.factorization.compression.objective import Evaluate, Objective
from qlowrank.factorization.compression.problem import Point, Problem
from qlowrank.factorization.lbfgs import Function


@dataclass(frozen=True, eq=False)
class CompressionLandscape:
    """An objective over leaves and cores."""

    objective: Objective
    """What is minimised."""
    problem: Problem
    """For which integrals."""

    @property
    def name(self) -> str:
        """What is minimised, in words."""
        return self.objective.name

    @property
    def rounding(self) -> float:
        """Squared error that cannot be told from zero, Hartree²."""
        return self.problem.rounding

    @cached_property
    def _error(self) -> Evaluate:
        """The error of all vectors."""
        error = SectorError() if self.objective.in_sector else FrobeniusError()
        return error.prepare(self.problem)

    def error(self, place: Point) -> float:
        """Return half the squared error of the integrals, Hartree²."""
        return self._error(place).value

    def chart(
        self, place: Point, resolution: float
    ) -> tuple[Array, Function, Callable[[Array], Point]]:
        """Return the coordinates of a point, a function of coordinates, and the way back."""
        coordinates = Coordinates(place)
        evaluate = self.objective.prepare(self.problem.resolved(resolution))

        def function(x: Array) -> tuple[float, Array]:
            point, pullback = coordinates.point_and_pullback(x)
            slope = evaluate(point)
            return slope.value, pullback(slope)

        return coordinates.start(), function, coordinates.point
