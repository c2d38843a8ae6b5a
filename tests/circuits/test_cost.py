# SPDX-License-Identifier: Apache-2.0
"""Counting two-qubit gates."""

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import StatePreparation

from qlowrank.checks import InputError
from qlowrank.circuits import two_qubit_count, two_qubit_depth


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
