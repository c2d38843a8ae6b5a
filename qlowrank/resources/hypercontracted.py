# SPDX-License-Identifier: Apache-2.0
"""The walk of a hypercontracted Hamiltonian."""

from dataclasses import dataclass, field
from math import ceil

from qlowrank.resources.qrom import index_bits, lookup, unlookup
from qlowrank.resources.superposition import rotation_bits
from qlowrank.resources.walk import WalkCost, at_least


@dataclass(frozen=True, slots=True)
class HypercontractedWalk:
    """Sizes of the walk of a hypercontracted Hamiltonian (THC).

    Two registers hold two points; the Givens angles that lead to the orbital of each are looked up
    and applied in turn.

    Source:
        J. Lee et al., PRX Quantum 2, 030305 (2021), section III. Agrees with OpenFermion's program.

    >>> from qlowrank.resources.walk import walk_cost
    >>> walk_cost(HypercontractedWalk(norb=54, n_points=350)).toffoli
    10912
    """

    norb: int = field(metadata={"units": "1"})
    """Spatial orbitals."""
    n_points: int = field(metadata={"units": "1"})
    """M, points, each with an orbital of its own."""
    coefficient_bits: int = field(default=10, metadata={"units": "1"})
    """ℵ, bits of the coefficients that are kept or swapped for an alternative."""
    rotation_bits: int = field(default=16, metadata={"units": "1"})
    """ℶ, bits of each Givens angle."""

    def __post_init__(self) -> None:
        at_least("norb", self.norb, 1)
        at_least("n_points", self.n_points, 1)
        at_least("coefficient_bits", self.coefficient_bits, 1)
        at_least("rotation_bits", self.rotation_bits, 2)

    @property
    def n_coefficients(self) -> int:
        """d, pairs of points and eigenvectors of the one-body part, Eq. (28)."""
        return self.n_points * (self.n_points + 1) // 2 + self.norb

    @property
    def width(self) -> int:
        """Bits of the word that prepares a pair of points, Eq. (29)."""
        return 2 * self._point + 2 + self.coefficient_bits

    @property
    def _point(self) -> int:
        """Qubits of a point."""
        return index_bits(self.n_points + 1)

    def cost(self, step_toffoli: float, /) -> WalkCost:
        """Return the cost of a step; see `Walk`."""
        return WalkCost(self._charges(step_toffoli), self._registers())

    def control_qubits(self, steps: int, /) -> int:
        """Qubits that control `steps` steps of phase estimation, and their iteration."""
        return max(2 * index_bits(steps + 1) - 1, 1)

    def angle_bits(self, step_toffoli: float) -> int:
        """Bits for the superposition over pairs of points."""
        return rotation_bits(self.n_coefficients, self._point, step_toffoli)

    def _charges(self, step_toffoli: float) -> tuple[tuple[str, int], ...]:
        """Toffoli gates, Eqs. (32), (42) and (43)."""
        point, norb, beth = self._point, self.norb, self.rotation_bits
        read = lookup(self.n_coefficients, self.width).toffoli
        blocks = 2 ** unlookup(self.n_points + norb).log2_blocks
        erase = ceil(self.n_points / blocks) + ceil(norb / blocks) + blocks
        return (
            ("superposition", 2 * (10 * point + 2 * self.angle_bits(step_toffoli) - 9)),
            ("contiguous index", 2 * (point**2 + point - 1)),
            ("coefficients", read + unlookup(self.n_coefficients).toffoli),
            ("alias sampling", 2 * self.coefficient_bits + 4 * point),
            ("swaps of points", 2 * point + 2),
            ("swaps of spins", 4 * norb),
            ("angles of the first point", self.n_points + norb - 2 + erase),
            ("angles of the second point", self.n_points - 2 + unlookup(self.n_points).toffoli),
            ("rotations", 8 * norb * (beth - 2)),
            ("occupations", 2),
            ("reflection of the walk", 2 * point + self.coefficient_bits + 4),
        )

    def _registers(self) -> tuple[tuple[str, int], ...]:
        """Qubits: the coefficients' look-up and the rotations share one workspace."""
        blocks = 2 ** lookup(self.n_coefficients, self.width).log2_blocks
        reading = self.width * blocks + index_bits(self.n_coefficients / blocks)
        rotating = self.rotation_bits * self.norb + self.rotation_bits - 2 + self.width
        return (
            ("system", 2 * self.norb),
            ("points", 2 * self._point),
            ("alias sampling", self.coefficient_bits),
            ("flags", 7),
            ("phase gradient", self.rotation_bits),
            ("contiguous index", index_bits(self.n_coefficients)),
            ("coefficients or angles", max(reading, rotating)),
        )
