# SPDX-License-Identifier: Apache-2.0
"""Operators that are diagonal in the occupation numbers of one orbital frame."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlowrank import checks
from qlowrank.checks import Array, InputError


@dataclass(frozen=True, eq=False)
class DiagonalOperator:
    r"""A polynomial of second degree in the occupation numbers of rotated orbitals.

    .. math:: F = \sum_{k\sigma} a_k \tilde n_{k\sigma}
              + \tfrac12 \sum_{kl\sigma} S_{kl} \tilde n_{k\sigma} \tilde n_{l\sigma}
              + \sum_{kl} O_{kl} \tilde n_{k\alpha} \tilde n_{l\beta}

    with :math:`\tilde a^\dagger_{k\sigma} = \sum_p U_{pk} a^\dagger_{p\sigma}`. One orbital
    rotation and one measurement of all qubits read it. The square ½(Σ_k ε_k ñ_k)² of double
    factorization is S = O = ε εᵀ, a one-body operator is a alone.
    """

    frame: Array = field(metadata={"units": "1", "axes": "orbital,rotated"})
    """U, shape (norb, norb), orthogonal; column k is rotated orbital k."""
    linear: Array = field(metadata={"units": "hartree", "axes": "rotated"})
    """a, shape (norb,), Hartree."""
    same_spin: Array = field(metadata={"units": "hartree", "axes": "rotated,rotated"})
    """S, shape (norb, norb), symmetric, Hartree."""
    opposite_spin: Array = field(metadata={"units": "hartree", "axes": "rotated,rotated"})
    """O, shape (norb, norb), first index alpha, second beta, Hartree."""

    def __post_init__(self) -> None:
        norb = len(self.linear)
        square = (norb, norb)
        for name, shape in {"frame": square, "linear": (norb,), "opposite_spin": square}.items():
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))
        same_spin = checks.symmetric("same_spin", self.same_spin, norb)
        object.__setattr__(self, "same_spin", same_spin)
        gap = np.abs(self.frame.T @ self.frame - np.eye(norb)).max(initial=0.0)
        if gap > 1e-8:
            raise InputError(f"frame must be orthogonal; UᵀU misses the identity by {gap:.1e}.")

    def __repr__(self) -> str:
        """Say how large it is and what it needs."""
        return (
            f"DiagonalOperator({self.norb} orbitals, {np.count_nonzero(self.needed)} of them "
            "rotated ones that it reads)"
        )

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        return len(self.linear)

    @property
    def needed(self) -> NDArray[np.bool_]:
        """Whether F depends on each rotated orbital, shape (norb,)."""
        cores = (self.same_spin, self.opposite_spin, self.opposite_spin.T)
        used = [self.linear != 0, *(np.any(core != 0, axis=1) for core in cores)]
        return np.asarray(np.any(used, axis=0))

    def values(self, alpha: ArrayLike, beta: ArrayLike) -> Array:
        """Return F for occupations of the rotated orbitals.

        Args:
            alpha: Occupations 0 or 1 (or False, True) of rotated alpha orbitals, shape (..., norb).
            beta: The same for beta.

        Returns:
            Values in Hartree, shape (...).
        """
        alpha, beta = np.asarray(alpha, dtype=np.float64), np.asarray(beta, dtype=np.float64)
        linear = (alpha + beta) @ self.linear
        same_alpha = np.einsum("...k,...k->...", alpha @ self.same_spin, alpha)
        same_beta = np.einsum("...k,...k->...", beta @ self.same_spin, beta)
        opposite = np.einsum("...k,...k->...", alpha @ self.opposite_spin, beta)
        return np.asarray(linear + (same_alpha + same_beta) / 2 + opposite)

    def squares(self) -> "Squares":
        """Return F as a one-body operator plus weighted squares of one-body operators."""
        norb = self.norb
        matrix = np.block(
            [[self.same_spin, self.opposite_spin], [self.opposite_spin.T, self.same_spin]]
        )
        weights, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
        keep = np.abs(weights) > 2 * norb * np.finfo(float).eps * np.abs(weights).max(initial=0.0)
        return Squares(
            frame=self.frame,
            linear=np.stack([self.linear, self.linear]),
            weights=weights[keep],
            directions=vectors[:, keep].T.reshape(np.count_nonzero(keep), 2, norb),
        )


@dataclass(frozen=True, eq=False)
class Squares:
    r"""The same operator as :math:`\hat a + \tfrac12 \sum_m w_m \hat v_m^2`, term by term.

    Hats are one-body operators diagonal in `frame`, with separate values for the two spins.
    """

    frame: Array
    """U, shape (norb, norb)."""
    linear: Array
    """a, shape (2, norb): alpha, beta; Hartree."""
    weights: Array
    """w, shape (m,), Hartree."""
    directions: Array
    """v, shape (m, 2, norb), orthonormal over the last two axes."""

    def matrices(self) -> tuple[Array, Array]:
        """Return the one-body matrices of â and of each v̂: (2, norb, norb), (m, 2, norb, norb)."""
        return (
            np.einsum("pk,sk,qk->spq", self.frame, self.linear, self.frame),
            np.einsum("pk,msk,qk->mspq", self.frame, self.directions, self.frame),
        )
