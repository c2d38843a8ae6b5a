# SPDX-License-Identifier: Apache-2.0
"""Circuits: Givens networks, orbital rotations, determinants, readout, time evolution, cost.

This room knows matrices only. Qubits follow Jordan-Wigner in block order: qubit p is alpha orbital
p, qubit norb + p is beta orbital p.
"""

from qlowrank.circuits.cost import CircuitCost, circuit_cost, two_qubit_count, two_qubit_depth
from qlowrank.circuits.determinant import determinant_circuit
from qlowrank.circuits.evolution import evolution_circuit
from qlowrank.circuits.export import to_qasm3, to_qpy
from qlowrank.circuits.givens import givens_rotations
from qlowrank.circuits.layer import EvolutionLayer
from qlowrank.circuits.measurement import measurement_circuit, readout_circuit
from qlowrank.circuits.network import GivensNetwork
from qlowrank.circuits.product_formula import product_formula
from qlowrank.circuits.readout import ReadoutNetwork, readout_network
from qlowrank.circuits.rotation import orbital_rotation_circuit

__all__ = [
    "CircuitCost",
    "EvolutionLayer",
    "GivensNetwork",
    "ReadoutNetwork",
    "circuit_cost",
    "determinant_circuit",
    "evolution_circuit",
    "givens_rotations",
    "measurement_circuit",
    "orbital_rotation_circuit",
    "product_formula",
    "readout_circuit",
    "readout_network",
    "to_qasm3",
    "to_qpy",
    "two_qubit_count",
    "two_qubit_depth",
]
