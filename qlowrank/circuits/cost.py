# SPDX-License-Identifier: Apache-2.0
"""What a circuit costs: two-qubit gates, and how many of them follow one another."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qlowrank.checks import InputError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import CircuitInstruction
    from qiskit.transpiler import PassManager


@dataclass(frozen=True, slots=True)
class CircuitCost:
    """Gates of a circuit, and how many of them follow one another."""

    two_qubit_count: int = field(metadata={"units": "1"})
    """Number of two-qubit gates."""
    two_qubit_depth: int = field(metadata={"units": "1"})
    """Longest chain of two-qubit gates."""
    depth: int = field(metadata={"units": "1"})
    """Longest chain of instructions of any kind, measurements too, barriers not."""


def circuit_cost(
    circuit: "QuantumCircuit", *, pass_manager: "PassManager | None" = None
) -> CircuitCost:
    """Count the gates of a circuit, as it is or as a pass manager compiles it.

    Args:
        circuit: Of gates on one and two qubits, once compiled.
        pass_manager: What compiles it for a device, for instance
            `qiskit.transpiler.generate_preset_pass_manager(2, basis_gates=["rz", "sx", "cz"])`.
            None counts the circuit as it stands.

    Raises:
        InputError: As for `two_qubit_depth`.

    >>> from qiskit.transpiler import generate_preset_pass_manager
    >>> from qlowrank.circuits.measurement import measurement_circuit
    >>> circuit = measurement_circuit([[0.6, 0.8], [0.8, -0.6]])
    >>> circuit_cost(circuit)
    CircuitCost(two_qubit_count=2, two_qubit_depth=1, depth=2)
    >>> manager = generate_preset_pass_manager(1, basis_gates=["rz", "sx", "cx"])
    >>> circuit_cost(circuit, pass_manager=manager).two_qubit_count
    4
    """
    if pass_manager is not None:
        circuit = pass_manager.run(circuit)
    return CircuitCost(
        two_qubit_count=two_qubit_count(circuit),
        two_qubit_depth=two_qubit_depth(circuit),
        depth=int(circuit.depth()),
    )


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
