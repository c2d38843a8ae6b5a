# SPDX-License-Identifier: Apache-2.0
"""The walk of a double-factorized Hamiltonian."""

from dataclasses import dataclass, field

from qlowrank.resources.qrom import index_bits, lookup, trailing_zeros, unlookup
from qlowrank.resources.superposition import leaf_rotation_bits
from qlowrank.resources.walk import WalkCost, at_least

SECOND_BITS = 7
"""Bits of the angle that prepares the second register; the published programs fix it."""


@dataclass(frozen=True, slots=True)
class DoubleFactorizedWalk:
    """Sizes of the walk of a double-factorized Hamiltonian.

    A first register holds the leaf, a second one the rotated orbital within it; the Givens angles
    that lead to that orbital are looked up and applied, and one Z measures its occupation.

    Source:
        V. von Burg et al., Phys. Rev. Research 3, 033055 (2021), as costed by J. Lee et al., PRX
        Quantum 2, 030305 (2021), appendix C. Agrees with OpenFermion's program.

    >>> walk = DoubleFactorizedWalk(norb=54, n_leaves=360, n_eigenvectors=13031)
    >>> walk.cost(20000).toffoli, walk.cost(20000).qubits
    (21753, 3688)
    """

    norb: int = field(metadata={"units": "1"})
    """Spatial orbitals."""
    n_leaves: int = field(metadata={"units": "1"})
    """L, leaves."""
    n_eigenvectors: int = field(metadata={"units": "1"})
    """Ξ, rotated orbitals of all leaves together."""
    coefficient_bits: int = field(default=10, metadata={"units": "1"})
    """ℵ, bits of the coefficients that are kept or swapped for an alternative."""
    rotation_bits: int = field(default=16, metadata={"units": "1"})
    """ℶ, bits of each Givens angle."""
    second_output_bits: int = field(default=SECOND_BITS, metadata={"units": "1"})
    """Bits of the angle that step 2 brings out for the second register. The tables of 2021 were
    made with those of the first register here instead (`leaf_rotation_bits`)."""

    def __post_init__(self) -> None:
        at_least("norb", self.norb, 1)
        at_least("n_leaves", self.n_leaves, 0)
        at_least("n_eigenvectors", self.n_eigenvectors, 0)
        at_least("coefficient_bits", self.coefficient_bits, 1)
        at_least("rotation_bits", self.rotation_bits, 2)
        at_least("second_output_bits", self.second_output_bits, 1)

    @property
    def _bits(self) -> tuple[int, int, int]:
        """Qubits of the leaf, of the orbital within it, and of both as one contiguous index."""
        return (
            index_bits(self.n_leaves + 1),
            index_bits(self.norb),
            index_bits(self.n_eigenvectors + self.norb),
        )

    @property
    def _offset_width(self) -> int:
        """Bits of the word that prepares the second register, Eq. (C29)."""
        _, inner, both = self._bits
        return inner + both + self.second_output_bits + 1

    def cost(self, step_toffoli: float, /) -> WalkCost:
        """Return the cost of a step; see `Walk`."""
        return WalkCost(self._charges(step_toffoli), self._registers())

    def control_qubits(self, steps: int, /) -> int:
        """Qubits that control `steps` steps of phase estimation, and their iteration."""
        return max(2 * index_bits(steps + 1) - 1, 1)

    def _charges(self, step_toffoli: float) -> tuple[tuple[str, int], ...]:
        """Toffoli gates, in the order of the list that begins on page 50."""
        leaf, inner, both = self._bits
        items = self.n_leaves + 1
        twos = trailing_zeros(items)
        bits = leaf_rotation_bits(items, twos, step_toffoli)
        aleph = self.coefficient_bits
        return (
            ("superposition over leaves", 2 * (3 * leaf + 2 * bits - 3 * twos - 9)),
            ("coefficients of leaves", self._table(items, leaf + aleph)),
            ("alias sampling of leaves", 2 * (aleph + leaf)),
            ("offsets of leaves", self._table(items, self._offset_width)),
            ("superposition over orbitals", 4 * (7 * inner + 2 * SECOND_BITS - 6)),
            ("offset of coefficients", 4 * (both - 1)),
            ("coefficients of orbitals", self._twice(inner + aleph + 2)),
            ("alias sampling of orbitals", 4 * (inner + aleph)),
            ("offset of angles", 4 * (both - 1)),
            ("angles", self._twice(self.norb * self.rotation_bits)),
            ("swaps of spins", 4 * self.norb),
            ("rotations", 8 * self.norb * (self.rotation_bits - 2)),
            ("occupations", 3),
            ("reflection on orbitals", inner + aleph + 2),
            ("reflection of the walk", leaf + inner + aleph + 1),
            ("iteration and control", 2),
        )

    @staticmethod
    def _table(entries: int, width: int) -> int:
        """Look a word up and erase it again."""
        return lookup(entries, width).toffoli + unlookup(entries).toffoli

    def _twice(self, width: int) -> int:
        """Look up with the one-body part, and without it."""
        return self._table(self.n_eigenvectors + self.norb, width) + self._table(
            self.n_eigenvectors, width
        )

    def _registers(self) -> tuple[tuple[str, int], ...]:
        """Qubits, in the order of the list on page 54."""
        leaf, inner, _ = self._bits
        aleph, beth = self.coefficient_bits, self.rotation_bits
        angles = self.norb * beth
        blocks = 2 ** lookup(self.n_eigenvectors + self.norb, angles).log2_blocks
        return (
            ("system", 2 * self.norb),
            ("leaf", leaf + 2),
            ("alias sampling of leaves", leaf + 2 * aleph + 1),
            ("offsets of leaves", self._offset_width),
            ("orbital", inner + 2),
            ("coefficients of orbitals", inner + aleph + 2),
            ("alias sampling of orbitals", aleph + 1),
            ("angles", blocks * angles),
            ("phase gradient", beth),
            ("spin", 1),
            ("T state", 1),
        )
