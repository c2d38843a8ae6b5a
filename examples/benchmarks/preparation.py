# SPDX-License-Identifier: Apache-2.0
"""Circuits of matrix product states: fidelity, CNOTs and time of each method.

    python examples/benchmarks/preparation.py --molecule lih water n2 h10

The fidelity is checked against Qiskit's statevector up to `--check` qubits.
"""

import argparse
import time

import numpy as np

import qlowrank as ql

METHODS = {
    **{f"{n} layers": ql.DisentanglingLayers(n_layers=n) for n in (1, 2, 4, 8)},
    "exact, 4 states": ql.ExactSequence(max_bond=4),
    "exact, 8 states": ql.ExactSequence(max_bond=8),
}


def measured_fidelity(circuit: object, state: ql.MPSState) -> float:
    """Squared overlap of a circuit's statevector with the state, through PySCF's CI vector."""
    from pyscf.fci import addons, cistring
    from qiskit.quantum_info import Statevector

    vector = addons.transform_ci(state.mps.to_ci(), state.nelec, np.array(state.orbitals.T))
    alpha, beta = (cistring.make_strings(range(state.norb), n) for n in state.nelec)
    places = np.add.outer(alpha, beta << state.norb)
    return float(abs(np.vdot(Statevector(circuit).data[places.ravel()], vector.ravel())) ** 2)


def main() -> None:
    """Print one line for each molecule and method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--molecule", nargs="+", default=["lih"])
    parser.add_argument("--check", type=int, default=16, help="most qubits of a statevector")
    options = parser.parse_args()
    for name in options.molecule:
        hamiltonian = ql.from_example(name)
        state = ql.ground_state_mps(hamiltonian, orbitals=ql.OrderedOrbitals())
        for label, method in METHODS.items():
            start = time.perf_counter()
            found = ql.prepare_mps(state, method)
            seconds = time.perf_counter() - start
            gap = float("nan")
            if 2 * state.norb <= options.check:
                gap = abs(measured_fidelity(found.circuit, state) - found.fidelity)
            print(
                f"{name:<8} {label:<16} fidelity {found.fidelity:.5f} (statevector differs by "
                f"{gap:.0e}), {found.two_qubit_count:>5} CNOTs in depth {found.two_qubit_depth:>5},"
                f" {seconds:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
