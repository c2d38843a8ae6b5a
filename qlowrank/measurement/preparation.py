# SPDX-License-Identifier: Apache-2.0
"""A circuit that prepares a matrix product state where a plan's circuits want it."""

from qlowrank.circuits.chain import ChainPreparation, prepare_chain
from qlowrank.circuits.chain.prepare import ChainMethod, costed
from qlowrank.circuits.rotation import orbital_rotation_circuit
from qlowrank.mps.record import MPS
from qlowrank.states.mps_state import MPSState
from qlowrank.states.qubits import qubit_tensors


def prepare_mps(state: MPSState | MPS, method: ChainMethod | None = None) -> ChainPreparation:
    """Return a circuit that prepares an MPS on qubits in block order, for `MeasurementPlan.pubs`.

    The chain is prepared over the orbitals of its sites, alpha and beta of an orbital side by side
    along the chain; an orbital rotation then carries it into the Hamiltonian's orbitals. Qubit p is
    alpha orbital p, qubit norb + p beta orbital p, signs included.

    Args:
        state: The state, with its orbitals; or a chain by itself, such as that of
            `ql.mps_from_cisd`, whose sites are the orbitals.
        method: `ql.ExactSequence()` or `ql.DisentanglingLayers()`. By default the exact sequence
            where no bond between qubits has more than four states, the layers otherwise.

    Returns:
        The circuit in the basis rz, sx, x, cx, its fidelity with the MPS, and its CNOTs, those of
        the rotation included. A linear arrangement of qubits has the chain's order, not that of
        the blocks; elsewhere routing adds to the count.

    Raises:
        InputError: Sites that are no spatial orbitals, or a chain that is zero.

    >>> import qlowrank as ql
    >>> hamiltonian = ql.from_example("h2")
    >>> prepare_mps(ql.ground_state_mps(hamiltonian, orbitals=ql.GivenOrbitals()))
    ChainPreparation(4 qubits, fidelity 1.000000, 6 CNOTs in depth 6)
    """
    mps = state if isinstance(state, MPS) else state.mps
    norb = mps.n_sites
    qubits = [spin * norb + orbital for orbital in range(norb) for spin in (0, 1)]
    found = prepare_chain(qubit_tensors(mps), method, qubits=qubits)
    if isinstance(state, MPS):
        return found
    rotation = orbital_rotation_circuit(state.orbitals)
    return costed(found.circuit.compose(rotation), found.fidelity)
