# SPDX-License-Identifier: Apache-2.0
"""The walk of a double-factorized Hamiltonian, by the closed formula with a mean inner rank."""

from dataclasses import dataclass, field
from math import ceil, floor, log2

from qlowrank import checks
from qlowrank.resources.qrom import index_bits, trailing_zeros
from qlowrank.resources.walk import WalkCost, at_least


@dataclass(frozen=True, slots=True)
class MeanRankWalk:
    """Sizes of the same walk as `DoubleFactorizedWalk`, costed by one formula.

    The formula leaves out what is negligible for large molecules, takes the mean number of rotated
    orbitals and optimises each table jointly with its inverse. It lets a table be read in blocks of
    less than one word where words are longer than the table; for small molecules the counts of
    `DoubleFactorizedWalk` are the ones to trust. Agrees with PennyLane's program.

    Source:
        J. Lee et al., PRX Quantum 2, 030305 (2021), Eqs. (C39) and (C40).

    >>> MeanRankWalk(norb=7, n_leaves=26, mean_rank=5.5, max_rank=7).cost(0).toffoli
    2007
    """

    norb: int = field(metadata={"units": "1"})
    """Spatial orbitals."""
    n_leaves: int = field(metadata={"units": "1"})
    """L, leaves."""
    mean_rank: float = field(metadata={"units": "1"})
    """Rotated orbitals of a leaf, on average."""
    max_rank: int = field(metadata={"units": "1"})
    """Rotated orbitals of the largest leaf."""
    superposition_bits: int = field(default=7, metadata={"units": "1"})
    """Bits of the angles that superpositions are prepared with."""
    coefficient_bits: int = field(default=10, metadata={"units": "1"})
    """ℵ, bits of the coefficients that are kept or swapped for an alternative."""
    rotation_bits: int = field(default=20, metadata={"units": "1"})
    """ℶ, bits of each Givens angle."""

    def __post_init__(self) -> None:
        for name in ("norb", "n_leaves", "max_rank", "superposition_bits"):
            at_least(name, getattr(self, name), 1)
        at_least("coefficient_bits", self.coefficient_bits, 1)
        at_least("rotation_bits", self.rotation_bits, 1)
        checks.positive("mean_rank", self.mean_rank)

    @property
    def _bits(self) -> tuple[int, int, int]:
        """Qubits of the leaf, of the orbital within it, and of both as one contiguous index."""
        return (
            index_bits(self.n_leaves + 1),
            index_bits(self.max_rank),
            index_bits(self._entries + self.norb),
        )

    @property
    def _entries(self) -> float:
        """Ξ, rotated orbitals of all leaves together."""
        return self.n_leaves * self.mean_rank

    @property
    def _widths(self) -> tuple[int, int, int]:
        """Bits of the words of Eqs. (C27), (C29) and (C31)."""
        leaf, inner, both = self._bits
        return (
            leaf + self.coefficient_bits,
            inner + both + self.superposition_bits + 1,
            inner + self.coefficient_bits + 2,
        )

    def cost(self, _step_toffoli: float, /) -> WalkCost:
        """Return the cost of a step, whatever it was guessed to be; see `Walk`."""
        return WalkCost(self._charges(), self._registers())

    def control_qubits(self, steps: int, /) -> int:
        """Qubits that control `steps` steps of phase estimation, and their iteration."""
        return max(2 * index_bits(steps + 1) - 1, 1)

    def _charges(self) -> tuple[tuple[str, int], ...]:
        """Toffoli gates, Eq. (C39)."""
        leaf, inner, both = self._bits
        first, offset, second = self._widths
        items = self.n_leaves + 1
        twos = trailing_zeros(self.n_leaves)
        angles = 2 * self.norb * self.rotation_bits
        return (
            ("coefficients of leaves", _block(items, 0, first, -1)[0]),
            ("offsets of leaves", _block(items, 0, offset, -1)[0]),
            ("erasing of leaves", 2 * _block(items, 0, 1, 0)[0]),
            ("angles", self._both(angles, 0)),
            ("coefficients of orbitals", self._both(2 * second, -1)),
            ("erasing of orbitals", 2 * self._both(2, 0)),
            ("rotations", 6 * self.norb * self.rotation_bits - 12 * self.norb),
            (
                "superpositions and reflections",
                9 * leaf - 6 * twos + 12 * self.superposition_bits + 34 * inner,
            ),
            ("offsets and alias sampling", 8 * both + 9 * self.coefficient_bits - 43),
        )

    def _both(self, width: int, shift: int) -> int:
        """Look up with the one-body part and without it, in blocks of one size."""
        return _block(self._entries + self.norb, self._entries, width, shift)[0]

    def _registers(self) -> tuple[tuple[str, int], ...]:
        """Qubits, Eq. (C40)."""
        leaf, inner, _ = self._bits
        _, offset, second = self._widths
        width = 2 * self.norb * self.rotation_bits
        blocks = _block(self._entries + self.norb, self._entries, width, 0)[1]
        return (
            ("system", 2 * self.norb),
            ("leaf and orbital", 2 * leaf + inner),
            ("alias sampling", 3 * self.coefficient_bits),
            ("phase gradient", self.rotation_bits),
            ("words", offset + second),
            ("angles", int(blocks) * self.norb * self.rotation_bits),
            ("flags", 8),
        )


def _block(first: float, second: float, width: int, shift: int) -> tuple[int, float]:
    """Least of ⌈a/k⌉ + ⌈c/k⌉ + m (k + s) over the powers of two about sqrt((a + c) / m), and k."""
    exponent = log2((first + second) / width) / 2
    costs = []
    for power in sorted({floor(exponent), ceil(exponent)}):
        blocks = 2.0**power
        costs.append(
            (ceil(first / blocks) + ceil(second / blocks) + width * (blocks + shift), blocks)
        )
    cost, blocks = min(costs, key=lambda pair: pair[0])
    return int(cost), blocks
