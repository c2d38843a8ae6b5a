# SPDX-License-Identifier: Apache-2.0
"""Copies in QPY and OpenQASM 3: what is read back is what was written."""

import ast
import operator
import re
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Gate, Parameter
from qiskit.quantum_info import Statevector
from scipy.linalg import expm

from qlowrank.checks import InputError
from qlowrank.circuits import (
    determinant_circuit,
    measurement_circuit,
    orbital_rotation_circuit,
    to_qasm3,
    to_qpy,
)
from qlowrank.circuits.export import QPY_VERSION

EPS = np.finfo(float).eps

PAULI_X, PAULI_Y, PAULI_Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), [1, -1]


def controlled(gate):
    """On (control, target), the control the low bit of the index."""
    matrix = np.eye(4, dtype=complex)
    matrix[np.ix_([1, 3], [1, 3])] = gate
    return matrix


STDGATES = {
    # From the OpenQASM 3 specification; up to a global phase, which it lets float too.
    "x": lambda: PAULI_X,
    "z": lambda: np.diag(PAULI_Z),
    "h": lambda: (PAULI_X + np.diag(PAULI_Z)) / np.sqrt(2),
    "s": lambda: np.diag([1, 1j]),
    "sdg": lambda: np.diag([1, -1j]),
    "sx": lambda: expm(0.25j * np.pi * (np.eye(2) - PAULI_X)),
    "rx": lambda angle: expm(-0.5j * angle * PAULI_X),
    "ry": lambda angle: expm(-0.5j * angle * PAULI_Y),
    "rz": lambda angle: expm(-0.5j * angle * np.diag(PAULI_Z)),
    "cx": lambda: controlled(PAULI_X),
}


@dataclass
class Program:
    """The subset of OpenQASM 3 that these circuits are written in."""

    definitions: dict
    n_qubits: int
    n_bits: int
    calls: list
    qubit_of_bit: dict


CALL = re.compile(r"(\w+)(?:\((.*)\))? ([\w\[\], ]+)")


def parse(text):
    """Read a program line by line; anything unknown is an error."""
    lines = [line.strip().rstrip(";") for line in text.splitlines() if line.strip()]
    assert lines[:2] == ["OPENQASM 3.0", 'include "stdgates.inc"']
    program, body = Program({}, 0, 0, [], {}), None
    for line in lines[2:]:
        if line.startswith("gate "):
            name, names, qubits = CALL.fullmatch(line[5:-2]).group(1, 2, 3)
            body = []
            program.definitions[name] = ((names or "").split(", "), qubits.split(", "), body)
        elif line == "}":
            body = None
        elif register := re.fullmatch(r"qubit\[(\d+)\] q", line):
            program.n_qubits = int(register[1])
        elif register := re.fullmatch(r"bit\[(\d+)\] meas", line):
            program.n_bits = int(register[1])
        elif measure := re.fullmatch(r"meas\[(\d+)\] = measure q\[(\d+)\]", line):
            program.qubit_of_bit[int(measure[1])] = int(measure[2])
        else:
            name, angles, qubits = CALL.fullmatch(line).group(1, 2, 3)
            call = (name, angles.split(", ") if angles else [], qubits.split(", "))
            (program.calls if body is None else body).append(call)
    return program


OPERATORS = {ast.Mult: operator.mul, ast.Add: operator.add, ast.Sub: operator.sub}


def evaluate(node, values):
    """Arithmetic of numbers and named angles."""
    if isinstance(node, str):
        return evaluate(ast.parse(node, mode="eval").body, values)
    if isinstance(node, ast.Constant):
        return float(node.value)
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.UnaryOp):
        assert isinstance(node.op, ast.USub)
        return -evaluate(node.operand, values)
    return OPERATORS[type(node.op)](evaluate(node.left, values), evaluate(node.right, values))


def apply(state, program, call, values, qubit_of):
    """Apply a standard gate, or what a definition says, to axes `qubit` of `state`."""
    name, angles, operands = call
    angles = [evaluate(angle, values) for angle in angles]
    qubits = [qubit_of[operand] for operand in operands]
    if name in STDGATES:
        matrix = STDGATES[name](*angles).reshape((2,) * (2 * len(qubits)))
        # Axes of the matrix run from the last qubit to the first, out and in.
        inner = list(range(2 * len(qubits) - 1, len(qubits) - 1, -1))
        state = np.tensordot(matrix, state, (inner, qubits))
        return np.moveaxis(state, range(len(qubits) - 1, -1, -1), qubits)
    names, formal, body = program.definitions[name]
    for inside in body:
        scope = dict(zip(names, angles, strict=False))
        state = apply(state, program, inside, scope, dict(zip(formal, qubits, strict=True)))
    return state


def simulate(program, values=None):
    """State vector from |0…0⟩, in Qiskit's order of amplitudes."""
    state = np.zeros((2,) * program.n_qubits, dtype=complex)
    state[(0,) * program.n_qubits] = 1
    names = {f"q[{qubit}]": qubit for qubit in range(program.n_qubits)}
    for call in program.calls:
        state = apply(state, program, call, values or {}, names)
    return state.transpose().ravel()


@pytest.fixture
def circuits(random_frame):
    """One of each kind, n_alpha ≠ n_beta, with reflections and with columns left out."""
    preparation = determinant_circuit(random_frame(3), (2, 1))
    reflected = random_frame(3) * [1, -1, 1]
    return [
        preparation,
        orbital_rotation_circuit(reflected),
        measurement_circuit(random_frame(3), preparation),
        measurement_circuit(reflected, preparation, needed=np.array([False, True, False])),
        measurement_circuit(np.eye(3)[:, [1, 2, 0]], preparation),
    ]


def test_qasm3_does_what_the_circuit_does(circuits):
    """Parsed and simulated by these hundred lines alone, global phase apart."""
    for circuit in circuits:
        program = parse(to_qasm3(circuit))
        expected = Statevector(circuit.remove_final_measurements(inplace=False)).data
        measured = {
            circuit.find_bit(one.clbits[0]).index: circuit.find_bit(one.qubits[0]).index
            for one in circuit.data
            if one.operation.name == "measure"
        }

        # At most 20 gates of 14 standard ones, each rounding amplitudes below 1 by a few eps.
        simulated = simulate(program)
        phase = np.vdot(simulated, expected)
        np.testing.assert_allclose(
            simulated * phase / abs(phase), expected, rtol=0, atol=20 * 14 * 4 * EPS
        )
        assert program.qubit_of_bit == measured
        assert program.n_bits == circuit.num_clbits


def test_qasm3_has_only_standard_gates_and_their_definitions(circuits):
    for circuit in circuits:
        program = parse(to_qasm3(circuit))
        defined = program.definitions
        called = program.calls + [call for *_, body in defined.values() for call in body]
        assert {name for name, *_ in called} <= set(STDGATES) | set(defined)
        assert set(defined) <= {"xx_plus_yy", "sxdg"}


def test_qasm3_keeps_every_digit_of_an_angle():
    """Within 1e-9 of π/2 Qiskit writes pi/2 unless told otherwise."""
    angle = np.pi / 4 + 3e-11
    frame = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    circuit = orbital_rotation_circuit(frame)
    written = [float(call[1][0]) for call in parse(to_qasm3(circuit)).calls]
    assert written == [float(one.operation.params[0]) for one in circuit.data]


def test_qasm3_keeps_free_parameters():
    preparation = QuantumCircuit(2)
    preparation.rx(Parameter("tilt"), 0)
    text = to_qasm3(measurement_circuit(np.eye(1), preparation))
    assert "input float[64] tilt;" in text
    assert "rx(tilt) q[0];" in text


def test_qpy_comes_back_equal(circuits):
    back = qpy.load(BytesIO(to_qpy(circuits)))
    assert back == circuits
    assert [circuit.name for circuit in back] == [circuit.name for circuit in circuits]
    assert [circuit.global_phase for circuit in back] == [one.global_phase for one in circuits]
    assert qpy.load(BytesIO(to_qpy(circuits[0]))) == circuits[:1]
    assert qpy.load(BytesIO(to_qpy([]))) == []


def test_qpy_says_its_version(circuits):
    data = to_qpy(circuits)
    assert data[:6] == b"QISKIT"
    assert data[6] == QPY_VERSION


def test_same_circuits_same_bytes(rng):
    """Built twice, the second time in another place of the session."""
    frame = np.linalg.qr(rng.standard_normal((3, 3)))[0]

    def build():
        return measurement_circuit(frame, determinant_circuit(frame, (1, 2)))

    first = to_qpy([build(), orbital_rotation_circuit(frame)])
    QuantumCircuit(1)
    assert to_qpy([build(), orbital_rotation_circuit(frame)]) == first


def test_what_is_no_circuit_is_refused():
    with pytest.raises(InputError, match=r"only a qiskit\.QuantumCircuit can be written; got str"):
        to_qasm3("x q[0];")
    with pytest.raises(InputError, match="got list"):
        to_qpy([QuantumCircuit(1), []])


def test_what_qasm3_cannot_say_is_refused():
    circuit = QuantumCircuit(1)
    circuit.append(Gate("secret", 1, []), [0])
    with pytest.raises(InputError, match=r"as OpenQASM 3: .*'secret'.*Decompose or transpile"):
        to_qasm3(circuit)
