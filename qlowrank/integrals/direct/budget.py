# SPDX-License-Identifier: Apache-2.0
"""What a decomposition may take: bytes in memory, how many columns at a time, what goes to disk."""

from dataclasses import dataclass, field
from pathlib import Path

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.files.scratch import array_for
from qlowrank.integrals.direct.shells import Shells

MOST = 128
"""Most columns transformed at a time."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How memory is shared out."""

    bytes: float = field(metadata={"units": "byte"})
    """What may be taken in all."""
    folder: Path | None
    """Where scratch files go; None for the system's folder for temporary files."""

    def array(self, *shape: int) -> Array:
        """Return an empty array: in memory if it takes less than a third of all, else in a file."""
        return array_for(shape, self.bytes / 3, self.folder)

    def columns_at_a_time(self, shells: Shells) -> int:
        """How many columns of integrals are transformed together.

        Raises:
            InputError: There is no room for those of one shell pair.
        """
        checks.fits(
            "One shell pair's integrals with all others",
            least_bytes(shells),
            self.bytes,
            "Raise max_memory to at least that, or choose a smaller basis.",
        )
        room = self.bytes / 8 - 8 * shells.widest * len(shells.owner)
        return int(min(MOST, max(1, room // _column(shells))))


def least_bytes(shells: Shells) -> float:
    """Least memory with which the integrals of these shells can be decomposed."""
    return 16 * (8 * shells.widest * len(shells.owner) + shells.widest * _column(shells))


def _column(shells: Shells) -> float:
    """Bytes that one column takes while it is transformed: packed, square, half-way, done."""
    return 8.0 * (2 * len(shells.owner) + 2 * shells.nao**2)


def budget_of(max_memory: float | None) -> Budget:
    """Return the budget for a limit in bytes; None stands for what the machine has free."""
    if max_memory is None:
        return Budget(float(checks.available_memory()), None)
    return Budget(checks.positive("max_memory", max_memory), None)
