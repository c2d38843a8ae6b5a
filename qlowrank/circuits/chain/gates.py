# SPDX-License-Identifier: Apache-2.0
"""Orthogonal gates on neighbouring positions of a chain, and what they make of |0…0⟩."""

from dataclasses import dataclass

import numpy as np

from qlowrank.checks import Array
from qlowrank.circuits.chain.tensors import Chain


@dataclass(frozen=True, eq=False, slots=True)
class Gate:
    """A real gate of determinant one on a few neighbours."""

    position: int
    """First of them."""
    matrix: Array
    """Shape (2^k, 2^k), orthogonal; the first position is the most significant bit."""

    @property
    def width(self) -> int:
        """Number of qubits."""
        return len(self.matrix).bit_length() - 1

    @property
    def end(self) -> int:
        """One past the last of them."""
        return self.position + self.width


@dataclass(frozen=True, eq=False, slots=True)
class Gates:
    """What a method found."""

    gates: tuple[Gate, ...]
    """First in time first."""
    fidelity: float
    """|⟨ψ|gates|0…0⟩|²."""


def sequence(chain: Chain) -> tuple[Gate, ...]:
    """Return the gates that prepare a right-canonical chain exactly, from its first position on.

    A bond of at most 2^m states lives on m qubits. Each tensor is an isometry from its left bond to
    its own qubit and its right bond:

        |l⟩ on qubits j … j+m−1, |0⟩ on the next  ──►  Σ A[l, s, r] |s⟩ on j, |r⟩ on j+1 … j+m′

    What the gate does to inputs that do not occur is free, and chosen so that its determinant is
    one. A gate inside the window of the one before is made part of it.

    Source:
        C. Schön et al., Phys. Rev. Lett. 95, 110503 (2005).
    """
    bits = [(tensor.shape[0] - 1).bit_length() for tensor in chain.tensors] + [0]
    found: list[Gate] = []
    for position, tensor in enumerate(chain.tensors):
        left, width = bits[position], bits[position + 1] + 1
        padded = np.zeros((tensor.shape[0], 2, 2 ** (width - 1)))
        padded[:, :, : tensor.shape[2]] = tensor
        used = padded.reshape(len(tensor), -1).T
        gate = Gate(position, _completed(used, 2 ** (width - left)))
        if found and gate.end <= found[-1].end:
            found[-1] = _merged(found[-1], gate)
        else:
            found.append(gate)
    return tuple(found)


def pairs(gates: tuple[Gate, ...], length: int) -> tuple[Gate, ...]:
    """Return gates on one or two qubits as gates on two."""
    found = []
    for gate in gates:
        position, matrix = gate.position, gate.matrix
        if gate.width == 1:
            last = position == length - 1
            identity = np.eye(2)
            both = (identity, matrix) if last else (matrix, identity)
            matrix = np.asarray(np.kron(*both), dtype=np.float64)
            position -= last
        found.append(Gate(position, matrix))
    return tuple(found)


def _completed(used: Array, step: int) -> Array:
    """An orthogonal matrix whose columns 0, step, 2 step … are given, of determinant one."""
    size, given = used.shape
    basis, _ = np.linalg.qr(np.hstack([used, np.eye(size)]))
    inputs = [step * k for k in range(given)]
    free = [column for column in range(size) if column not in set(inputs)]
    matrix = np.empty((size, size))
    matrix[:, inputs] = used
    matrix[:, free] = basis[:, given:size]
    if free and np.linalg.det(matrix) < 0:
        matrix[:, free[-1]] *= -1
    return matrix


def _merged(gate: Gate, after: Gate) -> Gate:
    """Two gates as one; the second stands inside the window of the first."""
    before = 2 ** (after.position - gate.position)
    behind = len(gate.matrix) // (before * len(after.matrix))
    inside = np.kron(np.kron(np.eye(before), after.matrix), np.eye(behind))
    return Gate(gate.position, inside @ gate.matrix)
