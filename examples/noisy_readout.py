# SPDX-License-Identifier: Apache-2.0
"""Readout errors, and what looking at the number of electrons does about them.

    python examples/noisy_readout.py                          LiH in four orbitals, 1 % per bit
    python examples/noisy_readout.py --error 0.03 --seed 5

Every bit of every shot is read wrongly with the same probability (Aer's noise model; needs the
extra `aer`). Rotations of orbitals conserve the electrons of each spin, so a shot with another
number has been read wrongly, and post-selection leaves it out.
"""

import argparse

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import XXPlusYYGate
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_aer.noise import NoiseModel, ReadoutError
from qiskit_aer.primitives import SamplerV2

import qlowrank as ql


def preparation(vector: np.ndarray) -> QuantumCircuit:
    """Prepare a singlet of two electrons from its natural orbitals.

    With V = Σ_k c_k u_k u_kᵀ, the state is Σ_k c_k |alpha in u_k, beta in u_k⟩: one electron is
    handed along the alpha qubits, the beta qubits copy it, and both spins rotate together.

    Args:
        vector: Full-CI coefficients, rows alpha, columns beta, symmetric, shape (norb, norb).
    """
    weights, orbitals = np.linalg.eigh(vector)
    norb = len(weights)
    circuit = QuantumCircuit(2 * norb)
    circuit.x(0)
    for k in range(norb - 1):
        angle = np.arctan2(np.linalg.norm(weights[k + 1 :]), weights[k])
        if k == norb - 2:
            angle = np.arctan2(weights[k + 1], weights[k])
        circuit.append(XXPlusYYGate(2 * angle, np.pi / 2), [k, k + 1])
    for k in range(norb):
        circuit.cx(k, norb + k)
    return circuit.compose(ql.orbital_rotation_circuit(orbitals))


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--error", type=float, default=0.01, help="probability of a wrong bit")
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()

hamiltonian = ql.from_example("lih", active=(2, 4))
state = ql.fci_state(hamiltonian)
plan = ql.plan_measurement(
    ql.double_factorize(hamiltonian), state, precision=1e-4, fragments=ql.FluidFragments()
)
print(plan)

circuit = preparation(state.vector)
basis = generate_preset_pass_manager(1, basis_gates=["rz", "sx", "x", "cx"])
error = options.error
noise = NoiseModel()
noise.add_all_qubit_readout_error(ReadoutError([[1 - error, error], [error, 1 - error]]))

pubs = plan.pubs(circuit, pass_manager=basis)
for label, model in (("no noise", NoiseModel()), (f"{100 * error:g} % readout error", noise)):
    measured = ql.Measurements.empty(plan)
    for number, pub in enumerate(pubs):  # one seed for all would give them the same random numbers
        sampler = SamplerV2(
            options={"backend_options": {"noise_model": model}}, seed=1000 * options.seed + number
        )
        measured = measured.add(sampler.run([pub]).result())
    print(f"\n{label}")
    for selection in (ql.AllShots(), ql.PostSelected()):
        estimate = plan.estimate(measured, selection=selection)
        off = 1e3 * (estimate.energy - state.energy)
        print(
            f"  {selection.name:<14} off by {off:8.2f} ± {1e3 * estimate.standard_error:.2f} "
            f"mHartree, {100 * estimate.kept_share:5.1f} % of the shots"
        )
    shift = estimate.selection
    print(
        f"  selection moved the energy by {1e3 * shift.shift:.2f} ± {1e3 * shift.shift_error:.2f}"
    )
