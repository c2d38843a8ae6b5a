# SPDX-License-Identifier: Apache-2.0
"""Whether two sets of leaves are the same physics, however different they look."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.squares import signed_squares
from qlowrank.lowrank import SubspaceAngles, principal_angles, rotation_bound


@dataclass(frozen=True, eq=False)
class LeavesComparison:
    """How far two factorizations of the same orbitals are apart."""

    coulomb_distance: float = field(metadata={"units": "hartree"})
    """Frobenius norm of the difference of all (pq|rs), Hartree."""
    one_body_distance: float = field(metadata={"units": "hartree"})
    """Frobenius norm of the difference of the one-body parts, Hartree."""
    angles: SubspaceAngles
    """Principal angles between the leading spaces of the two sets of factors."""
    rank: int = field(metadata={"units": "1"})
    """Dimension of those spaces."""
    rotation_bound: float = field(metadata={"units": "radian"})
    """What the largest angle can be at most, given `coulomb_distance` and the gap in the spectrum
    of (pq|rs) below the leading space; π/2 where the gap is too small to tell."""

    def same(self, tolerance: float) -> bool:
        """Say whether one- and two-body parts agree to `tolerance`, Hartree."""
        limit = checks.tolerance(tolerance)
        return self.coulomb_distance <= limit and self.one_body_distance <= limit

    def __repr__(self) -> str:
        """Say how far."""
        return (
            f"LeavesComparison((pq|rs) differ by {self.coulomb_distance:.2e} Hartree, one-body "
            f"parts by {self.one_body_distance:.2e}; leading spaces of rank {self.rank} turned by "
            f"at most {self.angles.largest:.1e} rad)"
        )


def compare_leaves(first: Any, second: Any, *, threshold: float = 1e-3) -> LeavesComparison:
    r"""Compare two factorizations of the same orbitals, whatever their gauges.

    Leaves depend on the gauge; the matrix :math:`V_{pq,rs} = \sum_t L^t_{pq} L^t_{rs}` over orbital
    pairs does not. So what is compared is V itself, and the space of its eigenvectors with
    eigenvalues above the threshold, by principal angles. No matrix larger than pairs × squares is
    formed.

    Args:
        first: A `DoubleFactorization` or `CompressedFactorization`.
        second: Another of the same orbitals; shifted alike, or not at all.
        threshold: Eigenvalues of V that make up the leading space, Hartree.

    Raises:
        InputError: They have different numbers of orbitals, or only one of them is shifted.

    >>> from qlowrank.factorization import EigenGauge, double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> hamiltonian = from_example("water")
    >>> cholesky = double_factorize(hamiltonian)
    >>> comparison = compare_leaves(cholesky, double_factorize(hamiltonian, gauge=EigenGauge()))
    >>> comparison.same(1e-8), comparison.angles.largest < 1e-6
    (True, True)
    """
    threshold = checks.positive("threshold", threshold)
    one, two = _pair_vectors(first), _pair_vectors(second)
    if one[1].shape[1] != two[1].shape[1]:
        raise InputError(
            "Both factorizations must have the same orbitals; got "
            f"{first.norb} and {second.norb} of them."
        )
    if (getattr(first, "shift", None) is None) != (getattr(second, "shift", None) is None):
        raise InputError("One of the two is shifted. Undo that first, with ql.unshift.")
    distance = _distance(one, two)
    values, leading = _leading(*one, threshold)
    others = _leading(*two, threshold)[1]
    rank = min(leading.shape[1], others.shape[1])
    cut = 0 < rank < len(values)
    return LeavesComparison(
        coulomb_distance=distance,
        one_body_distance=float(np.linalg.norm(first.one_body - second.one_body)),
        angles=principal_angles(leading[:, :rank], others[:, :rank]),
        rank=rank,
        rotation_bound=rotation_bound(values, rank, distance) if cut else float(np.pi / 2),
    )


def _pair_vectors(factorization: Any) -> tuple[Array, Array]:
    """Signs of the squares, and the squares as rows over pairs p ≥ q, so that norms are kept."""
    squares = signed_squares(factorization)
    rows, cols = np.tril_indices(factorization.norb)
    weights = np.where(rows == cols, 1.0, np.sqrt(2.0))
    return squares.signs, squares.factors()[:, rows, cols] * weights


def _distance(one: tuple[Array, Array], two: tuple[Array, Array]) -> float:
    """Frobenius norm of Σ s a aᵀ − Σ s b bᵀ.

    With [a b] = R Q, Q of orthonormal rows, it is that of Rᵀ diag(s) R: no difference of squares is
    taken, which would lose half of the digits.
    """
    signs = np.concatenate([one[0], -two[0]])
    triangle = np.linalg.qr(np.vstack([one[1], two[1]]).T).R
    return float(np.linalg.norm((triangle * signs) @ triangle.T))


def _leading(signs: Array, vectors: Array, threshold: float) -> tuple[Array, Array]:
    """Eigenvalues of Σ s a aᵀ, largest first, and eigenvectors of those above the threshold."""
    basis, triangle = np.linalg.qr(vectors.T)
    values, inner = np.linalg.eigh((triangle * signs) @ triangle.T)
    values, inner = values[::-1], inner[:, ::-1]
    return values, basis @ inner[:, values > threshold]
