# SPDX-License-Identifier: Apache-2.0
"""The walk of a single-factorized Hamiltonian."""

from dataclasses import dataclass, field

from qlowrank.resources.qrom import index_bits, lookup, lookup_pair, trailing_zeros, unlookup
from qlowrank.resources.superposition import leaf_rotation_bits, rotation_bits
from qlowrank.resources.walk import TYPICAL_STEP, WalkCost, at_least


@dataclass(frozen=True, slots=True)
class SingleFactorizedWalk:
    """Sizes of the walk of a single-factorized Hamiltonian: squares of matrices, entry by entry.

    Source:
        D. W. Berry et al., Quantum 3, 208 (2019), as costed by J. Lee et al., PRX Quantum 2, 030305
        (2021), appendix B. Agrees with OpenFermion's program.

    >>> SingleFactorizedWalk(norb=54, n_factors=200).cost(20000).toffoli
    14184
    """

    norb: int = field(metadata={"units": "1"})
    """Spatial orbitals."""
    n_factors: int = field(metadata={"units": "1"})
    """L, squares."""
    coefficient_bits: int = field(default=10, metadata={"units": "1"})
    """ℵ, bits of the coefficients that are kept or swapped for an alternative."""

    def __post_init__(self) -> None:
        at_least("norb", self.norb, 1)
        at_least("n_factors", self.n_factors, 0)
        at_least("coefficient_bits", self.coefficient_bits, 1)

    @property
    def n_pairs(self) -> int:
        """Entries of a symmetric matrix, transposed ones once.

        Halved as the published program halves: one less where norb is odd, which no printed figure
        shows.
        """
        return max(self.norb**2 // 2 + self.norb // 2, 1)

    @property
    def _bits(self) -> tuple[int, int]:
        """Qubits of the factor and of an orbital."""
        return index_bits(self.n_factors + 1), index_bits(self.norb)

    @property
    def _width(self) -> int:
        """Bits of the word that prepares a pair of orbitals."""
        return 2 * self._bits[1] + self.coefficient_bits + 2

    @property
    def _pair_angle_bits(self) -> int:
        """Bits for the superposition over pairs; the published program takes a typical step."""
        return rotation_bits(self.n_pairs, 2 * self._bits[1], TYPICAL_STEP)

    def cost(self, step_toffoli: float, /) -> WalkCost:
        """Return the cost of a step; see `Walk`."""
        return WalkCost(self._charges(step_toffoli), self._registers())

    def control_qubits(self, steps: int, /) -> int:
        """Qubits that control `steps` steps of phase estimation, and their iteration."""
        return max(2 * index_bits(steps) - 1, 1)

    def _charges(self, step_toffoli: float) -> tuple[tuple[str, int], ...]:
        """Toffoli gates, in the order of the list on pages 43 and 44."""
        factor, orbital = self._bits
        items, aleph = self.n_factors + 1, self.coefficient_bits
        twos = trailing_zeros(items)
        bits = leaf_rotation_bits(items, twos, step_toffoli)
        first = lookup(items, factor + aleph + 2).toffoli + unlookup(items).toffoli
        return (
            ("superposition over factors", 2 * (3 * factor - 3 * twos + 2 * bits - 9)),
            ("coefficients of factors", first),
            ("alias sampling of factors", 2 * (aleph + factor + 1)),
            ("superposition over pairs", 4 * (6 * orbital + 2 * self._pair_angle_bits - 7)),
            ("contiguous index", 4 * (orbital**2 + orbital - 1)),
            ("coefficients of pairs", self._table(items) + self._table(self.n_factors)),
            ("alias sampling of pairs", 4 * (aleph + 2 * orbital)),
            ("swaps of a pair", 4 * orbital),
            ("selection", 8 * self.norb - 8),
            ("reflection on pairs", 2 * orbital + aleph + 3),
            ("test for the one-body part", 1),
            ("reflection of the walk", factor + 2 * orbital + 2 * aleph + 2),
            ("iteration and control", 2),
        )

    def _table(self, factors: int) -> int:
        """Look up the coefficient of a pair in one of `factors` matrices, and erase it."""
        read = lookup_pair(factors, self.n_pairs, self._width).toffoli
        return read + unlookup(factors * self.n_pairs).toffoli

    def _registers(self) -> tuple[tuple[str, int], ...]:
        """Qubits."""
        factor, orbital = self._bits
        aleph = self.coefficient_bits
        items = self.n_factors + 1
        blocks = lookup_pair(items, self.n_pairs, self._width).blocks
        return (
            ("system", 2 * self.norb),
            ("factor", factor + 2),
            ("alias sampling of factors", factor + 2 * aleph + 3),
            ("pair", 2 * orbital + 2),
            ("contiguous index", index_bits(self.n_pairs)),
            ("alias sampling of pairs", aleph),
            ("phase gradient", self._pair_angle_bits),
            (
                "coefficients of pairs",
                blocks[0] * blocks[1] * self._width
                + index_bits(items / blocks[0])
                + index_bits(self.n_pairs / blocks[1]),
            ),
        )
