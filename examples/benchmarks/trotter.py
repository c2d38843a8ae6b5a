# SPDX-License-Identifier: Apache-2.0
"""Gates, depth and error of Trotter circuits, and what merging and free orbitals save.

    python examples/benchmarks/trotter.py                 water, one step of 0.05 / Hartree

Columns: order, steps, two-qubit gates, the same with two full rotations a leaf (no merging), depth
of two-qubit gates, seconds of CPU to build the circuit, and the error of the Hartree-Fock state
after t = 1 / Hartree against the exact exponential (ffsim's linear operator, SciPy's
expm_multiply).
"""

import argparse
import time

import numpy as np

import qlowrank as ql
from qlowrank.circuits import circuit_cost, product_formula
from qlowrank.evolution import trotter_layers


def unmerged(factorization, steps, order):
    """Two-qubit gates when every layer is rotated into and out of by whole networks."""
    norb = factorization.norb
    layers = trotter_layers(factorization)
    ranks = np.array([np.count_nonzero(layer.core.any(axis=1)) for layer in layers])
    schedule = product_formula(len(layers), time=1.0, steps=steps, order=order)
    acting = ranks[[layer for layer, _ in schedule]]
    return len(schedule) * 2 * norb * (norb - 1) + int(np.sum(acting * (2 * acting - 1)))


def error(circuit, factorization, duration):
    """Distance of the evolved Hartree-Fock state from the exact one."""
    import ffsim
    from qiskit.quantum_info import Statevector
    from scipy.sparse.linalg import expm_multiply

    norb, nelec = factorization.norb, factorization.nelec
    hamiltonian = ffsim.DoubleFactorizedHamiltonian(
        one_body_tensor=factorization.one_body,
        diag_coulomb_mats=factorization.cores,
        orbital_rotations=factorization.leaves,
        constant=factorization.constant,
    )
    operator = ffsim.linear_operator(hamiltonian, norb=norb, nelec=nelec)
    start = ffsim.hartree_fock_state(norb, nelec)
    trace = float(np.real(np.vdot(start, operator @ start))) * len(start)
    exact = expm_multiply(-1j * duration * operator, start, traceA=-1j * duration * trace)
    vector = ffsim.qiskit.ffsim_vec_to_qiskit_vec(start, norb, nelec)
    state = Statevector(vector).evolve(circuit)
    made = ffsim.qiskit.qiskit_vec_to_ffsim_vec(state.data, norb, nelec)
    return float(np.linalg.norm(made - exact))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecule", default="water", help="a built-in example")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="Hartree, of the leaves")
    arguments = parser.parse_args()
    hamiltonian = ql.from_example(arguments.molecule)
    factorization = ql.double_factorize(hamiltonian, tolerance=arguments.tolerance)
    print(repr(factorization))
    print("order  steps  two-qubit  unmerged  depth   CPU s  error at t = 1")
    for order, steps in ((1, 10), (1, 20), (2, 10), (2, 20), (4, 5), (4, 10)):
        begin = time.process_time()
        circuit = ql.trotter_circuit(factorization, time=1.0, steps=steps, order=order)
        seconds = time.process_time() - begin
        cost = circuit_cost(circuit)
        print(
            f"{order:5d}  {steps:5d}  {cost.two_qubit_count:9d}  "
            f"{unmerged(factorization, steps, order):8d}  {cost.two_qubit_depth:5d}  "
            f"{seconds:6.2f}  {error(circuit, factorization, 1.0):.2e}"
        )


if __name__ == "__main__":
    main()
