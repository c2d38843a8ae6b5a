# SPDX-License-Identifier: Apache-2.0
"""Operators diagonal in occupation numbers, in coordinates without redundancy on a sector."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import helmert

from qlowrank.checks import Array
from qlowrank.hamiltonian.diagonal import DiagonalOperator


@dataclass(frozen=True)
class Sector:
    r"""Polynomials of second degree in occupation numbers, modulo what the sector makes constant.

    With n_α and n_β electrons fixed, much of a :class:`DiagonalOperator` is redundant:
    Σ_l n_lσ = n_σ makes Σ_l n_kσ n_lσ a multiple of n_kσ, and Σ_l n_kα n_lβ one of n_kα. What is
    left, and written as a vector of coefficients here, is

    - one-spin features: pairs n_kσ n_lσ, the same in both spins, about their mean, where some spin
      has at least two electrons and two holes; linear terms elsewhere (and a separate linear term
      for the second spin where n_α ≠ n_β);
    - opposite-spin features ν_iα ν_jβ + ν_jα ν_iβ, with ν the occupations about their mean.

    A spin that is empty or full has no features.
    """

    norb: int
    """Number of spatial orbitals."""
    nelec: tuple[int, int]
    """(n_alpha, n_beta)."""

    @property
    def closed(self) -> bool:
        """Whether both spins hold the same number of electrons."""
        return self.nelec[0] == self.nelec[1]

    @property
    def varied(self) -> tuple[int, ...]:
        """Spins that are neither empty nor full."""
        return tuple(spin for spin, n in enumerate(self.nelec) if 0 < n < self.norb)

    @property
    def paired(self) -> int | None:
        """The spin whose pairs say more than its occupations, the first if both are such."""
        spins = [spin for spin, n in enumerate(self.nelec) if 2 <= n <= self.norb - 2]
        return spins[0] if spins else None

    @property
    def one_body_spins(self) -> tuple[int, ...]:
        """Spins whose one-body part is a coordinate of its own, and not lifted into pairs."""
        if self.closed:
            return self.varied[:1] if self.paired is None else ()
        return tuple(spin for spin in self.varied if spin != self.paired)

    @cached_property
    def pairs(self) -> np.ndarray:
        """Orbitals p < q of every pair, shape (2, norb (norb − 1) / 2)."""
        return np.array(np.triu_indices(self.norb, 1))

    @cached_property
    def centred(self) -> Array:
        """Orthonormal vectors that sum to zero, shape (norb, norb − 1)."""
        return _centred(self.norb)

    @cached_property
    def pair_part(self) -> Array:
        """Coefficients of n_k n_l, k < l, of every one-spin feature, (n_pairs, n_one_spin)."""
        n_pairs = self.pairs.shape[1]
        linear = len(self.one_body_spins) * (self.norb - 1)
        pairs = np.zeros((n_pairs, 0)) if self.paired is None else _centred(n_pairs)
        return np.hstack([pairs, np.zeros((n_pairs, linear))])

    @cached_property
    def linear_part(self) -> Array:
        """Coefficients of n_kσ of every one-spin feature, (2, norb, n_one_spin)."""
        part = np.zeros((2, *(self.norb, self.pair_part.shape[1])))
        start = part.shape[2] - len(self.one_body_spins) * (self.norb - 1)
        for spin in self.one_body_spins:
            stop = start + self.norb - 1
            part[spin, :, start:stop] = self.centred
            if self.closed:
                part[1 - spin, :, start:stop] = self.centred
            start = stop
        return part

    @cached_property
    def opposite_indices(self) -> tuple[np.ndarray, np.ndarray]:
        """Indices i ≤ j of every opposite-spin feature."""
        size = self.norb - 1 if len(self.varied) == 2 else 0
        return np.triu_indices(size)

    @property
    def n_one_spin(self) -> int:
        """Number of one-spin features."""
        return self.pair_part.shape[1]

    @property
    def n_features(self) -> int:
        """Number of coefficients of an operator in one frame."""
        return self.n_one_spin + len(self.opposite_indices[0])

    @property
    def incidence(self) -> Array:
        """1 where orbital k belongs to a pair, shape (norb, n_pairs)."""
        first, second = self.pairs
        orbitals = np.arange(self.norb)[:, None]
        return ((orbitals == first) | (orbitals == second)).astype(float)

    def pair_leverage(self, spin: int) -> float:
        """The factor with which row sums of pair coefficients act on a spin like a linear term.

        A pair form n_k n_l with coefficients x_k + x_l, Σ x = 0, is (n_σ − 1) Σ x_k n_k.
        """
        return (self.nelec[spin] - 1) / (self.norb - 2) if self.norb > 2 else 0.0

    def opposite_matrix(self, coefficients: Array) -> Array:
        """Return Y, symmetric (norb − 1, norb − 1), of Σ Y_ij ν_iα ν_jβ."""
        i, j = self.opposite_indices
        matrix = np.zeros((max(self.norb - 1, 0),) * 2)
        matrix[i, j] = coefficients[self.n_one_spin :] * np.where(i == j, 1.0, np.sqrt(0.5))
        matrix[j, i] = matrix[i, j]
        return matrix

    def forms(self, coefficients: Array) -> tuple[Array, Array, Array]:
        """Return linear (2, norb), same-spin and opposite-spin (norb, norb) forms."""
        one_spin = coefficients[: self.n_one_spin]
        same = np.zeros((self.norb, self.norb))
        same[tuple(self.pairs)] = self.pair_part @ one_spin
        opposite = self.centred @ self.opposite_matrix(coefficients) @ self.centred.T
        return self.linear_part @ one_spin, same + same.T, opposite

    def operator(self, frame: Array, coefficients: Array) -> DiagonalOperator:
        """Return the operator with these coefficients in a frame.

        Where the spins need different linear terms, Σ_k a_k n_kβ is written as
        Σ_kl a_l n_kα n_lβ / n_α, which it equals on the sector.
        """
        linear, same, opposite = self.forms(coefficients)
        if self.closed or len(self.varied) < 2:
            spin = self.varied[0] if self.varied else 0
            return DiagonalOperator(frame, linear[spin], same, opposite)
        n_alpha, n_beta = self.nelec
        opposite = opposite + linear[0][:, None] / n_beta + linear[1] / n_alpha
        return DiagonalOperator(frame, np.zeros(self.norb), same, opposite)

    def coefficients(self, linear: Array, same: Array, opposite: Array) -> Array:
        """Return the coefficients of Σ a_k n_k + ½ Σ S_kl n_k n_l + Σ O_kl n_kα n_lβ, O symmetric.

        Args:
            linear: a, shape (..., norb), for both spins.
            same: S, symmetric, shape (..., norb, norb).
            opposite: O, symmetric, shape (..., norb, norb).

        Returns:
            Shape (..., n_features).
        """
        norb = self.norb
        every = linear + np.einsum("...kk->...k", same) / 2
        pairs = same[..., self.pairs[0], self.pairs[1]]
        across = opposite.sum(axis=-1) / norb
        by_spin = [every + self.nelec[1 - spin] * across for spin in (0, 1)]
        one_spin = np.zeros((*linear.shape[:-1], self.n_one_spin))
        if self.paired is not None:
            lifted = by_spin[self.paired] / (self.nelec[self.paired] - 1)
            pairs = pairs + lifted @ self.incidence
            one_spin += pairs @ self.pair_part
        for spin in self.one_body_spins:
            rest = by_spin[spin]
            if self.paired is not None:
                rest = rest - (self.nelec[spin] - 1) * lifted
            else:
                rows = same.sum(axis=-1) - np.einsum("...kk->...k", same)
                rest = rest + self.pair_leverage(spin) * rows
            one_spin += rest @ self.linear_part[spin]
        i, j = self.opposite_indices
        matrix = self.centred.T @ opposite @ self.centred
        across_spins = matrix[..., i, j] * np.where(i == j, 1.0, np.sqrt(2.0))
        return np.concatenate([one_spin, across_spins], axis=-1)

    def mean(self, trace: float, coulomb: float, exchange: float, opposite: float) -> float:
        """Return the mean over all determinants of the sector, Hartree.

        Args:
            trace: Σ_p t_pp of the one-body part.
            coulomb: Σ_pr V_pprr of the same-spin part.
            exchange: Σ_pr V_prrp of the same-spin part.
            opposite: Σ_pr V_pprr of the opposite-spin part.
        """
        norb, (n_alpha, n_beta) = self.norb, self.nelec
        mean = (n_alpha + n_beta) / norb * trace + n_alpha * n_beta / norb**2 * opposite
        if norb > 1:
            n_pairs = sum(n * (n - 1) for n in self.nelec)
            mean += n_pairs / (norb * (norb - 1)) * (coulomb - exchange) / 2
        return mean

    def operator_mean(self, operator: DiagonalOperator) -> float:
        """Return the mean of an operator over all determinants of the sector, Hartree."""
        diagonal = float(np.trace(operator.same_spin))
        return self.mean(
            float(operator.linear.sum()) + diagonal / 2,
            float(operator.same_spin.sum()),
            diagonal,
            float(operator.opposite_spin.sum()),
        )


def _centred(size: int) -> Array:
    """Orthonormal columns that are orthogonal to (1, …, 1), shape (size, size − 1)."""
    return np.asarray(helmert(size).T) if size > 1 else np.zeros((size, 0))
