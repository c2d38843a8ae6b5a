# SPDX-License-Identifier: Apache-2.0
"""What a decomposition may use: memory, disk and threads; and whom it tells how far it is."""

from dataclasses import dataclass, field

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.files.scratch import array_for
from qlowrank.integrals.direct.checkpoint import Checkpoint
from qlowrank.integrals.direct.shells import Shells
from qlowrank.lowrank import Progress
from qlowrank.lowrank.passes import Passes
from qlowrank.lowrank.threads import Executor, Workers, executor_or
from qlowrank.memory import available_memory

MOST = 512
"""Most columns in a batch."""
PARTS = 4
"""Memory is for four things: arrays that are kept there, columns of a batch, what is looked at of
arrays in files, and vectors that are turned to other orbitals. Each may have a quarter."""


@dataclass(frozen=True, slots=True)
class Means:
    """Memory, disk and threads of one decomposition."""

    memory: float = field(metadata={"units": "byte"})
    """What may be taken in memory, bytes."""
    checkpoint: Checkpoint | None
    """Where work is kept for an interrupted run to go on with, if it is to be."""
    team: Workers
    """Threads that share the work."""
    executor: Executor
    """Where shell pairs' integrals are computed: the same threads, or other machines."""
    progress: Progress | None
    """Told how far the work is."""

    def array(self, *shape: int, held: float = 0.0) -> Array:
        """Return an empty array: in memory if it takes less than its part, else in a file.

        Args:
            shape: Of the array.
            held: Bytes of the same part that are taken already.
        """
        return array_for(shape, self._part - held)

    @property
    def passes(self) -> Passes:
        """How rows are gone over, in memory and in files."""
        return Passes(self.team, self._part)

    def tell(self, task: str, done: int, total: int | None) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(task, done, total)

    def columns_at_a_time(self, shells: Shells, most: int) -> int:
        """How many columns of integrals enter a batch, if `most` would be best.

        Raises:
            InputError: There is no room for those of one shell pair.
        """
        enough_for_a_shell_pair(shells, self.memory)
        room = self._part - self.team.count * _shell_pair(shells)
        return int(min(most, MOST, max(1, room // _column(shells))))

    def vectors_at_a_time(self, nao: int, most: int) -> int:
        """How many vectors each thread transforms together, if `most` would be best."""
        return int(min(most, max(1, self._part / self.team.count // (8 * 3 * nao**2))))

    @property
    def _part(self) -> float:
        """Bytes for each of the things that memory is for."""
        return self.memory / PARTS


def enough_for_a_shell_pair(shells: Shells, memory: float) -> None:
    """Refuse a limit, in bytes, that leaves no room for the columns of one shell pair."""
    checks.fits(
        "One shell pair's integrals with all others",
        least_bytes(shells),
        memory,
        "Raise max_memory to at least that, or choose a smaller basis.",
    )


def least_bytes(shells: Shells) -> float:
    """Least memory with which the integrals of these shells can be decomposed."""
    return PARTS * (_shell_pair(shells) + shells.widest * _column(shells))


def _shell_pair(shells: Shells) -> float:
    """Bytes that the integrals of one shell pair take, and their squares for the fields."""
    return 8.0 * shells.widest * (len(shells.owner) + shells.nao**2)


def _column(shells: Shells) -> float:
    """Bytes that one column takes: integrals, what is left of them, a product, and its vector."""
    return 8.0 * 4 * len(shells.owner)


def means(
    max_memory: float | None,
    checkpoint: Checkpoint | None,
    team: Workers,
    progress: Progress | None,
) -> Means:
    """Return the means for a limit in bytes; None stands for what the machine has free."""
    if max_memory is None:
        memory = float(available_memory())
    else:
        memory = checks.positive("max_memory", max_memory)
    return Means(memory, checkpoint, team, executor_or(team), progress)
