# SPDX-License-Identifier: Apache-2.0
"""Circuits: Givens networks, orbital rotations, determinants, measurement in a frame, and cost.

This room knows matrices only. Qubits follow Jordan-Wigner in block order: qubit p is alpha orbital
p, qubit norb + p is beta orbital p.
"""

from qlowrank.circuits.cost import two_qubit_count, two_qubit_depth
from qlowrank.circuits.determinant import determinant_circuit
from qlowrank.circuits.givens import givens_rotations
from qlowrank.circuits.measurement import measurement_circuit
from qlowrank.circuits.network import GivensNetwork
from qlowrank.circuits.rotation import orbital_rotation_circuit

__all__ = [
    "GivensNetwork",
    "determinant_circuit",
    "givens_rotations",
    "measurement_circuit",
    "orbital_rotation_circuit",
    "two_qubit_count",
    "two_qubit_depth",
]
