# SPDX-License-Identifier: Apache-2.0
"""One step of a quantum walk: what it is made of, and what each part costs."""

from dataclasses import dataclass, field
from typing import Protocol

from qlowrank import checks
from qlowrank.checks import InputError

TYPICAL_STEP = 20000
"""Toffoli count of a step that the first of two passes supposes, as the published programs do."""


@dataclass(frozen=True, slots=True)
class WalkCost:
    """What one step of a walk costs, part by part."""

    charges: tuple[tuple[str, int], ...] = field(metadata={"units": "1"})
    """(part, Toffoli gates); the parts add up to the step."""
    registers: tuple[tuple[str, int], ...] = field(metadata={"units": "1"})
    """(register, qubits), but for the register that controls phase estimation."""

    @property
    def toffoli(self) -> int:
        """Toffoli gates of one step."""
        return sum(toffoli for _, toffoli in self.charges)

    @property
    def qubits(self) -> int:
        """Logical qubits, but for those that control phase estimation."""
        return sum(qubits for _, qubits in self.registers)


class Walk(Protocol):
    """A quantum walk of eigenphases arccos(E / λ): sizes and bits, from which costs follow."""

    def cost(self, step_toffoli: float, /) -> WalkCost:
        """Return the cost of a step.

        Args:
            step_toffoli: A guess of that cost; it decides how exactly superpositions are made.
        """
        ...

    def control_qubits(self, steps: int, /) -> int:
        """Qubits that control `steps` steps of phase estimation."""
        ...


def walk_cost(walk: Walk) -> WalkCost:
    """Return the cost of a step of `walk`, with the guess it needs taken from a first pass."""
    return walk.cost(walk.cost(TYPICAL_STEP).toffoli)


def at_least(name: str, value: int, least: int) -> None:
    """Refuse a size or number of bits that is no whole number or below what makes sense."""
    if checks.whole(name, value) < least:
        raise InputError(f"{name} must be at least {least}; got {value}.")
