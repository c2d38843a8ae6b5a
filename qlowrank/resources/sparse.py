# SPDX-License-Identifier: Apache-2.0
"""The walk of a Hamiltonian given by its integrals that are not zero."""

from dataclasses import dataclass, field
from math import ceil

from qlowrank.resources.qrom import index_bits, trailing_zeros, unlookup
from qlowrank.resources.superposition import rotation_bits
from qlowrank.resources.walk import WalkCost, at_least


@dataclass(frozen=True, slots=True)
class SparseWalk:
    """Sizes of the walk of a sparse Hamiltonian: one look-up of an integral and its orbitals.

    Source:
        D. W. Berry et al., Quantum 3, 208 (2019), as costed by J. Lee et al., PRX Quantum 2, 030305
        (2021), appendix A. Agrees with OpenFermion's program.

    >>> SparseWalk(norb=54, n_integrals=705831).cost(20000).toffoli
    26347
    """

    norb: int = field(metadata={"units": "1"})
    """Spatial orbitals."""
    n_integrals: int = field(metadata={"units": "1"})
    """d, integrals that are not zero and not equal by symmetry, of one and of two electrons."""
    coefficient_bits: int = field(default=10, metadata={"units": "1"})
    """ℵ, bits of the coefficients that are kept or swapped for an alternative."""
    blocks: int = field(default=32, metadata={"units": "1"})
    """Words the look-up brings out at a time, a power of two; the published figures have 32."""

    def __post_init__(self) -> None:
        at_least("norb", self.norb, 1)
        at_least("n_integrals", self.n_integrals, 1)
        at_least("coefficient_bits", self.coefficient_bits, 1)
        at_least("blocks", self.blocks, 1)

    @property
    def _width(self) -> int:
        """Bits of a word: the coefficient, and eight orbitals, Eq. (A13)."""
        return self.coefficient_bits + 8 * index_bits(self.norb) + 4

    def cost(self, step_toffoli: float, /) -> WalkCost:
        """Return the cost of a step; see `Walk`."""
        twos = trailing_zeros(self.n_integrals)
        index = index_bits(self.n_integrals)
        bits = rotation_bits(self.n_integrals / 2**twos, (index - twos) / 2, step_toffoli, fewest=3)
        return WalkCost(self._charges(index, twos, bits), self._registers(index, bits))

    def control_qubits(self, steps: int, /) -> int:
        """Qubits that control `steps` steps of phase estimation, and their iteration."""
        return max(2 * index_bits(steps) - 1, 1)

    def _charges(self, index: int, twos: int, bits: int) -> tuple[tuple[str, int], ...]:
        """Toffoli gates, Eq. (A17)."""
        read = ceil(self.n_integrals / self.blocks) + self._width * (self.blocks - 1)
        return (
            ("coefficients", read + unlookup(self.n_integrals).toffoli),
            ("selection", 8 * self.norb),
            ("swaps of orbitals", 8 * index_bits(self.norb)),
            ("alias sampling", 2 * self.coefficient_bits),
            ("superposition and reflections", 7 * index - 6 * twos + 4 * bits - 19),
        )

    def _registers(self, index: int, bits: int) -> tuple[tuple[str, int], ...]:
        """Qubits, in the order of the list on page 39."""
        return (
            ("system", 2 * self.norb),
            ("integral", index),
            ("flags", 2),
            ("phase gradient", bits),
            ("alias sampling", self.coefficient_bits),
            (
                "coefficients",
                index_bits(self.n_integrals / self.blocks) + self._width * self.blocks,
            ),
        )
