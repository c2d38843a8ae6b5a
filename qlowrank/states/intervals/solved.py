# SPDX-License-Identifier: Apache-2.0
"""What an interval has to know of a solver, and what each kind of solution can claim."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from qlowrank.checks import Array
from qlowrank.hamiltonian.record import Hamiltonian


@runtime_checkable
class VariationalState(Protocol):
    """A normalised state with its energy and its one-particle density."""

    @property
    def label(self) -> str:
        """Name of the method."""
        ...

    @property
    def nelec(self) -> tuple[int, int]:
        """(n_alpha, n_beta)."""
        ...

    @property
    def energy(self) -> float:
        """Expectation value of the Hamiltonian that it was made for, Hartree."""
        ...

    def one_body_density(self) -> Array:
        """Return γ_pq = ⟨E_pq⟩, spin-summed, shape (norb, norb)."""
        ...


@runtime_checkable
class CorrelatedState(VariationalState, Protocol):
    """A state that also has its two-particle density."""

    def one_body_covariance(self) -> Array:
        """Return ⟨E_pq E_rs⟩ − ⟨E_pq⟩⟨E_rs⟩, symmetrised in p,q and in r,s, shape (norb,)*4."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """What the ends around a solution enclose, and which of them hold."""

    contains: str
    """The energy that the interval holds, in words."""
    bounded_below: bool = True
    """Whether the state's energy with the truncated Hamiltonian is a lower end."""
    below_mean_field: bool = False
    """Whether the energy it holds lies at or below that of every determinant."""


GROUND = Claim("the exact ground-state energy of the sector", below_mean_field=True)
"""The state is the lowest of all states."""
DETERMINANT = Claim("the lowest energy of a determinant", below_mean_field=True)
"""The state is the lowest determinant."""
SPAN = Claim("the exact CISD energy on the same determinant")
"""The state is the lowest in the span of single and double excitations."""
OWN = Claim("the exact energy of this state")
"""The state minimises nothing that is known."""
ABOVE = Claim(
    "the exact ground-state energy of the sector, with no lower end",
    bounded_below=False,
    below_mean_field=True,
)
"""The state is only a state, and the energy wanted is the ground state's."""

CLAIMS = {"FCIState": GROUND, "DeterminantState": DETERMINANT, "CISDState": SPAN}
"""What states of this package claim, by type; others claim their own energy."""


@dataclass(frozen=True, eq=False, slots=True)
class Solved:
    """What a solver returns."""

    label: str
    """Name of the method."""
    energy: float
    """The method's total energy for the Hamiltonian it was given, Hartree."""
    state: VariationalState
    """A state whose energy proves the ends; the method's own where it has one."""
    claim: Claim
    """What the ends enclose."""
    convergence: float
    """How far above the minimum of its kind the state's energy may be, Hartree."""


class Solver(Protocol):
    """Anything that solves a Hamiltonian: a method object, or a function."""

    def __call__(self, hamiltonian: Hamiltonian) -> Solved:
        """Solve `hamiltonian`."""
        ...
