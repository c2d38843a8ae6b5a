# SPDX-License-Identifier: Apache-2.0
"""Full CI vectors: every determinant of the sector."""

from dataclasses import dataclass, field
from math import comb

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.states.covariance import covariance_from_rdms
from qlowrank.states.forms import FormSlope, vector_form_slope
from qlowrank.states.state import Moments


@dataclass(frozen=True, eq=False)
class FCIState:
    """A full CI vector in PySCF's order. Make one with `ql.fci_state`."""

    vector: Array = field(metadata={"units": "1", "axes": "alpha_string,beta_string"})
    """Coefficients, shape (C(norb, n_alpha), C(norb, n_beta)), normalised; PySCF's strings."""
    norb: int = field(metadata={"units": "1"})
    """Number of spatial orbitals."""
    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """(n_alpha, n_beta)."""
    energy: float = field(metadata={"units": "hartree"})
    """Total energy, Hartree."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "nelec", checks.electrons(self.nelec, self.norb))
        shape = (comb(self.norb, self.nelec[0]), comb(self.norb, self.nelec[1]))
        vector = checks.readonly("vector", self.vector, shape)
        object.__setattr__(self, "vector", vector)
        norm = float(np.linalg.norm(vector))
        if abs(norm - 1) > 1e-8:
            raise InputError(f"A CI vector must have norm 1; got {norm:.8f}. Divide by its norm.")

    def __repr__(self) -> str:
        """Say how large it is."""
        rows, columns = self.vector.shape
        return (
            f"FCIState({self.norb} orbitals, nelec={self.nelec}, {rows} × {columns} determinants, "
            f"energy {self.energy:.8f} Hartree)"
        )

    @property
    def label(self) -> str:
        """Name of the method."""
        return "fci"

    def moments(self, operator: DiagonalOperator) -> Moments:
        """Return mean and variance of `operator`, by applying it to the vector."""
        image = self._apply(operator)
        mean = float(np.vdot(self.vector, image))
        deviation = image - mean * self.vector
        return Moments(mean=mean, variance=float(np.vdot(deviation, deviation)))

    def one_body_density(self) -> Array:
        """Return γ_pq = ⟨E_pq⟩, spin-summed, shape (norb, norb)."""
        from pyscf.fci import direct_spin1

        density = direct_spin1.make_rdm1(np.array(self.vector), self.norb, self.nelec)
        return np.asarray(density + density.T) / 2

    def one_body_covariance(self) -> Array:
        """Return Γ of `covariance.covariance_from_rdms`, shape (norb,)*4."""
        from pyscf.fci import direct_spin1

        rdms = direct_spin1.make_rdm12s(np.array(self.vector), self.norb, self.nelec)
        return covariance_from_rdms(*rdms)

    def square_covariances(self, frame: Array, values: Array) -> Array:
        """Return Cov(½(Σ_k values_k ñ_k)², ñ_l) for every l, shape (norb,)."""
        from pyscf.fci import direct_spin1

        square = np.outer(values, values)
        operator = DiagonalOperator(frame, np.zeros(self.norb), square, square)
        image = self._apply(operator)
        image -= np.vdot(self.vector, image) * self.vector
        transition = direct_spin1.trans_rdm1(image, self.vector, self.norb, self.nelec)
        return np.asarray(np.einsum("pk,pq,qk->k", frame, transition, frame))

    def form_slope(self, frame: Array, core: Array) -> FormSlope:
        """Return Var ½ Σ_kl Z_kl ñ_k ñ_l and its derivatives by frame and core."""
        return vector_form_slope(self.vector, self.nelec, frame, core)

    def distribution(self, frame: Array) -> Array:
        """Return the probabilities of all occupations of rotated orbitals.

        Args:
            frame: U, shape (norb, norb), orthogonal; column k is rotated orbital k.

        Returns:
            Shape like `vector`; row and column order as in `occupations`.
        """
        from pyscf.fci import addons

        rotated = addons.transform_ci(np.array(self.vector), self.nelec, np.array(frame))
        return np.asarray(rotated**2)

    def occupations(self) -> tuple[Array, Array]:
        """Return the occupations behind rows and columns of the vector, one row a string.

        Shapes (rows, norb) and (columns, norb), entries 0 or 1.
        """
        from pyscf.fci import cistring

        def bits(electrons: int) -> Array:
            strings = np.asarray(cistring.make_strings(range(self.norb), electrons), dtype=np.int64)
            return ((strings[:, None] >> np.arange(self.norb)) & 1).astype(float)

        return bits(self.nelec[0]), bits(self.nelec[1])

    def _apply(self, operator: DiagonalOperator) -> Array:
        """Return F|ψ⟩ through one-body operators alone."""
        from pyscf.fci import direct_uhf

        squares = operator.squares()
        linear, directions = squares.matrices()

        def one_body(matrices: Array, vector: Array) -> Array:
            return np.asarray(direct_uhf.contract_1e(matrices, vector, self.norb, self.nelec))

        image = one_body(linear, self.vector)
        for weight, matrices in zip(squares.weights, directions, strict=True):
            image += weight / 2 * one_body(matrices, one_body(matrices, self.vector))
        return image
