# SPDX-License-Identifier: Apache-2.0
"""A matrix product state that prices measurement plans."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import comb

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.mps.expectations import spin_densities
from qlowrank.mps.record import MPS
from qlowrank.states.applied import Applied, Fitting
from qlowrank.states.covariance import rotated
from qlowrank.states.dmrg.record import Convergence
from qlowrank.states.fci import FCIState
from qlowrank.states.forms import FormSlope
from qlowrank.states.state import Moments

DENSE_LIMIT = 1_000_000
"""Determinants up to which covariances of all pairs of orbitals and slopes of variances go through
the CI vector."""


@dataclass(frozen=True, eq=False)
class MPSState:
    """A state held as an MPS over orbitals of its own. Make one with `ql.ground_state_mps`."""

    mps: MPS
    """One site per spatial orbital, norm 1."""
    orbitals: Array = field(metadata={"units": "1", "axes": "orbital,site"})
    """Shape (norb, norb), orthogonal: column k is the orbital of site k, written in the
    Hamiltonian's orbitals."""
    energy: float = field(metadata={"units": "hartree"})
    """Expectation value of the Hamiltonian, Hartree."""
    convergence: Convergence
    """How it came about."""
    fitting: Fitting = Fitting()  # noqa: RUF009 (frozen)
    """How operators are applied to it."""

    def __post_init__(self) -> None:
        norb = self.mps.n_sites
        orbitals = checks.readonly("orbitals", self.orbitals, (norb, norb))
        object.__setattr__(self, "orbitals", orbitals)
        gap = float(np.abs(orbitals.T @ orbitals - np.eye(norb)).max())
        if gap > 1e-8:
            raise InputError(f"orbitals must be orthogonal; UᵀU misses the identity by {gap:.1e}.")
        norm = self.mps.norm()
        if abs(norm - 1) > 1e-8:
            raise InputError(f"The MPS of a state must have norm 1; got {norm:.8f}.")

    @property
    def label(self) -> str:
        """Name of the method."""
        return "mps"

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        return self.mps.n_sites

    @property
    def nelec(self) -> tuple[int, int]:
        """(n_alpha, n_beta)."""
        return self.mps.nelec

    def moments(self, operator: DiagonalOperator) -> Moments:
        """Return mean and variance of `operator`, by applying it to the chain.

        Both are exact for one-body operators up to `Fitting.cutoff`, and so are means of squares;
        variances of squares rest on a fit, see `qlowrank.states.applied`.
        """
        return self._applied(operator).moments()

    def mean(self, operator: DiagonalOperator) -> float:
        """Return the mean of `operator` alone, at a fraction of the cost of its variance."""
        return self._applied(operator).mean()

    def fit_error(self, operator: DiagonalOperator) -> float:
        """Return the share of the squared norm that the fits behind a variance cut off.

        The largest over the squares of `operator`; zero where none was needed.
        """
        return self._applied(operator).error

    def one_body_density(self) -> Array:
        """Return γ_pq = ⟨E_pq⟩, spin-summed, shape (norb, norb)."""
        density = spin_densities(self.mps).sum(axis=0)
        return np.asarray(self.orbitals @ density @ self.orbitals.T)

    def one_body_covariance(self) -> Array:
        """Return ⟨E_pq E_rs⟩ − ⟨E_pq⟩⟨E_rs⟩, symmetrised in p,q and in r,s, shape (norb,)*4.

        Raises:
            InputError: The state has too many determinants; the message says what works.
        """
        self._check_size(
            "Covariances of all pairs of orbitals", "Use plain or mean-field fragments."
        )
        return rotated(self._dense.one_body_covariance(), self.orbitals)

    def form_slope(self, frame: Array, core: Array) -> FormSlope:
        """Return Var ½ Σ_kl Z_kl ñ_k ñ_l and its derivatives by frame and core.

        Raises:
            InputError: The state has too many determinants; the message says what works.
        """
        self._check_size("Slopes of variances", "Use ShotCost(ql.hartree_fock_state(hamiltonian)).")
        slope = self._dense.form_slope(self.orbitals.T @ frame, core)
        return replace(slope, frame=self.orbitals @ slope.frame)

    def _check_size(self, what: str, remedy: str) -> None:
        """Refuse to make a CI vector that is too large."""
        n_alpha, n_beta = self.nelec
        determinants = comb(self.norb, n_alpha) * comb(self.norb, n_beta)
        if determinants > DENSE_LIMIT:
            raise InputError(
                f"{what} go through the CI vector of an MPS, up to {DENSE_LIMIT:g} determinants; "
                f"this one has {determinants:.3g}. {remedy}"
            )

    @cached_property
    def _dense(self) -> FCIState:
        """The CI vector over the orbitals of the sites."""
        vector = self.mps.to_ci()
        vector = vector / np.linalg.norm(vector)
        return FCIState(vector=vector, norb=self.norb, nelec=self.nelec, energy=self.energy)

    def square_covariances(self, frame: Array, values: Array) -> Array:
        """Return Cov(½(Σ_k values_k ñ_k)², ñ_l) for every rotated orbital l, shape (norb,)."""
        square = np.outer(values, values)
        operator = DiagonalOperator(frame, np.zeros(self.norb), square, square)
        return self._applied(operator).number_covariances()

    def _applied(self, operator: DiagonalOperator) -> Applied:
        """Return the operator, written over the sites, applied to the chain."""
        return Applied(self.mps, operator, self.orbitals, self.fitting)

    def __repr__(self) -> str:
        """Say what it is."""
        return (
            f"MPSState({self.norb} orbitals, nelec={self.nelec}, bond dimension "
            f"{self.mps.max_bond_dimension}, energy {self.energy:.8f} Hartree, "
            f"{self.convergence.status})"
        )
