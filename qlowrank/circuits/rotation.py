# SPDX-License-Identifier: Apache-2.0
"""Orbital rotations as circuits of two-qubit gates between neighbours."""

from typing import TYPE_CHECKING, Any

import numpy as np

from qlowrank.checks import Array
from qlowrank.circuits.givens import givens_rotations
from qlowrank.circuits.network import Indices

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def orbital_rotation_circuit(frame: Any) -> "QuantumCircuit":
    r"""Rotate the orbitals of both spins: the circuit is exactly this unitary, phase included.

    .. math::
        \mathcal{U}\, a^\dagger_{p\sigma}\, \mathcal{U}^\dagger = \sum_q U_{qp} a^\dagger_{q\sigma},
        \qquad \mathcal{U} |\text{vac}\rangle = |\text{vac}\rangle

    A determinant of computational orbitals becomes the one of U's columns. This is the convention
    of ffsim's `apply_orbital_rotation`; 𝒰(U V) = 𝒰(U) 𝒰(V), and the rotation that *measures* in
    the frame U is the inverse, see `measurement_circuit`. Both spin blocks rotate at the same
    time: at most norb layers of two-qubit gates.

    Args:
        frame: U, shape (norb, norb), orthogonal; column k is rotated orbital k.

    Returns:
        Circuit on 2 norb qubits, qubit p alpha orbital p, qubit norb + p beta orbital p
        (Jordan-Wigner), of `z` and `xx_plus_yy` gates.

    Raises:
        InputError: `frame` is not a real, finite, square and orthogonal matrix.

    Source:
        I. D. Kivlichan et al., Phys. Rev. Lett. 120, 110501 (2018).

    >>> circuit = orbital_rotation_circuit([[0.6, 0.8], [0.8, -0.6]])
    >>> dict(circuit.count_ops())
    {'z': 2, 'xx_plus_yy': 2}
    """
    from qiskit import QuantumCircuit

    network = givens_rotations(frame)
    norb = network.norb
    circuit = QuantumCircuit(2 * norb, name="orbital_rotation")
    for block in (0, norb):
        for mode in np.flatnonzero(network.signs < 0):
            circuit.z(block + int(mode))
        append_rotations(circuit, block, network.modes[::-1], network.angles[::-1])
    return circuit


def append_rotations(circuit: "QuantumCircuit", block: int, modes: Indices, angles: Array) -> None:
    r"""Append Givens rotations, first in time first, to the spin block that starts at `block`.

    .. math::
        a^\dagger_m \to \cos\theta\, a^\dagger_m + \sin\theta\, a^\dagger_{m+1}, \qquad
        a^\dagger_{m+1} \to -\sin\theta\, a^\dagger_m + \cos\theta\, a^\dagger_{m+1}

    Neighbours in Jordan-Wigner order need no string of Z: each rotation is one `xx_plus_yy` gate.
    """
    from qiskit.circuit.library import XXPlusYYGate

    for mode, angle in zip(modes.tolist(), angles.tolist(), strict=True):
        gate = XXPlusYYGate(2 * angle, np.pi / 2)
        circuit.append(gate, [block + mode, block + mode + 1])
