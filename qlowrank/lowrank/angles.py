# SPDX-License-Identifier: Apache-2.0
"""How well a low-rank answer is determined: gaps, principal angles, perturbation bounds."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import subspace_angles

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.lowrank.svd import real_matrix


@dataclass(frozen=True, eq=False)
class SubspaceAngles:
    """Principal angles between the column spaces of two matrices."""

    angles: Array = field(metadata={"units": "radian", "axes": "angle"})
    """θ, shape (smaller rank,), radian, largest first."""

    def __post_init__(self) -> None:
        angles = checks.readonly("angles", self.angles, (len(self.angles),))
        object.__setattr__(self, "angles", angles)

    def __repr__(self) -> str:
        """Say how far the subspaces are apart."""
        return f"SubspaceAngles({len(self.angles)} angles, largest {self.largest:.3g} radian)"

    @property
    def largest(self) -> float:
        """Largest angle, radian."""
        return float(self.angles.max(initial=0.0))

    @property
    def gap_distance(self) -> float:
        """Sin of the largest angle: spectral norm of the difference of the projectors."""
        return float(np.sin(self.largest))

    @property
    def chordal_distance(self) -> float:
        """Root of Σ sin² θ: Frobenius norm of the difference of the projectors over √2."""
        return float(np.linalg.norm(np.sin(self.angles)))

    @property
    def overlap(self) -> float:
        """Mean of cos² θ: one for equal spaces, zero for orthogonal ones."""
        return float(np.mean(np.cos(self.angles) ** 2)) if self.angles.size else 1.0


def principal_angles(first: ArrayLike, second: ArrayLike) -> SubspaceAngles:
    """Return the principal angles between the column spaces of two matrices.

    They do not depend on the bases: two factors that span the same space have all angles zero,
    however different they look. SciPy computes them, small ones from sines.

    Args:
        first: Shape (m, r), of rank r.
        second: Shape (m, s), of rank s.

    Raises:
        InputError: The columns live in different spaces.

    Source:
        Å. Björck and G. H. Golub, Math. Comput. 27, 579 (1973).

    >>> principal_angles([[1.0], [0.0]], [[1.0], [1.0]]).angles.round(4)
    array([0.7854])
    """
    first, second = real_matrix(first, "first"), real_matrix(second, "second")
    if len(first) != len(second):
        raise InputError(
            "first and second must have columns of the same length; got "
            f"{len(first)} and {len(second)}."
        )
    if not (first.size and second.size):
        return SubspaceAngles(angles=np.zeros(0))
    return SubspaceAngles(angles=subspace_angles(first, second))


def spectral_gap(values: ArrayLike, rank: int) -> float:
    """Difference between the last value kept and the first one cut.

    Where it is zero, the space of the first `rank` vectors is one choice among many.

    Args:
        values: Singular values or eigenvalues, largest first.
        rank: How many are kept, from one to all; all leaves the last value itself.

    >>> spectral_gap([5.0, 3.0, 0.5], 2)
    2.5
    """
    values = checks.readonly("values", np.asarray(values), (np.size(values),))
    if np.any(np.diff(values) > 0):
        raise InputError("values must be sorted, largest first.")
    if not 1 <= checks.whole("rank", rank) <= len(values):
        raise InputError(f"rank must lie between 1 and {len(values)}; got {rank}.")
    return float(values[rank - 1] - (values[rank] if rank < len(values) else 0.0))


def rotation_bound(values: ArrayLike, rank: int, perturbation: float) -> float:
    r"""Largest angle by which a perturbation can turn the space of the first eigenvectors, radian.

    .. math:: \|\sin \Theta\|_2 \le \frac{2 \|E\|_2}{\lambda_r - \lambda_{r+1}}

    Only the spectrum before the perturbation enters. π/2, no statement, where the gap is less than
    2‖E‖.

    Args:
        values: Eigenvalues of a symmetric matrix, largest first.
        rank: How many are kept; fewer than all.
        perturbation: ‖E‖₂ or an upper bound, such as the Frobenius norm.

    Source:
        C. Davis and W. M. Kahan, SIAM J. Numer. Anal. 7, 1 (1970), sin Θ theorem, with Weyl's
        inequality; Y. Yu, T. Wang, R. J. Samworth, Biometrika 102, 315 (2015).

    >>> round(rotation_bound([5.0, 3.0], 1, 0.1), 4)
    0.1002
    """
    if checks.finite("perturbation", perturbation) < 0:
        raise InputError(f"perturbation must be at least 0; got {perturbation:g}.")
    if np.size(values) <= rank:
        raise InputError(f"rank must be below {np.size(values)}, so that something is cut.")
    gap = spectral_gap(values, rank)
    if 2 * perturbation >= gap:
        return float(np.pi / 2)
    return float(np.arcsin(2 * perturbation / gap))
