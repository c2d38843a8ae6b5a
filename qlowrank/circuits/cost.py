# SPDX-License-Identifier: Apache-2.0
"""What a circuit costs: two-qubit gates, and how many of them follow one another."""

from typing import TYPE_CHECKING

from qlowrank.checks import InputError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import CircuitInstruction


def two_qubit_depth(circuit: "QuantumCircuit") -> int:
    """Longest chain of two-qubit gates in `circuit`; other instructions count as nothing.

    Raises:
        InputError: The circuit has gates on more than two qubits, or control flow, whose depth
            depends on how they are compiled.

    >>> from qiskit import QuantumCircuit
    >>> circuit = QuantumCircuit(3)
    >>> _ = circuit.cx(0, 1), circuit.h(1), circuit.cx(1, 2)
    >>> two_qubit_depth(circuit), two_qubit_count(circuit)
    (2, 2)
    """
    return int(circuit.depth(_is_two_qubit_gate))


def two_qubit_count(circuit: "QuantumCircuit") -> int:
    """Number of two-qubit gates in `circuit`; composite gates on two qubits count as one.

    Raises:
        InputError: As for `two_qubit_depth`.
    """
    return sum(_is_two_qubit_gate(instruction) for instruction in circuit.data)


def _is_two_qubit_gate(instruction: "CircuitInstruction") -> bool:
    """Say whether an instruction counts; refuse those whose count depends on compilation."""
    from qiskit.circuit import Barrier, ControlFlowOp

    operation = instruction.operation
    if isinstance(operation, Barrier):
        return False
    if len(instruction.qubits) > 2 or isinstance(operation, ControlFlowOp):
        raise InputError(
            f"two-qubit gates cannot be counted through {operation.name!r} on "
            f"{len(instruction.qubits)} qubits; transpile the circuit first, for instance to "
            "basis_gates=['rz', 'sx', 'x', 'cx']."
        )
    return len(instruction.qubits) == 2
