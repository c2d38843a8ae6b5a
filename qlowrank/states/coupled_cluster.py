# SPDX-License-Identifier: Apache-2.0
"""Coupled cluster of the exact operator, kept: to measure approximations, and to steer them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError, NotConvergedError
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.states.correlation import CoupledClusterError, energies_of, operator_of, solved
from qlowrank.states.reference import DeterminantState
from qlowrank.states.solve import hartree_fock_state

HARTREE = {"units": "hartree"}


@dataclass(frozen=True, eq=False)
class CoupledClusterReference:
    """CCSD(T) of an operator on its determinant. Make one with `ql.coupled_cluster_reference`."""

    exact: Hamiltonian
    """The operator."""
    determinant: DeterminantState
    """Where coupled cluster starts."""
    mean_field: float = field(metadata=HARTREE)
    """Energy of the determinant, Hartree."""
    correlation: float = field(metadata=HARTREE)
    """Correlation energy of CCSD(T), Hartree."""
    response: Array = field(metadata={"units": "1", "axes": "orbital,orbital,orbital,orbital"})
    """Γ = ∂E/∂(pq|rs) of CCSD at a fixed determinant and a fixed Fock matrix, shape (norb,)*4,
    with the symmetry of (pq|rs)."""

    def __post_init__(self) -> None:
        shape = (self.exact.norb,) * 4
        object.__setattr__(self, "response", checks.readonly("response", self.response, shape))

    def spin_densities(self) -> Array:
        """Return the densities of the determinant, alpha and beta, shape (2, norb, norb)."""
        return self.determinant.spin_densities()

    def error(self, approximate: Any) -> CoupledClusterError:
        """Return what `ql.coupled_cluster_error` does; the exact energies are known already.

        Raises:
            InputError: Other orbitals or electrons, or a shifted record.
            NotConvergedError: The amplitudes did not converge.
        """
        found = energies_of(approximate, self.exact, self.determinant)
        return CoupledClusterError(self.mean_field, self.correlation, *found)

    def __repr__(self) -> str:
        """Say what it holds."""
        return (
            f"CoupledClusterReference({self.exact.source.name}: {self.exact.norb} orbitals, "
            f"CCSD(T) energy {self.mean_field + self.correlation:.8f} Hartree)"
        )


def coupled_cluster_reference(
    exact: Hamiltonian, *, max_memory: float | None = None
) -> CoupledClusterReference:
    r"""Solve CCSD(T) and the response of CCSD once, for many approximations of an operator.

    With the two-particle density Γ² of CCSD (E = … + ½ Σ Γ²_{pqrs} (pq|rs)), its one-particle
    density γ and that of the determinant D, what is left when the Fock matrix is held is

    .. math:: \Gamma_{pq,rs} = \tfrac12 \Big[ \Gamma^2_{pqrs} - \gamma_{pq} D_{rs}
              - D_{pq} \gamma_{rs} + D_{pq} D_{rs} + \tfrac12 (\gamma_{ps} D_{rq}
              + D_{ps} \gamma_{rq} - D_{ps} D_{rq}) \Big]

    Args:
        exact: The operator; a closed shell.
        max_memory: Bytes the integrals may take; the machine's free memory by default.

    Raises:
        InputError: An open shell, nothing to correlate, or not enough memory.
        NotConvergedError: Mean field, amplitudes or response did not converge.

    Source:
        The response: A. C. Scheiner et al., J. Chem. Phys. 87, 5361 (1987), as PySCF solves it.

    >>> import qlowrank as ql
    >>> reference = coupled_cluster_reference(ql.from_example("lih"))
    >>> abs(reference.error(ql.double_factorize(reference.exact)).error) < 1e-8
    True
    """
    if not isinstance(exact, Hamiltonian):
        raise InputError(f"exact must be a Hamiltonian; got a {type(exact).__name__}.")
    n_alpha, n_beta = exact.nelec
    if n_alpha != n_beta:
        raise InputError(
            f"A coupled-cluster reference is of a closed shell; got nelec={exact.nelec}. "
            "ql.coupled_cluster_error takes open shells."
        )
    checks.fits(
        f"The response of CCSD of {exact.norb} orbitals",
        8 * 8 * exact.norb**4,
        max_memory,
        "Choose a smaller active space.",
    )
    determinant = hartree_fock_state(exact)
    energy, solver = solved(exact, determinant, *operator_of(exact))
    if solver is None:
        raise InputError(f"nelec={exact.nelec} in {exact.norb} orbitals: nothing to correlate.")
    correlation = float(solver.e_corr + solver.ccsd_t())
    solver.solve_lambda()
    if not solver.converged_lambda:
        raise NotConvergedError("The response of CCSD did not converge.", best=determinant)
    response = _at_fixed_fock(
        np.asarray(solver.make_rdm1()), np.asarray(solver.make_rdm2()), determinant
    )
    return CoupledClusterReference(exact, determinant, energy, correlation, response)


def _at_fixed_fock(one: Array, two: Array, determinant: DeterminantState) -> Array:
    """Return Γ in the Hamiltonian's orbitals from densities in those of the determinant."""
    norb = len(one)
    filled = np.diag(np.where(np.arange(norb) < determinant.nelec[0], 2.0, 0.0))
    both = one - filled / 2  # γ⊗D + D⊗γ − D⊗D is this ⊗ D + D ⊗ this
    direct = contract("pq,rs->pqrs", both, filled) + contract("pq,rs->pqrs", filled, both)
    left = (two - direct + direct.transpose(0, 3, 2, 1) / 2) / 2
    left = left + left.transpose(1, 0, 2, 3)
    left = left + left.transpose(0, 1, 3, 2)
    left = (left + left.transpose(2, 3, 0, 1)) / 8
    turn = determinant.orbitals
    return np.asarray(contract("pqrs,ap,bq,cr,ds->abcd", left, turn, turn, turn, turn))
