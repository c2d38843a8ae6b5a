# SPDX-License-Identifier: Apache-2.0
"""What is to be compressed, and the points and slopes on the way."""

from dataclasses import dataclass, replace

import numpy as np

from qlowrank.checks import Array
from qlowrank.factorization.compression.packing import packed, unpacked


@dataclass(frozen=True, eq=False, slots=True)
class Point:
    """Leaves and cores."""

    leaves: Array
    """U, shape (n_leaves, norb, norb), orthogonal."""
    cores: Array
    """Z, shape (n_leaves, norb, norb), symmetric, Hartree."""


@dataclass(frozen=True, eq=False, slots=True)
class Slope:
    """A value and its derivatives with respect to every entry of leaves and cores."""

    value: float
    """Of the objective."""
    leaves: Array
    """∂/∂U, shape (n_leaves, norb, norb)."""
    cores: Array
    """∂/∂Z, shape (n_leaves, norb, norb), symmetric."""


@dataclass(frozen=True, eq=False, slots=True)
class Problem:
    r"""The integrals as orthogonal vectors by falling norm, :math:`V = \sum_m v_m v_m^T`."""

    vectors: Array
    """Packed symmetric matrices, shape (rank, n_pairs), Hartree^½."""
    one_body: Array
    """kappa, shape (norb, norb), Hartree."""
    nelec: tuple[int, int]
    """Electrons of each spin."""
    hidden: float = 1.0
    """Which share of the one-body operator hidden in the squares adds to `one_body`."""
    centred: bool = False
    """Whether the identity in the one-body part is only a constant, as in a sector."""

    @property
    def norb(self) -> int:
        """Number of orbitals."""
        return len(self.one_body)

    @property
    def weights(self) -> Array:
        """Eigenvalues of V, shape (rank,), Hartree, falling."""
        return np.einsum("mp,mp->m", self.vectors, self.vectors)

    @property
    def rounding(self) -> float:
        """Squared error that cannot be told from zero, Hartree²."""
        return 64 * float(np.finfo(float).eps) * float(np.sum(self.weights**2))

    @property
    def trace_part(self) -> Array:
        """Σ_m tr(v_m) v_m as a matrix, shape (norb, norb), Hartree."""
        traces = self.vectors @ packed(np.eye(self.norb))
        return unpacked(traces @ self.vectors, self.norb)

    def sector(self) -> "Problem":
        """Return it as a fixed number of electrons sees it.

        With w the one-body operator hidden in the squares and v the same of the exact integrals,
        η (v − w) / N moves into the one-body part; see `SectorError`.
        """
        share = sum(self.nelec) / self.norb
        return replace(
            self,
            one_body=self.one_body + share * self.trace_part,
            hidden=1.0 - share,
            centred=True,
        )

    def resolved(self, error: float) -> "Problem":
        """Return it with the smallest vectors left out: V moves by at most `error`, Frobenius."""
        tails = np.cumsum(self.weights[::-1] ** 2)
        dropped = int(np.searchsorted(tails, error**2, side="right"))
        return replace(self, vectors=self.vectors[: len(self.vectors) - dropped])


def problem_of(factors: Array, one_body: Array, nelec: tuple[int, int]) -> Problem:
    """Return the problem of fitting Σ_t L_t ⊗ L_t.

    Args:
        factors: L, shape (rank, norb, norb), Hartree^½.
        one_body: kappa, shape (norb, norb), Hartree.
        nelec: Electrons of each spin.
    """
    vectors = packed(factors)
    if len(vectors) > vectors.shape[1]:  # more vectors than dimensions: as few as there are
        vectors = np.asarray(np.linalg.qr(vectors, mode="r"))
    _, mixing = np.linalg.eigh(vectors @ vectors.T)
    return Problem(
        vectors=mixing[:, ::-1].T @ vectors,
        one_body=one_body,
        nelec=nelec,
    )
