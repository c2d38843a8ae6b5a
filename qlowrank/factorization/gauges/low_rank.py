# SPDX-License-Identifier: Apache-2.0
r"""One-norm and error of squares of low rank, without a single eigendecomposition of a leaf.

A leaf is :math:`L_t = c_t + \sum_k s_{tk} a_{tk} a_{tk}^T` with fixed signs s. The sum of the
:math:`\|a_{tk}\|^2` is never below the nuclear norm of :math:`L_t - c_t`, and equal to it where the
vectors of a leaf are orthogonal, so that it stands for it in a minimisation: weight decay on the
vectors does what a nuclear norm does to the matrix, without its corners. What is minimised is

.. math:: \Big\| T'_W + \sum_t (b_t + (\eta - n) c_t) L_t - \mu \Big\|_*
          + \tfrac14 \sum_t \Big( \sum_k \|a_{tk}\|^2 + |b_t| \Big)^2
          + \tfrac{w}{2} \Big\| V - \sum_t L_t \otimes L_t \Big\|_g^2
          + \tfrac{w_E}{2} (\delta E - \Delta)^2 ,

with :math:`\delta E` the predicted change of the correlation energy (`PairEnergy`) and
:math:`T'_W` the one-body part that keeps the mean field of a density D: with
:math:`R = V - W` and :math:`P = D - 1`, it is :math:`T' + J_R[P] - \tfrac12 X_R[P]`.

In the norm :math:`\|R\|_g^2 = \sum g_{pq} g_{rs} (pq|rs)_R^2`, over the determinant's orbitals, a
pair of one filled and one empty orbital counts g = 1, and the others g = 1/5: with the mean field
exact, only the former leave the determinant, so that :math:`\|R\|_F^2` over them is about the
variance of the error, and what it does to the energy to second order.
"""

from dataclasses import dataclass

import numpy as np
from opt_einsum import contract

from qlowrank.checks import Array
from qlowrank.factorization.compression.packing import packed, unpacked
from qlowrank.factorization.gauges.landscape import ONE_BODY_WIDTH
from qlowrank.factorization.gauges.pair_energy import PairEnergy
from qlowrank.factorization.smoothing import smooth_magnitude, smooth_nuclear_norms

ENERGY_WEIGHT = 1e6
"""w_E, 1/Hartree: 1 mHartree counts as much as half a Hartree of the one-norm."""

QUIET = 0.2
"""g of pairs of orbitals that are both filled or both empty."""


@dataclass(frozen=True, eq=False)
class LowRankPoint:
    """Leaves as sums of signed projectors, and what goes with them."""

    vectors: Array
    """a, those of one leaf after those of another, shape (n_vectors, norb), Hartree^¼."""
    shifts: Array
    """c, shape (n_leaves,), Hartree^½."""
    offsets: Array
    """b, shape (n_leaves,), Hartree^½."""
    potential: float
    """μ, Hartree."""


class LowRankLandscape:
    """The function that a fit of low-rank leaves minimises."""

    def __init__(  # noqa: PLR0913 (the terms of the formula)
        self,
        factors: Array,
        kappa: Array,
        density: Array,
        *,
        electrons: int,
        signs: Array,
        leaf_of: np.ndarray,
        weight: float,
        pair_energy: float,
        response: Array | None = None,
    ) -> None:
        self.norb, self.excess, self.weight = len(kappa), electrons - len(kappa), weight
        self.factors = packed(np.asarray(factors))
        self.signs = signs
        self.n_leaves = int(leaf_of[-1]) + 1
        self.edges = np.searchsorted(leaf_of, np.arange(self.n_leaves + 1))
        self.leaf_of = leaf_of
        self.hole = density - np.eye(self.norb)
        traces = contract("tpp->t", factors)
        whole = kappa + contract("t,tpq->pq", traces, factors)
        self.energy = PairEnergy(factors, kappa, density, response)
        self.wanted = pair_energy
        self.base = whole + self._mean_field(np.asarray(factors))[1]
        self.filled = density / 2
        self.weighed = self._weighed(np.asarray(factors))
        self.square = float(np.sum((self.factors @ self.weighed.T) ** 2))

    def _mean_field(self, leaves: Array) -> tuple[Array, Array]:
        """Return tr(L_t P) and J[P] − ½X[P] of squares."""
        overlaps = contract("tpq,pq->t", leaves, self.hole)
        exchange = np.einsum("tpq,tqr->pr", leaves @ self.hole, leaves, optimize=True)
        return overlaps, contract("t,tpq->pq", overlaps, leaves) - exchange / 2

    def leaves(self, point: LowRankPoint) -> Array:
        """Return L, shape (n_leaves, norb, norb), Hartree^½."""
        leaves = np.empty((self.n_leaves, self.norb, self.norb))
        signed = point.vectors * self.signs[:, None]
        for leaf, (first, last) in enumerate(zip(self.edges, self.edges[1:], strict=False)):
            leaves[leaf] = point.vectors[first:last].T @ signed[first:last]
        return leaves + point.shifts[:, None, None] * np.eye(self.norb)

    def _weighed(self, leaves: Array) -> Array:
        """Return g ∘ L in the determinant's orbitals, packed: 1/5 L + 4/5 (P L Q + Q L P)."""
        filled = leaves @ self.filled
        both = self.filled @ filled
        crossing = filled + filled.transpose(0, 2, 1) - 2 * both
        return packed(QUIET * leaves + (1 - QUIET) * crossing)

    def error(self, leaves: Array) -> tuple[float, Array]:
        """Return ‖V − W‖² (Hartree²) in the norm of g and half its slope along packed leaves."""
        rows, weighed = packed(leaves), self._weighed(leaves)
        known, own = self.weighed @ rows.T, weighed @ rows.T
        square = self.square - 2 * float(np.sum(known**2)) + float(np.sum(own**2))
        return max(square, 0.0), 2 * (own @ weighed - known.T @ self.weighed)

    def frobenius_error(self, leaves: Array) -> float:
        """Return ‖V − W‖_F over all (pq|rs), Hartree."""
        rows = packed(leaves)
        square = np.sum((self.factors @ self.factors.T) ** 2) + np.sum((rows @ rows.T) ** 2)
        return float(np.sqrt(max(square - 2 * np.sum((self.factors @ rows.T) ** 2), 0.0)))

    def one_body(self, leaves: Array, point: LowRankPoint) -> Array:
        """Return the matrix whose nuclear norm counts, shape (norb, norb), Hartree."""
        weights = point.offsets + self.excess * point.shifts
        moved = self.base - self._mean_field(leaves)[1] + contract("t,tpq->pq", weights, leaves)
        return np.asarray((moved + moved.T) / 2 - point.potential * np.eye(self.norb))

    def one_norm(self, point: LowRankPoint) -> float:
        """Return the one-norm, or a little more where vectors are not orthogonal, Hartree."""
        energies = np.linalg.eigvalsh(self.one_body(self.leaves(point), point))
        sums = self._sums(point) + np.abs(point.offsets)
        return float(np.abs(energies).sum() + sums @ sums / 4)

    def _sums(self, point: LowRankPoint) -> Array:
        """Return Σ_k ‖a_k‖² of every leaf, Hartree^½."""
        lengths = np.sum(point.vectors**2, axis=1)
        sums = np.bincount(self.leaf_of, weights=lengths, minlength=self.n_leaves)
        return sums.astype(np.float64)

    def smoothed(self, point: LowRankPoint, width: float) -> tuple[float, LowRankPoint]:
        """Return the objective with |b| and the one-body part rounded, and its slopes."""
        leaves = self.leaves(point)
        square, slope = self.error(leaves)
        towards = unpacked(self.weight * slope, self.norb)
        one_body = self.one_body(leaves, point)
        (norm,), (sign,) = smooth_nuclear_norms(one_body[None], ONE_BODY_WIDTH * width)
        magnitudes, offset_slopes = smooth_magnitude(point.offsets, width)
        sums = self._sums(point) + magnitudes
        along = contract("tpq,pq->t", leaves, sign)
        weights = point.offsets + self.excess * point.shifts
        weights = weights - contract("tpq,pq->t", leaves, self.hole)
        change, energy_slope = self.energy(leaves)
        change -= self.wanted
        towards += 2 * ENERGY_WEIGHT * change * energy_slope
        turned = (sign @ leaves) @ self.hole
        towards += weights[:, None, None] * sign - along[:, None, None] * self.hole
        towards += (turned + turned.transpose(0, 2, 1)) / 2
        vectors = sums[self.leaf_of][:, None] * point.vectors
        for leaf, (first, last) in enumerate(zip(self.edges, self.edges[1:], strict=False)):
            pull = point.vectors[first:last] @ towards[leaf]
            vectors[first:last] += 2 * self.signs[first:last, None] * pull
        penalty = self.weight * square + ENERGY_WEIGHT * change**2
        return float(norm + sums @ sums / 4 + penalty / 2), LowRankPoint(
            vectors=vectors,
            shifts=contract("tpp->t", towards) + self.excess * along,
            offsets=sums / 2 * offset_slopes + along,
            potential=-float(np.trace(sign)),
        )
