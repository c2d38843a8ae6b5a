# SPDX-License-Identifier: Apache-2.0
"""Measure the energy of H2 on Qiskit's statevector sampler, as a quantum computer would.

The full-CI state of H2 in a minimal basis has two determinants, so four two-qubit-or-smaller gates
beside the X gates prepare it. Any other SamplerV2 takes the same PUBs.
"""

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorSampler

import qlowrank as ql


def preparation(vector: np.ndarray) -> QuantumCircuit:
    """Prepare c00 |both electrons in orbital 0⟩ + c11 |both in orbital 1⟩.

    Qubits 0 and 1 are the alpha orbitals, 2 and 3 the beta orbitals.

    Args:
        vector: Full-CI coefficients, rows alpha, columns beta, shape (2, 2).
    """
    circuit = QuantumCircuit(4)
    circuit.ry(2 * np.arctan2(vector[1, 1], vector[0, 0]), 1)
    circuit.cx(1, 3)
    for occupied, empty in ((0, 1), (2, 3)):
        circuit.x(occupied)
        circuit.cx(empty, occupied)
    return circuit


hamiltonian = ql.from_example("h2")
state = ql.fci_state(hamiltonian)
plan = ql.plan_measurement(ql.double_factorize(hamiltonian), state, precision=1.6e-3)
print(plan)

pubs = plan.pubs(preparation(state.vector))
rng = np.random.default_rng(7)  # a number as seed would give every group the same random numbers
result = StatevectorSampler(seed=rng).run(pubs).result()
estimate = plan.estimate(result)

print(f"exact     {state.energy:.5f} Hartree")
print(f"measured  {estimate.energy:.5f} ± {estimate.standard_error:.5f} Hartree")
print(f"{estimate.wrong_sector.sum()} shots with a wrong number of electrons")
