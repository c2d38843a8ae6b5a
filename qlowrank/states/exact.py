# SPDX-License-Identifier: Apache-2.0
"""Ways to a ground state as an MPS: what they have in common, and the exact one."""

from dataclasses import dataclass
from math import comb
from typing import Protocol

import numpy as np

from qlowrank.checks import Array
from qlowrank.hamiltonian.record import Hamiltonian, packed_two_body
from qlowrank.lowrank import Progress
from qlowrank.mps.arithmetic import scale_mps
from qlowrank.mps.ci import mps_from_ci
from qlowrank.mps.record import MPS
from qlowrank.states.dmrg.method import Solution
from qlowrank.states.dmrg.record import Convergence
from qlowrank.states.sites import in_orbitals
from qlowrank.states.solve import fci_state

EXACT_LIMIT = 500_000
"""Determinants up to which an exact CI vector is the default; PySCF takes seconds for it."""


class GroundState(Protocol):
    """Finds the ground state in given orbitals."""

    def __call__(
        self,
        hamiltonian: Hamiltonian,
        max_bond: int,
        progress: Progress | None,
        sites: Array | None,
    ) -> Solution:
        """Return the lowest state of the Hamiltonian's sector; sites are columns of `sites`."""
        ...


@dataclass(frozen=True, slots=True)
class ExactCI:
    """The full CI vector, decomposed bond by bond; what is cut off is known exactly."""

    tolerance: float = 1e-10
    """Error of the vector's norm that may be made where `max_bond` does not bind."""

    def __call__(
        self,
        hamiltonian: Hamiltonian,
        max_bond: int,
        progress: Progress | None = None,
        sites: Array | None = None,
    ) -> Solution:
        """Return the decomposed ground state, normalised again.

        Args:
            hamiltonian: The operator.
            max_bond: Most states of a bond.
            progress: Called when the vector is found.
            sites: Columns are the orbitals of the sites, shape (norb, norb); by default the
                Hamiltonian's own.
        """
        if sites is not None:
            hamiltonian = in_orbitals(hamiltonian, sites)
        state = fci_state(hamiltonian)
        if progress is not None:
            progress("full CI", 1, 1)
        mps = mps_from_ci(
            state.vector, state.norb, state.nelec, tolerance=self.tolerance, max_bond=max_bond
        )
        lost = float(mps.discarded_weights.sum())  # of the whole vector, whose norm is one
        mps = scale_mps(mps, 1 / mps.norm())
        energy = _energy(hamiltonian, mps)
        convergence = Convergence(
            bond_dimensions=np.array([mps.max_bond_dimension]),
            energies=np.array([energy]),
            discarded_weights=np.array([lost]),
            sweeps=np.array([0]),
            status="converged",
        )
        return Solution(mps, energy, convergence)


def fits_exactly(hamiltonian: Hamiltonian) -> bool:
    """Whether the full CI vector is the default: up to `EXACT_LIMIT` determinants."""
    n_alpha, n_beta = hamiltonian.nelec
    return comb(hamiltonian.norb, n_alpha) * comb(hamiltonian.norb, n_beta) <= EXACT_LIMIT


def _energy(hamiltonian: Hamiltonian, mps: MPS) -> float:
    """Expectation value of the Hamiltonian in a normalised MPS, through its CI vector."""
    from pyscf.fci import direct_spin1

    value = direct_spin1.energy(
        hamiltonian.normal_ordered_one_body(),
        packed_two_body(hamiltonian),
        mps.to_ci(),
        hamiltonian.norb,
        hamiltonian.nelec,
    )
    return float(value) + hamiltonian.constant
