# SPDX-License-Identifier: Apache-2.0
"""The energy interval: two ends, what they enclose, and where each comes from."""

from dataclasses import dataclass, field

HARTREE = {"units": "hartree"}


@dataclass(frozen=True, slots=True)
class End:
    """One proven end of an interval."""

    energy: float = field(metadata=HARTREE)
    """Total energy, Hartree."""
    proof: str
    """Name of the bound; docs/explanations/certificate.md has the proof under this name."""


@dataclass(frozen=True, slots=True)
class EnergyInterval:
    """An interval that is proven to hold an energy of the exact Hamiltonian.

    Make one with `ql.energy_interval`. `energy in interval` tells whether it holds one.
    """

    method: str
    """The solver, such as "hf", "cisd", "fci" or "ccsd(t)"."""
    contains: str
    """Which energy it holds, in words."""
    lower: float = field(metadata=HARTREE)
    """The highest proven lower end, Hartree; minus infinity where there is none."""
    upper: float = field(metadata=HARTREE)
    """The lowest proven upper end, Hartree."""
    estimate: float = field(metadata=HARTREE)
    """The method's energy, corrected to first order as far as is known, Hartree; no bound."""
    lower_ends: tuple[End, ...]
    """Every lower end that was proven, the highest first."""
    upper_ends: tuple[End, ...]
    """Every upper end that was proven, the lowest first."""
    rounding: float = field(metadata=HARTREE)
    """How far both ends were moved outwards for finite arithmetic and convergence, Hartree."""

    @property
    def width(self) -> float:
        """Upper minus lower end, Hartree."""
        return self.upper - self.lower

    def __contains__(self, energy: float) -> bool:
        """Tell whether an energy lies in the interval."""
        return self.lower <= energy <= self.upper

    def __repr__(self) -> str:
        """Say what it is in one line."""
        return (
            f"EnergyInterval({self.method}: {self.lower:.8f} to {self.upper:.8f} Hartree, "
            f"estimate {self.estimate:.8f}, holds {self.contains})"
        )
