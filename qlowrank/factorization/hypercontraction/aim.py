# SPDX-License-Identifier: Apache-2.0
"""What a hypercontraction is fitted for, read from the objectives of compression."""

from dataclasses import dataclass

from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.frobenius import FrobeniusError, SectorError, without_trace
from qlowrank.factorization.compression.norms import SMOOTHING, OneNorm
from qlowrank.factorization.compression.objective import Objective, WeightedSum
from qlowrank.factorization.compression.problem import Problem


@dataclass(frozen=True, slots=True)
class Aim:
    """Weights of error and one-norm."""

    name: str
    """In words."""
    error: float
    """Weight of half the squared error, above zero."""
    norm: float
    """Weight of the one-norm, Hartree."""
    in_sector: bool
    """Whether errors that a fixed number of electrons cannot see are left out."""
    smoothing: float
    """Of the one-norm, Hartree."""

    def seen(self, problem: Problem) -> Array:
        """Return the vectors whose errors count, packed, shape (rank, n_pairs)."""
        return without_trace(problem.vectors, problem.norb) if self.in_sector else problem.vectors

    def overlap(self, problem: Problem) -> float:
        """Return what two squares of unit columns have in common that does not count."""
        return 1 / problem.norb if self.in_sector else 0.0


class Aimed:
    """What landscapes share that are walked for an aim."""

    problem: Problem
    aim: Aim

    @property
    def name(self) -> str:
        """What is minimised, in words."""
        return self.aim.name

    @property
    def rounding(self) -> float:
        """Squared error that cannot be told from zero, Hartree²."""
        return self.problem.rounding


def aim_of(objective: Objective | None) -> Aim:
    """Return the weights in an objective.

    Raises:
        InputError: It is none, holds no error, or holds what only leaves have.
    """
    objective = FrobeniusError() if objective is None else objective
    terms = objective.terms if isinstance(objective, WeightedSum) else ((1.0, objective),)
    for _, term in terms:
        if not isinstance(term, FrobeniusError | SectorError | OneNorm):
            raise InputError(
                "A hypercontraction is fitted for FrobeniusError(), SectorError(), or a "
                "WeightedSum of one of them and OneNorm(); got "
                f"{getattr(term, 'name', term)!r:.60}, which needs leaves, or is no objective."
            )
    norms = [(weight, term) for weight, term in terms if isinstance(term, OneNorm)]
    if not objective.error_weight > 0:
        raise InputError(
            f"The objective '{objective.name}' holds no error of the integrals, so that an empty "
            "core minimises it. Add one: WeightedSum((1.0, SectorError()), (weight, OneNorm()))."
        )
    return Aim(
        name=objective.name,
        error=objective.error_weight,
        norm=sum(weight for weight, _ in norms),
        in_sector=objective.in_sector,
        smoothing=norms[0][1].smoothing if norms else SMOOTHING,
    )


PLAIN = aim_of(None)
"""The error of all integrals."""
