# SPDX-License-Identifier: Apache-2.0
"""How a group of Pauli strings is read: the circuit that makes it diagonal, and its outcomes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qlowrank.checks import Array, InputError
from qlowrank.measurement.pauli_groups import PauliGroups, strings_of

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

Bits = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PauliReadout:
    """Which circuit makes the strings of a group diagonal, and what its outcomes are worth.

    Make one with `pauli_readout`.
    """

    circuit: "QuantumCircuit"
    """Clifford gates on 2 × norb qubits, to be followed by a measurement of all of them."""
    parities: Bits
    """Qubits whose bits decide the sign of each string, shape (n_strings, n_qubits)."""
    coefficients: Array
    """Of the strings, with the signs that the circuit gives them, shape (n_strings,), Hartree."""

    def values(self, bits: Bits) -> Array:
        """Return the group's value for each outcome, Hartree.

        Args:
            bits: Outcomes, shape (n_outcomes, n_qubits); qubit 0 first.
        """
        odd = (bits.astype(np.float32) @ self.parities.T.astype(np.float32)) % 2
        return np.asarray((1.0 - 2.0 * odd) @ self.coefficients)


def pauli_readout(groups: PauliGroups, group: int) -> PauliReadout:
    """Return the circuit that measures a group of commuting Pauli strings.

    Strings that commute qubit by qubit need one layer of single-qubit gates. Others need a Clifford
    circuit, found by Qiskit's synthesis from independent generators of the group. Qubits are
    those of the Jordan-Wigner order in which the group was made: all alpha before all beta, or
    α0 β0 α1 β1 … for "qubit-wise interleaved".

    Args:
        groups: From `group_qubit_wise` or `group_fully_commuting`.
        group: Number of the group.

    Raises:
        InputError: There is no such group.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.measurement.pauli import pauli_terms
    >>> from qlowrank.measurement.pauli_groups import group_fully_commuting
    >>> groups = group_fully_commuting(pauli_terms(from_example("h2")))
    >>> pauli_readout(groups, 1).circuit.num_qubits
    4
    """
    if not 0 <= group < groups.n_groups:
        raise InputError(f"group must be from 0 to {groups.n_groups - 1}; got {group}.")
    from qiskit.quantum_info import Clifford, PauliList

    x, z, coefficients = strings_of(groups, group)
    if groups.method.startswith("qubit-wise"):
        circuit = _single_qubit_layer(x, z)
    else:
        circuit = _diagonalising_clifford(x, z)
    rotated = PauliList.from_symplectic(z, x).evolve(Clifford(circuit), frame="s")
    return PauliReadout(
        circuit=circuit,
        parities=np.asarray(rotated.z),
        coefficients=coefficients * (1 - rotated.phase % 4),
    )


def _single_qubit_layer(x: Bits, z: Bits) -> "QuantumCircuit":
    """Turn the letter that the strings share on each qubit into Z."""
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(x.shape[1])
    for qubit in np.flatnonzero(x.any(axis=0)):
        if (x & z)[:, qubit].any():
            circuit.sdg(qubit)
        circuit.h(qubit)
    return circuit


def _diagonalising_clifford(x: Bits, z: Bits) -> "QuantumCircuit":
    """Turn commuting strings into products of Z."""
    from qiskit.quantum_info import PauliList
    from qiskit.synthesis import synth_circuit_from_stabilizers

    chosen = _independent(np.concatenate([x, z], axis=1))
    labels = PauliList.from_symplectic(z[chosen], x[chosen]).to_labels()
    return synth_circuit_from_stabilizers(labels, allow_underconstrained=True, invert=True)


def _independent(rows: Bits) -> list[int]:
    """Rows that span all others over GF(2), the first of each kind."""
    basis: list[Bits] = []
    leads: list[int] = []
    chosen = []
    for number, row in enumerate(rows):
        left = row.copy()
        for vector, lead in zip(basis, leads, strict=True):
            if left[lead]:
                left ^= vector
        if left.any():
            basis.append(left)
            leads.append(int(left.argmax()))
            chosen.append(number)
    return chosen
