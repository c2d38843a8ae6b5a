# SPDX-License-Identifier: Apache-2.0
"""Methods that solve a Hamiltonian for an energy interval, all of them PySCF's."""

from dataclasses import dataclass, replace

import numpy as np

from qlowrank import checks
from qlowrank.checks import NotConvergedError
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.hamiltonian.residual import residual_of
from qlowrank.states.intervals.solved import ABOVE, DETERMINANT, GROUND, SPAN, Solved
from qlowrank.states.mean_field import on_determinant
from qlowrank.states.reference import DeterminantState
from qlowrank.states.solve import cisd_state, fci_state, hartree_fock_state

EIGENVALUE = 1e-10
"""Hartree; CISD and full CI are converged until their energies change by less than 1e-11."""
GRADIENT = 1e-9
"""Hartree; a determinant whose orbital gradient is below 1e-5 is not converged further."""


@dataclass(frozen=True, slots=True)
class HartreeFock:
    """Method: the restricted (open-shell) determinant, as `ql.hartree_fock_state` finds it.

    The interval holds the lowest energy of any determinant of doubly and singly occupied orbitals,
    provided that the SCF has found the lowest one.
    """

    def __call__(self, hamiltonian: Hamiltonian) -> Solved:
        """Solve `hamiltonian`."""
        state = hartree_fock_state(hamiltonian)
        return Solved(state.label, state.energy, state, DETERMINANT, GRADIENT)


@dataclass(frozen=True, slots=True)
class CISD:
    """Method: CISD on the Hartree-Fock determinant of the truncated Hamiltonian.

    The interval holds the energy of a CISD with the exact integrals on the same determinant. The
    upper end is also above the exact ground state.
    """

    max_memory: float | None = None
    """Bytes the integrals may take; the machine's free memory by default."""

    def __call__(self, hamiltonian: Hamiltonian) -> Solved:
        """Solve `hamiltonian`."""
        state = cisd_state(hamiltonian, max_memory=self.max_memory)
        return Solved(state.label, state.energy, state, SPAN, EIGENVALUE)


@dataclass(frozen=True, slots=True)
class FCI:
    """Method: full CI in the orbitals of the Hamiltonian; of an active space, CASCI.

    The interval holds the exact ground-state energy of the sector (n_alpha, n_beta).
    """

    max_memory: float | None = None
    """Bytes the eigensolver may take; the machine's free memory by default."""

    def __call__(self, hamiltonian: Hamiltonian) -> Solved:
        """Solve `hamiltonian`."""
        state = fci_state(hamiltonian, max_memory=self.max_memory)
        return Solved(state.label, state.energy, state, GROUND, EIGENVALUE)


@dataclass(frozen=True, slots=True)
class CoupledCluster:
    """Method: CCSD(T) on the Hartree-Fock determinant.

    Coupled cluster is not variational: no truncation bounds its energy, from either side. The
    interval holds the ground-state energy and has no lower end; its upper end comes from the
    determinant. The estimate is the exact mean-field energy, as far as it is known, plus the
    correlation energy of CCSD(T) with the truncated integrals.
    """

    max_memory: float | None = None
    """Bytes the integrals may take; the machine's free memory by default."""

    def __call__(self, hamiltonian: Hamiltonian) -> Solved:
        """Solve `hamiltonian`.

        The correlation energy is taken with h as it stands, so that the part of the residual that
        is a one-body operator, ½ Ê(K), is in it; the determinant's energy is without.

        Raises:
            NotConvergedError: The amplitudes did not converge; `best` has the determinant.
        """
        norb = hamiltonian.norb
        checks.fits(
            f"CCSD(T) of {norb} orbitals",
            8 * 4 * (norb * (norb + 1) / 2) ** 2,
            self.max_memory,
            "Choose a smaller active space, or HartreeFock().",
        )
        residual = residual_of(hamiltonian).exchange
        whole = replace(hamiltonian, kappa=hamiltonian.kappa + residual / 2)
        determinant = hartree_fock_state(whole)
        correlation = _correlation(whole, determinant)
        lowered = float(np.vdot(determinant.one_body_density(), residual)) / 2
        state = replace(determinant, energy=determinant.energy - lowered)
        return Solved("ccsd(t)", state.energy + correlation, state, ABOVE, EIGENVALUE)


def _correlation(hamiltonian: Hamiltonian, determinant: DeterminantState) -> float:
    """Return the correlation energy of CCSD(T), Hartree."""
    from pyscf import cc

    n_alpha, n_beta = hamiltonian.nelec
    if n_alpha + n_beta < 2 or n_beta == hamiltonian.norb:  # nothing to correlate
        return 0.0
    mean_field = on_determinant(hamiltonian, determinant.orbitals, determinant.energy)
    solver = cc.CCSD(mean_field) if n_alpha == n_beta else cc.UCCSD(mean_field.to_uhf())
    solver.conv_tol, solver.max_cycle, solver.verbose = 1e-9, 200, 0
    solver.kernel()
    if not np.all(solver.converged):
        raise NotConvergedError(
            f"CCSD did not converge in {solver.max_cycle} cycles (last correlation energy "
            f"{float(solver.e_corr):.8f} Hartree). Use HartreeFock() or CISD().",
            best=determinant,
        )
    return float(solver.e_corr + solver.ccsd_t())
