# SPDX-License-Identifier: Apache-2.0
"""What compression minimises: method objects that turn a problem into a function with a slope."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.factorization.compression.problem import Point, Problem, Slope

Evaluate = Callable[[Point], Slope]
"""Value and derivatives at a point."""


class Objective(Protocol):
    """A frozen object that says what is minimised."""

    @property
    def name(self) -> str:
        """Name to report."""
        ...

    @property
    def error_weight(self) -> float:
        """Weight of the squared Frobenius error in it; without one there is nothing to fit."""
        ...

    @property
    def in_sector(self) -> bool:
        """Whether errors that a fixed number of electrons cannot see are left out."""
        ...

    def prepare(self, problem: Problem) -> Evaluate:
        """Return the function of leaves and cores."""
        ...


class Supplement:
    """What objectives share that hold no error: they are to be minimised beside one."""

    __slots__ = ()

    @property
    def error_weight(self) -> float:
        """None: it holds no error."""
        return 0.0

    @property
    def in_sector(self) -> bool:
        """It holds no error."""
        return False


@dataclass(frozen=True, slots=True)
class WeightedSum:
    r"""A sum of objectives with weights, :math:`\sum_i w_i f_i`.

    The squared error has the unit Hartree², a one-norm Hartree: its weight is in Hartree.

    >>> from qlowrank.factorization.compression import CoreOneNorm, FrobeniusError
    >>> WeightedSum((1.0, FrobeniusError()), (1e-4, CoreOneNorm())).name
    '1 × error + 0.0001 × core one-norm'
    """

    terms: tuple[tuple[float, Objective], ...]
    """Weights, at least zero, and objectives."""

    def __init__(self, *terms: tuple[float, Objective]) -> None:
        for term in terms:
            if not (isinstance(term, tuple) and len(term) == 2 and hasattr(term[1], "prepare")):
                raise InputError(
                    "A weighted sum takes pairs of a weight and an objective, such as "
                    f"(1.0, FrobeniusError()); got {term!r:.60}."
                )
            if checks.finite("a weight", term[0]) < 0:
                raise InputError(f"weights must be at least 0; got {term[0]:g}.")
        if not terms:
            raise InputError("A weighted sum needs at least one term; got none.")
        if len({term.in_sector for _, term in terms if term.error_weight}) > 1:
            raise InputError("A weighted sum cannot hold both FrobeniusError and SectorError.")
        object.__setattr__(self, "terms", terms)

    @property
    def name(self) -> str:
        """Name to report."""
        return " + ".join(f"{weight:g} × {term.name}" for weight, term in self.terms)

    @property
    def error_weight(self) -> float:
        """Weight of the squared Frobenius error."""
        return sum(weight * term.error_weight for weight, term in self.terms)

    @property
    def in_sector(self) -> bool:
        """Whether errors that a fixed number of electrons cannot see are left out."""
        return any(term.in_sector for _, term in self.terms)

    def prepare(self, problem: Problem) -> Evaluate:
        """Return the function of leaves and cores."""
        parts = [(weight, term.prepare(problem)) for weight, term in self.terms]

        def evaluate(point: Point) -> Slope:
            slopes = [(weight, part(point)) for weight, part in parts]
            return Slope(
                value=sum(weight * slope.value for weight, slope in slopes),
                leaves=np.sum([weight * slope.leaves for weight, slope in slopes], axis=0),
                cores=np.sum([weight * slope.cores for weight, slope in slopes], axis=0),
            )

        return evaluate
