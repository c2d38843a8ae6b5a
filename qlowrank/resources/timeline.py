# SPDX-License-Identifier: Apache-2.0
"""A step of the hypercontracted walk in time: which stage needs how many qubits, for how long."""

from dataclasses import dataclass, field
from math import ceil

from qlowrank.checks import InputError
from qlowrank.resources.hypercontracted import HypercontractedWalk
from qlowrank.resources.qrom import index_bits, unlookup
from qlowrank.resources.walk import TYPICAL_STEP, at_least

Stage = tuple[str, int, int]
"""(name, Toffoli gates, logical qubits)."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Stages of a step, in order."""

    stages: tuple[Stage, ...] = field(metadata={"units": "1"})
    """(name, Toffoli gates, logical qubits in use)."""

    @property
    def toffoli(self) -> int:
        """Toffoli gates of the step."""
        return sum(toffoli for _, toffoli, _ in self.stages)

    @property
    def qubits(self) -> int:
        """Most qubits in use at a time."""
        return max(qubits for _, _, qubits in self.stages)

    @property
    def volume(self) -> int:
        """Sum of gates times qubits in use: what a computer that recycles qubits would pay."""
        return sum(toffoli * qubits for _, toffoli, qubits in self.stages)


def hypercontracted_timeline(walk: HypercontractedWalk, *, steps: int, parts: int = 1) -> Timeline:
    """Follow a step of the walk stage by stage.

    Qubits are taken when needed and given back when erased, so that most of the time fewer are in
    use than the most. Angles may be loaded half at a time, which takes more look-ups and fewer
    qubits; coefficients are then read in smaller blocks, 16 words in place of 32, and phase
    estimation controls each step anew.

    Args:
        walk: Sizes and bits.
        steps: Steps of phase estimation.
        parts: 1 or 2: how many parts the angles are loaded in.

    Raises:
        InputError: Fewer than one step, or parts other than 1 or 2.

    Source:
        J. Lee et al., PRX Quantum 2, 030305 (2021), Figs. 11 (two parts) and 12 (one part).

    >>> walk = HypercontractedWalk(norb=54, n_points=350)
    >>> whole, halved = (
    ...     hypercontracted_timeline(walk, steps=483303, parts=parts) for parts in (1, 2)
    ... )
    >>> whole.toffoli < halved.toffoli, whole.qubits > halved.qubits
    (True, True)
    """
    at_least("steps", steps, 1)
    if parts not in {1, 2}:
        raise InputError(f"parts must be 1 or 2; got {parts!r:.60}.")
    book = _Book(walk, steps, parts)
    book.prepare()
    book.select()
    book.unprepare()
    return Timeline(stages=tuple(book.stages))


class _Book:
    """Keeps account of the qubits held while stages pass."""

    def __init__(self, walk: HypercontractedWalk, steps: int, parts: int) -> None:
        self.walk, self.parts = walk, parts
        self.point = index_bits(walk.n_points + 1)
        self.index = index_bits(walk.n_coefficients)
        self.superposition = 10 * self.point + 2 * walk.angle_bits(TYPICAL_STEP) - 9
        self.control = index_bits(steps + 1)
        self.stages: list[Stage] = []
        controls = 2 * self.control - 1 if parts == 1 else self.control
        registers = 2 * walk.norb + 2 * self.point + 4
        self.held = controls + registers + walk.rotation_bits + walk.coefficient_bits

    def stage(self, name: str, toffoli: int, extra: int) -> None:
        """Write down a stage that uses `extra` qubits beyond those held."""
        self.stages.append((name, int(toffoli), int(self.held + extra)))

    def prepare(self) -> None:
        """From nothing to a pair of points in superposition."""
        walk, point = self.walk, self.point
        pairs = point**2 + point
        blocks = 32 // self.parts
        entries = walk.n_coefficients
        self.stage("superposition", self.superposition, 4 * point - 1)
        self.held += 2
        self.stage("contiguous index", pairs - 1, pairs)
        self.held += self.index
        self.stage(
            "coefficients",
            ceil(entries / blocks) + walk.width * (blocks - 1),
            walk.width * blocks + index_bits(entries / blocks),
        )
        self.held += walk.width
        self.stage("inequality test", walk.coefficient_bits, walk.coefficient_bits)
        self.stage("swaps of alternatives", 2 * point, 0)
        self.stage("swap of points", point + 1, 0)
        self.stage("swap of spins", walk.norb, 0)

    def select(self) -> None:
        """Turn to the orbital of each point, and take its occupation number's sign."""
        walk = self.walk
        both = 2 ** unlookup(walk.n_points + walk.norb).log2_blocks
        erase = ceil(walk.n_points / both) + ceil(walk.norb / both) + both
        self._turn(walk.n_points + walk.norb - 2, self.point, middle=False)
        self.stage("erasing of angles", erase, both + index_bits(walk.n_points / both))
        for toffoli in (walk.norb, 1, walk.norb):
            self.stage("swap of spins", toffoli, 0)
        self._turn(walk.n_points - 2, self.point - 1, middle=True)
        last = unlookup(walk.n_points)
        blocks = 2**last.log2_blocks
        erase = ceil(walk.n_points / blocks) + blocks
        self.stage("erasing of angles", erase, blocks + index_bits(walk.n_points / blocks))

    def _turn(self, read: int, address: int, *, middle: bool) -> None:
        """Load angles, rotate, and rotate back; erase the angles one by one on the way back."""
        walk = self.walk
        beth = walk.rotation_bits
        size = walk.norb * beth // self.parts
        rotate = 2 * walk.norb * (beth - 2) // self.parts

        def load() -> None:
            self.stage("angles", read, address + size)

        def turn() -> None:
            self.stage("rotations", rotate, size + beth - 2)

        for _ in range(self.parts):
            load()
            turn()
        if middle:
            self.stage("occupation", 1, size)
        for _ in range(self.parts - 1):
            turn()
            load()
        for number in range(walk.norb // self.parts):
            self.stage("rotations back", 2 * (beth - 2), size - number * beth + beth - 2)

    def unprepare(self) -> None:
        """Back to nothing, and the reflection that makes it a step."""
        walk, point = self.walk, self.point
        pairs = point**2 + point
        self.stage("swap of spins", walk.norb, 0)
        self.stage("swap of points", point + 1, 1)
        self.stage("swaps of alternatives", 2 * point, 0)
        self.stage("inequality test", walk.coefficient_bits, walk.coefficient_bits)
        self.held -= walk.width
        blocks = 2 ** unlookup(walk.n_coefficients).log2_blocks
        erase = ceil(walk.n_coefficients / blocks) + blocks
        address = index_bits(walk.n_coefficients / blocks)
        self.stage("erasing of coefficients", erase, blocks + address)
        self.held -= self.index
        self.stage("contiguous index", pairs - 1, pairs)
        self.stage("superposition", self.superposition, 4 * point - 1)
        self.held -= 2
        reflection = 2 * point + walk.coefficient_bits + 3
        reflection += self.control if self.parts == 2 else 0
        self.stage("reflection of the walk", reflection, reflection)
        self.stage("iteration", 1, 0)
