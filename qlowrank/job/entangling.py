# SPDX-License-Identifier: Apache-2.0
"""The wavefunction as a chain of tensors, and what it says about its orbitals."""

from dataclasses import dataclass

import numpy as np

from qlowrank.archive import Study
from qlowrank.hamiltonian import Hamiltonian
from qlowrank.job.choices import SITES
from qlowrank.job.request import MPSRequest
from qlowrank.lowrank import Progress
from qlowrank.mps import Entanglement, entanglement
from qlowrank.states import Block2DMRG, MPSState, ground_state_mps
from qlowrank.states.exact import fits_exactly


@dataclass(frozen=True, eq=False, slots=True)
class EntangledState:
    """An MPS and what it says about its orbitals."""

    state: MPSState
    """The ground state."""
    entropies: Entanglement
    """Entropies of bonds and orbitals."""

    @property
    def orbital_order(self) -> list[int] | None:
        """The Hamiltonian's orbital on each site; None where sites are mixtures of them."""
        weights = np.abs(self.state.orbitals)
        if (weights.max(axis=0) < 1 - 1e-12).any():
            return None
        return [int(p) for p in weights.argmax(axis=0)]

    @property
    def unfinished(self) -> str | None:
        """What to tell about a state that did not converge."""
        convergence = self.state.convergence
        if convergence.converged:
            return None
        return (
            f"DMRG {convergence.status} at bond dimension {convergence.bond_dimensions[-1]}; the "
            "state of its last finished sweep is kept"
        )


def entangled_ground_state(
    hamiltonian: Hamiltonian, request: MPSRequest, progress: Progress | None
) -> EntangledState:
    """Solve for an MPS, and take its entropies."""
    return entangled_of(requested_mps(hamiltonian, request, progress))


def requested_mps(
    hamiltonian: Hamiltonian, request: MPSRequest, progress: Progress | None
) -> MPSState:
    """Solve for an MPS as it is asked for."""
    return ground_state_mps(
        hamiltonian,
        max_bond=request.max_bond,
        method=None if fits_exactly(hamiltonian) else Block2DMRG(scratch=request.scratch),
        orbitals=SITES[request.orbitals],
        progress=progress,
    )


def entangled_of(state: MPSState) -> EntangledState:
    """Take the entropies of a state."""
    return EntangledState(state, entanglement(state.mps))


def entangled_in(study: Study) -> EntangledState | None:
    """Return the state of an archive with its entropies, where both are held and belong together.

    Entropies beside a chain that was saved by itself are those of that chain.
    """
    if "mps_state" in study and "entanglement" in study and "mps" not in study:
        return EntangledState(study["mps_state"], study.entanglement)
    return None
