# SPDX-License-Identifier: Apache-2.0
"""From a chain of tensors to a circuit that prepares it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from qlowrank.checks import Array, InputError
from qlowrank.circuits.chain.gates import Gates
from qlowrank.circuits.chain.layers import DisentanglingLayers
from qlowrank.circuits.chain.sequence import ExactSequence
from qlowrank.circuits.chain.tensors import checked
from qlowrank.circuits.cost import circuit_cost

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


SMALL_BOND = 4
"""States of a bond up to which exact gates, of at most three qubits, are the default."""


class ChainMethod(Protocol):
    """Finds gates on neighbouring qubits that prepare a chain."""

    def __call__(self, tensors: list[Array]) -> Gates:
        """Return the gates and what they reach."""
        ...


@dataclass(frozen=True, eq=False)
class ChainPreparation:
    """A circuit that prepares a chain, and how well."""

    circuit: "QuantumCircuit"
    """In the basis rz, sx, x, cx."""
    fidelity: float
    """Squared overlap of the prepared state with the chain."""
    two_qubit_count: int
    """CNOTs."""
    two_qubit_depth: int
    """Longest sequence of CNOTs."""

    def __repr__(self) -> str:
        """Say what it reaches and costs."""
        return (
            f"ChainPreparation({self.circuit.num_qubits} qubits, fidelity {self.fidelity:.6f}, "
            f"{self.two_qubit_count} CNOTs in depth {self.two_qubit_depth})"
        )


def prepare_chain(
    tensors: Sequence[Array],
    method: ChainMethod | None = None,
    *,
    qubits: Sequence[int] | None = None,
) -> ChainPreparation:
    r"""Return a circuit that prepares a matrix product state of qubits.

    .. math:: |\psi\rangle \propto \sum_s A_0[s_0] A_1[s_1] \cdots A_{n-1}[s_{n-1}]\, |s\rangle

    Args:
        tensors: A_k as real arrays (left, 2, right); normalised here.
        method: `ExactSequence()` or `DisentanglingLayers()`. By default the exact sequence where no
            bond has more than four states, the layers otherwise.
        qubits: Qubit that holds each position of the chain; in order by default. Gates are between
            neighbours of the chain.

    Raises:
        InputError: Tensors that do not fit together, or qubits that are no permutation.

    >>> import numpy as np
    >>> ghz = [np.zeros((1, 2, 2)), np.zeros((2, 2, 2)), np.zeros((2, 2, 1))]
    >>> for bit in (0, 1):
    ...     ghz[0][0, bit, bit] = ghz[1][bit, bit, bit] = ghz[2][bit, bit, 0] = 1.0
    >>> prepare_chain(ghz)
    ChainPreparation(3 qubits, fidelity 1.000000, 4 CNOTs in depth 4)
    """
    from qiskit import QuantumCircuit
    from qiskit.circuit.library import UnitaryGate

    chain = checked(tensors)
    wires = list(range(len(chain)) if qubits is None else qubits)
    if sorted(wires) != list(range(len(chain))):
        raise InputError(f"qubits must name each of 0 to {len(chain) - 1} once; got {wires}.")
    if method is None:
        widest = max(tensor.shape[2] for tensor in chain)
        method = ExactSequence() if widest <= SMALL_BOND else DisentanglingLayers()
    found = method(chain)
    circuit = QuantumCircuit(len(chain))
    for gate in found.gates:
        window = wires[gate.position : gate.position + gate.width]
        circuit.append(UnitaryGate(gate.matrix), window[::-1])  # Qiskit's first bit is the least
    return costed(circuit, found.fidelity)


def costed(circuit: "QuantumCircuit", fidelity: float) -> ChainPreparation:
    """Return a circuit in standard gates, with what it costs."""
    from qiskit import transpile

    standard = transpile(
        circuit, basis_gates=["rz", "sx", "x", "cx"], optimization_level=2, seed_transpiler=7
    )
    cost = circuit_cost(standard)
    return ChainPreparation(standard, fidelity, cost.two_qubit_count, cost.two_qubit_depth)
