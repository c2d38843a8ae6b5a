# SPDX-License-Identifier: Apache-2.0
"""What every way of choosing fragments returns, and what it must be able to do."""

from dataclasses import dataclass, field
from typing import Protocol

from qlowrank.checks import InputError
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.lowrank import Progress
from qlowrank.states.state import State


@dataclass(frozen=True, slots=True)
class FragmentStatus:
    """How fragments were made."""

    method: str
    """Name of the method, such as "plain" or "fluid"."""
    converged: bool
    """Whether the method met its own criterion; closed forms always do."""
    iterations: int = field(default=0, metadata={"units": "1"})
    """Steps taken."""
    message: str = ""
    """Why it stopped, in words."""


@dataclass(frozen=True, eq=False)
class Fragments:
    """Groups of commuting operators that add up to the Hamiltonian on its sector.

    constant + Σ_g F_g equals the factorized Hamiltonian on all states with the factorization's
    numbers of alpha and beta electrons.
    """

    groups: tuple[DiagonalOperator, ...]
    """F_g, each diagonal in one orbital frame."""
    constant: float = field(metadata={"units": "hartree"})
    """What is not measured, Hartree; includes constants that shifts set free."""
    status: FragmentStatus
    """How they were made."""

    def __post_init__(self) -> None:
        if not self.groups:
            raise InputError("A set of fragments needs at least one group.")


class FragmentMethod(Protocol):
    """A frozen object that turns a factorization into fragments that suit a state."""

    def __call__(
        self, factorization: DoubleFactorization, state: State, progress: Progress | None = None
    ) -> Fragments:
        """Return fragments equal to the factorized Hamiltonian on its sector."""
        ...
