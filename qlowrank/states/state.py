# SPDX-License-Identifier: Apache-2.0
"""What a state must offer to price a measurement plan."""

from dataclasses import dataclass
from typing import Protocol

from qlowrank.checks import Array
from qlowrank.hamiltonian.diagonal import DiagonalOperator


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of an operator in a state."""

    mean: float
    """Expectation value, Hartree."""
    variance: float
    """⟨F²⟩ − ⟨F⟩², Hartree², at least zero."""


class State(Protocol):
    """A normalised wavefunction with fixed numbers of alpha and beta electrons."""

    @property
    def label(self) -> str:
        """Name of the method: "hf", "cisd", "fci"."""
        ...

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        ...

    @property
    def nelec(self) -> tuple[int, int]:
        """(n_alpha, n_beta)."""
        ...

    @property
    def energy(self) -> float:
        """Total energy of the Hamiltonian that the state was made for, Hartree."""
        ...

    def moments(self, operator: DiagonalOperator) -> Moments:
        """Return mean and variance of `operator`."""
        ...

    def one_body_covariance(self) -> Array:
        """Return ⟨E_pq E_rs⟩ − ⟨E_pq⟩⟨E_rs⟩, symmetrised in p,q and in r,s, shape (norb,)*4."""
        ...

    def square_covariances(self, frame: Array, values: Array) -> Array:
        """Return Cov(½(Σ_k values_k ñ_k)², ñ_l) for every rotated orbital l, shape (norb,)."""
        ...
