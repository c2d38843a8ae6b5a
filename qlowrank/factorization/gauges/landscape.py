# SPDX-License-Identifier: Apache-2.0
r"""The one-norm as a function of the gauge, with rounded corners and its gradient.

Factors F and K rows N that are free are mixed by an orthogonal Q into leaves
:math:`L = Q_F F + Q_N N`. Leaves are shifted by c and offset by b. With :math:`D = Q_F F`, what is
minimised is

.. math:: \lambda = \Big\| T' + \sum_t (b_t + (\eta - n) c_t) D_t - \mu \Big\|_*
          + \tfrac14 \sum_t \big( \|L_t - c_t\|_* + |b_t| \big)^2 .

Factors may end in empty rows, which become further leaves. Without rows N and offsets that is the
one-norm of a double factorization; with them, that of a `SquareEncoding`.
"""

from dataclasses import dataclass

import numpy as np

from qlowrank.checks import Array
from qlowrank.factorization.compression.packing import packed, unpacked
from qlowrank.factorization.smoothing import smooth_magnitude, smooth_nuclear_norms

ONE_BODY_WIDTH = 4
"""The one-body part is smoothed over this many widths: its eigenvalues are larger."""


@dataclass(frozen=True, eq=False)
class GaugePoint:
    """Where an optimisation stands."""

    mixing: Array
    """Q, shape (n_leaves, n_leaves), orthogonal; the last columns belong to the free rows."""
    shifts: Array
    """c, shape (n_leaves,), Hartree^½."""
    offsets: Array
    """b, shape (n_leaves,), Hartree^½."""
    rows: Array
    """N, packed, shape (n_projected, n_pairs), Hartree^½."""
    potential: float
    """μ, Hartree."""


@dataclass(frozen=True, eq=False)
class GaugeLandscape:
    """The molecule's part of the problem; matrices are packed so that dot products stay."""

    factors: Array
    """F, shape (rank, n_pairs), Hartree^½."""
    one_body: Array
    """T', shape (norb, norb), Hartree."""
    excess: int
    """η − n, electrons less orbitals."""
    with_shifts: bool
    """Whether c and μ may differ from zero."""
    with_offsets: bool
    """Whether b may differ from zero."""

    @property
    def norb(self) -> int:
        """Number of orbitals."""
        return len(self.one_body)

    @property
    def identity(self) -> Array:
        """The packed unit matrix."""
        return packed(np.eye(self.norb)[None])[0]

    def leaves(self, point: GaugePoint) -> tuple[Array, Array]:
        """Return L and D, packed, shape (n_leaves, n_pairs), Hartree^½."""
        rank = len(self.factors)
        projected = point.mixing[:, :rank] @ self.factors
        return projected + point.mixing[:, rank:] @ point.rows, projected

    def shifted_leaves(self, leaves: Array, shifts: Array) -> Array:
        """Return L − c, shape (n_leaves, norb, norb), Hartree^½."""
        return unpacked(leaves - np.outer(shifts, self.identity), self.norb)

    def shifted_one_body(self, projected: Array, point: GaugePoint) -> Array:
        """Return T' + Σ_t (b_t + (η − n) c_t) D_t − μ, shape (norb, norb), Hartree."""
        weights = point.offsets + self.excess * point.shifts
        moved = unpacked((weights @ projected)[None], self.norb)[0]
        return np.asarray(self.one_body + moved - point.potential * np.eye(self.norb))

    def one_norm(self, point: GaugePoint) -> float:
        """Return λ with its corners, Hartree."""
        leaves, projected = self.leaves(point)
        eigenvalues = np.linalg.eigvalsh(self.shifted_leaves(leaves, point.shifts))
        sums = np.abs(eigenvalues).sum(axis=1) + np.abs(point.offsets)
        energies = np.linalg.eigvalsh(self.shifted_one_body(projected, point))
        return float(np.abs(energies).sum() + sums @ sums / 4)

    def smoothed(self, point: GaugePoint, width: float) -> tuple[float, "GaugeSlope"]:
        """Return λ with corners rounded over a width (Hartree^½), and its slopes."""
        leaves, projected = self.leaves(point)
        norms, signs = smooth_nuclear_norms(self.shifted_leaves(leaves, point.shifts), width)
        sums, offset_slopes = norms, np.zeros(len(norms))
        if self.with_offsets:
            magnitudes, offset_slopes = smooth_magnitude(point.offsets, width)
            sums = norms + magnitudes
        one_body = self.shifted_one_body(projected, point)
        (norm,), (sign,) = smooth_nuclear_norms(one_body[None], ONE_BODY_WIDTH * width)
        towards = projected @ packed(sign[None])[0]
        slope = GaugeSlope(
            leaves=packed(signs * (sums / 2)[:, None, None]),
            projected=packed(sign[None])[0],
            weights=point.offsets + self.excess * point.shifts,
            shifts=(self.excess * towards - sums / 2 * np.einsum("tpp->t", signs))
            * self.with_shifts,
            offsets=(sums / 2 * offset_slopes + towards) * self.with_offsets,
            potential=-float(np.trace(sign)) * self.with_shifts,
        )
        return float(norm + sums @ sums / 4), slope


@dataclass(frozen=True, eq=False)
class GaugeSlope:
    """Slopes of λ: towards L it is `leaves`, towards D the outer product weights ⊗ projected."""

    leaves: Array
    """Packed, shape (n_leaves, n_pairs), Hartree^½."""
    projected: Array
    """Packed sign of the one-body part, shape (n_pairs,)."""
    weights: Array
    """Shape (n_leaves,), Hartree^½."""
    shifts: Array
    """Shape (n_leaves,), Hartree^½."""
    offsets: Array
    """Shape (n_leaves,), Hartree^½."""
    potential: float
    """Pure number."""
