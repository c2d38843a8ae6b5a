# SPDX-License-Identifier: Apache-2.0
"""A layer of a Hamiltonian: occupation numbers of one orbital frame, and their evolution."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.circuits.frames import orthogonal
from qlowrank.circuits.network import Indices
from qlowrank.lowrank import tournament

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


@dataclass(frozen=True, eq=False)
class EvolutionLayer:
    r"""An operator that is diagonal in the occupation numbers of a frame.

    .. math:: H = \sum_k e_k \tilde n_k + \tfrac12 \sum_{kl} Z_{kl} \tilde n_k \tilde n_l, \qquad
              \tilde n_k = \tilde n_{k\alpha} + \tilde n_{k\beta}
    """

    frame: Array = field(metadata={"units": "1", "axes": "orbital,rotated"})
    """U, shape (norb, norb), orthogonal; column k is rotated orbital k."""
    energies: Array = field(metadata={"units": "hartree", "axes": "rotated"})
    """e, shape (norb,), Hartree."""
    core: Array = field(metadata={"units": "hartree", "axes": "rotated,rotated"})
    """Z, shape (norb, norb), symmetric, Hartree."""

    def __post_init__(self) -> None:
        frame = orthogonal("frame", self.frame)
        norb = len(frame)
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "energies", checks.readonly("energies", self.energies, (norb,)))
        object.__setattr__(self, "core", checks.symmetric("core", self.core, norb))

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        return len(self.frame)

    @property
    def needed(self) -> NDArray[np.bool_]:
        """Which columns of the frame the operator knows, shape (norb,)."""
        return np.asarray((self.energies != 0) | self.core.any(axis=1))


def append_evolution(
    circuit: "QuantumCircuit", layer: EvolutionLayer, time: float, modes: Indices
) -> None:
    r"""Append e^{-i t H} of a layer, its rotated orbital k on qubits modes[k] and norb + modes[k].

    .. math:: e^{-i t e_k n_{k\sigma}}, \quad e^{-i t Z_{kk} n_{k\sigma} / 2}: \text{ phase gates};
              \qquad e^{-i t Z_{kl} n_{k\sigma} n_{l\tau}}: \text{ controlled phases}

    The pairs are dealt out as a round-robin tournament: r orbitals take 2r - 1 layers of r gates.
    """
    norb = layer.norb
    columns = np.flatnonzero(layer.needed)
    angles = -time * (layer.energies + np.diag(layer.core) / 2)
    spots = [(int(k), block + int(modes[k])) for block in (0, norb) for k in columns]
    for k, qubit in spots:
        if angles[k]:
            circuit.p(angles[k], qubit)
    for pairs in tournament(len(spots)):
        for first, second in zip(*pairs, strict=True):
            (k, control), (other, target) = spots[first], spots[second]
            if layer.core[k, other]:
                circuit.cp(-time * layer.core[k, other], control, target)
