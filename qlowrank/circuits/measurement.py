# SPDX-License-Identifier: Apache-2.0
"""The circuit that measures the occupation numbers of an orbital frame."""

from typing import TYPE_CHECKING, Any

from qlowrank.checks import InputError
from qlowrank.circuits.elimination import NEGLIGIBLE
from qlowrank.circuits.readout import ReadoutNetwork, readout_network
from qlowrank.circuits.rotation import append_rotations

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def measurement_circuit(
    frame: Any,
    preparation: "QuantumCircuit | None" = None,
    *,
    needed: Any = None,
    negligible: float = NEGLIGIBLE,
) -> "QuantumCircuit":
    r"""Prepare a state, rotate it into a frame and measure all qubits into the register `meas`.

    .. math::
        W\, \tilde a^\dagger_{k\sigma}\, W^\dagger = \pm a^\dagger_{m_k\sigma}, \qquad
        \tilde a^\dagger_{k\sigma} = \sum_p U_{pk} a^\dagger_{p\sigma}

    Bit k of a shot is the occupation of the frame's column k with spin alpha, bit norb + k with
    spin beta; in a bitstring, which Qiskit writes from the right, alpha is the right half. Column
    k may come out on any qubit m_k, and is measured into bit k from there: order costs nothing.
    The signs ± do not show in a measurement and are left out. At most norb layers of two-qubit
    gates follow the preparation; see `readout_network` for how few gates they are.

    Bits of columns that are not needed mean nothing one by one, only that each spin's bits add up
    to its electrons.

    Args:
        frame: U, shape (norb, norb), orthogonal; column k is rotated orbital k.
        preparation: Circuit on 2 norb qubits (Jordan-Wigner, qubit p alpha orbital p, qubit
            norb + p beta orbital p) without classical bits; it may have free parameters. None
            measures the vacuum: the rotation alone.
        needed: Which columns are read, norb booleans; None: all. The fewer, the shorter.
        negligible: Elements of U at most this large count as zero, 1e-12 to 1e-8.

    Returns:
        Circuit on 2 norb qubits and the classical register `meas` of 2 norb bits; after the
        preparation, only `xx_plus_yy` and `measure`.

    Raises:
        InputError: `frame` is not orthogonal; `needed` is no mask of its columns; `preparation` is
            no circuit, has another number of qubits, or has classical bits.

    Source:
        W. J. Huggins et al., npj Quantum Inf. 7, 23 (2021) (arXiv:1907.13117): basis rotation
        grouping.

    >>> circuit = measurement_circuit([[0.6, 0.8], [0.8, -0.6]])
    >>> dict(circuit.count_ops())
    {'measure': 4, 'xx_plus_yy': 2}
    """
    readout = readout_network(frame, needed=needed, negligible=negligible)
    return readout_circuit(readout, preparation)


def readout_circuit(
    readout: ReadoutNetwork, preparation: "QuantumCircuit | None" = None
) -> "QuantumCircuit":
    """Prepare a state and measure it through a network found before; see `measurement_circuit`.

    >>> import numpy as np
    >>> circuit = readout_circuit(readout_network(np.eye(3)[:, [2, 0, 1]]))
    >>> dict(circuit.count_ops())
    {'measure': 6}
    """
    from qiskit import ClassicalRegister, QuantumCircuit

    network = readout.network
    norb = network.norb
    circuit = QuantumCircuit(2 * norb, name="measurement")
    if preparation is not None:
        _refuse_unfit(preparation, 2 * norb)
        circuit.compose(preparation, inplace=True)
    for block in (0, norb):
        append_rotations(circuit, block, network.modes, -network.angles)
    circuit.add_register(ClassicalRegister(2 * norb, "meas"))
    for block in (0, norb):
        circuit.measure((block + readout.modes).tolist(), range(block, block + norb))
    return circuit


def _refuse_unfit(preparation: Any, n_qubits: int) -> None:
    """Refuse a preparation that does not fit before the rotation."""
    from qiskit import QuantumCircuit

    if not isinstance(preparation, QuantumCircuit):
        raise InputError(
            f"preparation must be a qiskit.QuantumCircuit; got {type(preparation).__name__}."
        )
    if preparation.num_qubits != n_qubits:
        raise InputError(
            f"preparation must act on {n_qubits} qubits, two for each orbital of the frame; it "
            f"has {preparation.num_qubits}. Pass the circuit before any transpilation."
        )
    if preparation.num_clbits:
        raise InputError(
            f"preparation must have no measurements and no classical bits; it has "
            f"{preparation.num_clbits}. Drop them: "
            "preparation.remove_final_measurements(inplace=False)."
        )
