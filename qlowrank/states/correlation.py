# SPDX-License-Identifier: Apache-2.0
"""What approximated integrals do to the energy of CCSD(T): the field's measure, not a proof."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError, NotConvergedError
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.states.mean_field import mean_field_of, occupation_of
from qlowrank.states.reference import DeterminantState
from qlowrank.states.solve import hartree_fock_state

HARTREE = {"units": "hartree"}


@dataclass(frozen=True, slots=True)
class CoupledClusterError:
    """CCSD(T) energies of an operator and of its approximation, on the same determinant."""

    exact_mean_field: float = field(metadata=HARTREE)
    """Energy of the determinant with the exact operator, Hartree."""
    exact_correlation: float = field(metadata=HARTREE)
    """Correlation energy with the exact operator, Hartree."""
    mean_field: float = field(metadata=HARTREE)
    """Energy of the determinant with the approximation, Hartree."""
    correlation: float = field(metadata=HARTREE)
    """Correlation energy with the approximation, Hartree."""

    @property
    def correlation_error(self) -> float:
        """Approximate minus exact correlation energy, Hartree: what tables of the field print."""
        return self.correlation - self.exact_correlation

    @property
    def error(self) -> float:
        """Approximate minus exact total energy, Hartree."""
        return self.mean_field - self.exact_mean_field + self.correlation_error

    def __repr__(self) -> str:
        """Say how far it is off."""
        return (
            f"CoupledClusterError(CCSD(T) off by {1e3 * self.error:.3f} mHartree, of which "
            f"{1e3 * self.correlation_error:.3f} are correlation)"
        )


def coupled_cluster_error(
    approximate: Any,
    exact: Hamiltonian,
    *,
    determinant: DeterminantState | None = None,
    max_memory: float | None = None,
) -> CoupledClusterError:
    r"""Compare CCSD(T) energies of an approximated operator with those of the exact one.

    Both are solved on one determinant, that of the exact operator. A truncated sum of squares has
    :math:`\kappa` exact and lies below the exact operator, and so does its mean-field energy;
    `ql.keep_mean_field` gives a factorization the exact one. Coupled cluster is not variational,
    and this is no bound: `ql.energy_interval` proves one.

    Args:
        approximate: A `Hamiltonian`, `DoubleFactorization`, `CompressedFactorization` or
            `Hypercontraction`. A leaf-wise shift is to be undone first, as the orbital energies in
            (T) know it; what `SectorError` moved into the one-body part is moved back here.
        exact: The operator it stands for.
        determinant: Where CCSD(T) starts; the exact operator's Hartree-Fock state by default.
        max_memory: Bytes the integrals may take; the machine's free memory by default.

    Raises:
        InputError: Other orbitals or electrons, a shifted record, or not enough memory.
        NotConvergedError: The amplitudes did not converge.

    Source:
        The measure: J. Lee et al., PRX Quantum 2, 030305 (2021), arXiv:2011.03494, appendix.

    >>> import qlowrank as ql
    >>> exact = ql.from_example("water", tolerance=1e-10)
    >>> fit = ql.compress(ql.double_factorize(exact), n_leaves=14)
    >>> abs(ql.coupled_cluster_error(fit, exact).correlation_error) < 1e-3
    True
    """
    _check(approximate, exact)
    checks.fits(
        f"CCSD(T) of {exact.norb} orbitals",
        8 * 3 * exact.norb**4,
        max_memory,
        "Choose a smaller active space.",
    )
    start = hartree_fock_state(exact) if determinant is None else determinant
    own = _solve(exact, start, *operator_of(exact))
    return CoupledClusterError(*own, *energies_of(approximate, exact, start))


def energies_of(
    approximate: Any, exact: Hamiltonian, determinant: DeterminantState
) -> tuple[float, float]:
    """Return mean-field and CCSD(T) correlation energy of an approximated operator, Hartree.

    Raises:
        InputError: Other orbitals or electrons, or a shifted record.
        NotConvergedError: The amplitudes did not converge.
    """
    _check(approximate, exact)
    moved_back = getattr(approximate, "in_sector", False)
    whole = _on_all_sectors(approximate, exact) if moved_back else operator_of(approximate)
    return _solve(exact, determinant, *whole)


def _check(approximate: Any, exact: Hamiltonian) -> None:
    """Refuse what cannot be compared."""
    if not isinstance(exact, Hamiltonian):
        raise InputError(f"exact must be a Hamiltonian; got a {type(exact).__name__}.")
    if not hasattr(approximate, "two_body") and not hasattr(approximate, "to_hamiltonian"):
        raise InputError(
            "approximate must be a Hamiltonian or a factorization; got a "
            f"{type(approximate).__name__}."
        )
    if getattr(approximate, "shift", None) is not None:
        raise InputError(
            "This factorization is shifted by the number of electrons, which changes orbital "
            "energies though no energy. Undo that first, with ql.unshift."
        )
    if (approximate.norb, approximate.nelec) != (exact.norb, exact.nelec):
        raise InputError(
            f"approximate has {approximate.norb} orbitals and nelec {approximate.nelec}, exact has "
            f"{exact.norb} and {exact.nelec}; they must be the same."
        )


def operator_of(record: Any) -> tuple[float, Array, Array]:
    """Return constant, h and (pq|rs) of the operator that a record describes."""
    operator = record if hasattr(record, "two_body") else record.to_hamiltonian()
    kappa = operator.kappa if hasattr(operator, "kappa") else operator.one_body
    two_body = operator.two_body()
    one_body = kappa + np.einsum("prrq->pq", two_body) / 2
    return float(operator.constant), np.asarray(one_body), two_body


def _on_all_sectors(record: Any, exact: Hamiltonian) -> tuple[float, Array, Array]:
    r"""Return constant, h and (pq|rs) of a fit in a sector, with its symmetry shift undone.

    With v and w the matrices Σ_r (pq|rr) of the exact integrals and the fit's, and
    :math:`b = (v - w)/N - \mathrm{tr}(v - w)/(2N^2)`, the shift has moved
    :math:`1 \otimes b + b \otimes 1` out of the fit, and η (v - w)/N into its one-body part. A
    multiple of the identity stays there, which raises all orbital energies alike.
    """
    electrons = sum(exact.nelec)
    two_body, unit = record.two_body(), np.eye(exact.norb)
    traces = np.einsum("tpp->t", exact.factors)
    missing = np.einsum("t,tpq->pq", traces, exact.factors) - np.einsum("pqrr->pq", two_body)
    share = missing / exact.norb
    kappa = record.one_body - electrons * share
    constant = record.constant + electrons**2 * float(np.trace(share)) / (2 * exact.norb)
    share = share - np.trace(share) / (2 * exact.norb) * unit
    two_body = two_body + np.multiply.outer(unit, share) + np.multiply.outer(share, unit)
    one_body = kappa + np.einsum("prrq->pq", two_body) / 2
    return float(constant), np.asarray(one_body), two_body


def _solve(
    exact: Hamiltonian,
    determinant: DeterminantState,
    constant: float,
    one_body: Array,
    two_body: Array,
) -> tuple[float, float]:
    """Return mean-field and correlation energy on a determinant, Hartree."""
    energy, solver = solved(exact, determinant, constant, one_body, two_body)
    return energy, 0.0 if solver is None else float(solver.e_corr + solver.ccsd_t())


def solved(
    exact: Hamiltonian,
    determinant: DeterminantState,
    constant: float,
    one_body: Array,
    two_body: Array,
) -> tuple[float, Any]:
    """Return the mean-field energy on a determinant, Hartree, and PySCF's CCSD.

    The latter is None where there is nothing to correlate.

    Args:
        exact: For the numbers of orbitals and electrons.
        determinant: Where CCSD starts.
        constant: Hartree.
        one_body: h, shape (norb, norb), Hartree.
        two_body: (pq|rs), shape (norb,)*4, Hartree.

    Raises:
        NotConvergedError: The amplitudes did not converge.
    """
    from pyscf import ao2mo, cc

    mean_field = mean_field_of(exact)
    del mean_field.get_jk  # PySCF's own, from the integrals
    mean_field.get_hcore = lambda *_: one_body
    mean_field.energy_nuc = lambda *_: constant
    mean_field._eri = ao2mo.restore(8, np.array(two_body), exact.norb)  # noqa: SLF001
    mean_field.mo_coeff = np.array(determinant.orbitals)
    mean_field.mo_occ = occupation_of(exact.norb, exact.nelec)
    mean_field.converged = True
    density = mean_field.make_rdm1()
    fock = np.asarray(mean_field.get_fock(dm=density))
    mean_field.mo_energy = np.einsum("pi,pq,qi->i", mean_field.mo_coeff, fock, mean_field.mo_coeff)
    mean_field.e_tot = energy = float(mean_field.energy_tot(density))
    n_alpha, n_beta = exact.nelec
    if n_alpha + n_beta < 2 or n_beta == exact.norb:  # nothing to correlate
        return energy, None
    solver = cc.CCSD(mean_field) if n_alpha == n_beta else cc.UCCSD(mean_field.to_uhf())
    solver.set(conv_tol=1e-9, conv_tol_normt=1e-6, max_cycle=400, diis_space=12, verbose=0)
    solver.kernel()
    if not np.all(solver.converged):
        raise NotConvergedError(
            f"CCSD did not converge in {solver.max_cycle} cycles (last correlation energy "
            f"{float(solver.e_corr):.8f} Hartree).",
            best=determinant,
        )
    return energy, solver
