# SPDX-License-Identifier: Apache-2.0
"""Counting two-qubit gates."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import StatePreparation
from qiskit.transpiler import CouplingMap, generate_preset_pass_manager

from qlowrank.checks import InputError
from qlowrank.circuits import (
    CircuitCost,
    circuit_cost,
    measurement_circuit,
    two_qubit_count,
    two_qubit_depth,
)


def test_only_two_qubit_gates_count():
    circuit = QuantumCircuit(4, 4)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(2, 3)
    circuit.x(1)
    circuit.barrier()
    circuit.barrier(0, 1)
    circuit.cz(1, 2)
    circuit.measure(range(4), range(4))
    assert (two_qubit_count(circuit), two_qubit_depth(circuit)) == (3, 2)


@pytest.mark.parametrize("n_qubits", [0, 1, 4])
def test_an_empty_circuit_costs_nothing(n_qubits):
    circuit = QuantumCircuit(n_qubits)
    assert (two_qubit_count(circuit), two_qubit_depth(circuit)) == (0, 0)


@pytest.mark.parametrize("count", [two_qubit_count, two_qubit_depth])
def test_what_cannot_be_counted_is_refused(count):
    wide = QuantumCircuit(3)
    wide.append(StatePreparation([1] + [0] * 7), range(3))
    with pytest.raises(InputError, match="through 'state_preparation' on 3 qubits; transpile"):
        count(wide)

    branching = QuantumCircuit(2, 1)
    with branching.if_test((branching.clbits[0], 1)):
        branching.cx(0, 1)
    with pytest.raises(InputError, match="through 'if_else' on 2 qubits"):
        count(branching)


def test_cost_before_and_after_a_pass_manager(random_frame):
    """Each rotation is one gate as it stands, and two CX once compiled."""
    circuit = measurement_circuit(random_frame(4))
    manager = generate_preset_pass_manager(
        optimization_level=1, basis_gates=["rz", "sx", "x", "cx"], seed_transpiler=1
    )

    before, after = circuit_cost(circuit), circuit_cost(circuit, pass_manager=manager)

    assert before == CircuitCost(two_qubit_count=12, two_qubit_depth=4, depth=5)
    assert (after.two_qubit_count, after.two_qubit_depth) == (24, 8)
    assert after.depth > 8
    assert circuit.count_ops()["xx_plus_yy"] == 12


def test_a_device_with_a_line_of_qubits_needs_no_routing(random_frame):
    """Neighbours only: one line of 8 qubits runs it without a swap."""
    circuit = measurement_circuit(random_frame(4), needed=np.array([True, False, True, False]))
    manager = generate_preset_pass_manager(
        optimization_level=1,
        basis_gates=["rz", "sx", "x", "cx"],
        coupling_map=CouplingMap.from_line(8),
        initial_layout=list(range(8)),
        seed_transpiler=1,
    )
    assert circuit_cost(circuit).two_qubit_count == 2 * 5
    assert circuit_cost(circuit, pass_manager=manager).two_qubit_count == 2 * 2 * 5


def test_an_uncompiled_circuit_is_counted_once_it_is_compiled():
    wide = QuantumCircuit(3)
    wide.append(StatePreparation([1] + [0] * 7), range(3))
    with pytest.raises(InputError, match="through 'state_preparation'"):
        circuit_cost(wide)
    manager = generate_preset_pass_manager(1, basis_gates=["rz", "sx", "x", "cx"])
    assert circuit_cost(wide, pass_manager=manager).two_qubit_depth == 0
