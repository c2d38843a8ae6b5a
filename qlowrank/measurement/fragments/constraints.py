# SPDX-License-Identifier: Apache-2.0
"""Coordinates in which operators of a sector add up, and those of an operator in a frame."""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.sparse import csr_matrix

from qlowrank.checks import Array
from qlowrank.measurement.fragments.sector import Sector


@dataclass(frozen=True)
class Constraints:
    r"""Coordinates of spin-free two-body operators on a sector, constants left out.

    Two operators are equal on the sector, but for a constant, exactly if these coordinates are:

    - the pair operator :math:`B_{pr,qs} = V_{pqrs} - V_{psrq}` of the spin that
      `Sector.paired` names, its one-body part lifted into it as t ∧ 1 / (n − 1), without the
      totally antisymmetric part, which no one can see, and without the identity;
    - the traceless one-body part of each spin in `Sector.one_body_spins`;
    - the opposite-spin operator with both partial traces removed; what is removed is one-body.
    """

    sector: Sector
    """Orbitals and electrons."""

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return self._starts[-1]

    @cached_property
    def traceless(self) -> Array:
        """Orthonormal basis of traceless symmetric matrices, (d, norb²)."""
        norb = self.sector.norb
        rows, cols = np.triu_indices(norb, 1)
        basis = np.zeros((len(rows) + norb - 1 if norb else 0, norb, norb))
        index = np.arange(len(rows))
        basis[index, rows, cols] = basis[index, cols, rows] = np.sqrt(0.5)
        diagonal = np.arange(norb)
        basis[len(rows) :, diagonal, diagonal] = self.sector.centred.T
        return basis.reshape(len(basis), norb * norb)

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        """Where the parts start, and where the last ends."""
        sector, single = self.sector, len(self.traceless)
        pairs = self._curvature.shape[0] if sector.paired is not None else 0
        middle = pairs + single * len(sector.one_body_spins)
        across = len(self._across[0]) if len(sector.varied) == 2 else 0
        return pairs, middle, middle + across

    @cached_property
    def _across(self) -> tuple[np.ndarray, np.ndarray, Array]:
        """Indices a ≤ b of a symmetric matrix over traceless ones, and their weights."""
        a, b = np.triu_indices(len(self.traceless))
        return a, b, np.where(a == b, 1.0, np.sqrt(2.0))

    @cached_property
    def _packed(self) -> tuple[np.ndarray, np.ndarray, Array]:
        """Indices of a symmetric matrix over pairs, and their weights."""
        a, b = np.triu_indices(self.sector.pairs.shape[1])
        return a, b, np.where(a == b, 1.0, np.sqrt(2.0))

    @cached_property
    def _curvature(self) -> csr_matrix:
        """Orthonormal rows over packed symmetric matrices of pairs: see the class.

        Of the three elements that four different orbitals allow, (ab, cd), (ac, bd) and (ad, bc),
        the combination + − + is totally antisymmetric; two rows span the rest.
        """
        norb, first, second = self.sector.norb, *self._packed[:2]
        n_pairs = self.sector.pairs.shape[1]
        where = np.zeros((n_pairs, n_pairs), dtype=int)
        where[first, second] = where[second, first] = np.arange(len(first))
        pair = np.zeros((norb, norb), dtype=int)
        pair[tuple(self.sector.pairs)] = np.arange(n_pairs)
        quartets = np.array(list(combinations(range(norb), 4)), dtype=int).reshape(-1, 4)
        a, b, c, d = quartets.T
        triples = np.stack(
            [
                where[pair[a, b], pair[c, d]],
                where[pair[a, c], pair[b, d]],
                where[pair[a, d], pair[b, c]],
            ]
        )
        plain = np.ones(len(first), dtype=bool)
        plain[triples.ravel()] = plain[first == second] = False
        alone = np.flatnonzero(plain)
        diagonal = where[np.arange(n_pairs), np.arange(n_pairs)]
        spread = self.sector.pair_part[:, : n_pairs - 1].T
        blocks = [
            (np.sqrt(0.5) * np.array([1, 1, 0]), triples.T),
            (np.sqrt(1 / 6) * np.array([1, -1, -2]), triples.T),
            (np.ones(1), alone[:, None]),
            (spread, np.broadcast_to(diagonal, spread.shape)),
        ]
        rows, cols, values, start = [], [], [], 0
        for value, columns in blocks:
            count, width = columns.shape
            rows.append(np.repeat(np.arange(start, start + count), width))
            cols.append(columns.ravel())
            values.append(np.broadcast_to(value, (count, width)).ravel())
            start += count
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(cols)))
        return csr_matrix(entries, shape=(start, len(first)))

    def target(self, one_body: Array, two_body: Array) -> Array:
        """Return the coordinates of Σ h E + ½ Σ (pq|rs) a†_p a†_r a_s a_q.

        Args:
            one_body: h that goes with normal-ordered pairs, (norb, norb), Hartree.
            two_body: (pq|rs), shape (norb,)*4, Hartree.
        """
        sector, norb, basis = self.sector, self.sector.norb, self.traceless
        flat = two_body.reshape(norb**2, norb**2)
        coulomb = np.einsum("pqrr->pq", two_body)
        across = one_body[None] + np.array(sector.nelec[::-1])[:, None, None] * coulomb / norb
        by_spin = [matrix - np.eye(norb) * np.trace(matrix) / norb for matrix in across]
        parts = []
        if sector.paired is not None:
            lifted = by_spin[sector.paired] / (sector.nelec[sector.paired] - 1)
            first, second, scale = self._packed
            packed = self._pair_operator(lifted, two_body)[first, second] * scale
            parts.append(self._curvature @ packed)
        contracted = coulomb - np.einsum("prrq->pq", two_body)
        for spin in sector.one_body_spins:
            whole = by_spin[spin] + sector.pair_leverage(spin) * contracted
            parts.append(basis @ whole.ravel())
        if len(sector.varied) == 2:
            a, b, scale = self._across
            parts.append((basis @ flat @ basis.T)[a, b] * scale)
        return np.concatenate(parts) if parts else np.zeros(0)

    def _pair_operator(self, lifted: Array, two_body: Array) -> Array:
        """B over pairs, with the one-body matrix `lifted` wedged with the identity."""
        norb = self.sector.norb
        p, r = self.sector.pairs
        unit = np.eye(norb)
        tensor = (
            two_body
            + np.einsum("pq,rs->pqrs", lifted, unit)
            + np.einsum("pq,rs->pqrs", unit, lifted)
        ).transpose(0, 2, 1, 3)
        pairs = tensor[p, r]
        return np.asarray(pairs[:, p, r] - pairs[:, r, p])

    def columns(self, frame: Array) -> Array:
        """Return the coordinates of every feature in a frame, shape (size, n_features)."""
        sector, norb = self.sector, self.sector.norb
        pairs, middle, size = self._starts
        single = sector.n_one_spin
        result = np.zeros((size, sector.n_features))
        densities = np.einsum("pk,qk->pqk", frame, frame).reshape(norb * norb, norb)
        projected = self.traceless @ densities
        if sector.paired is not None:
            wedge = self._wedge(frame)
            first, second, scale = self._packed
            squares = wedge[first] * wedge[second] * scale[:, None]
            result[:pairs, :single] = (self._curvature @ squares) @ sector.pair_part
        for index, spin in enumerate(sector.one_body_spins):
            part = slice(
                pairs + index * len(self.traceless), pairs + (index + 1) * len(self.traceless)
            )
            result[part, :single] = projected @ self._one_body(spin)
        if len(sector.varied) == 2:
            a, b, scale = self._across
            i, j = sector.opposite_indices
            t = projected @ sector.centred
            weight = np.where(i == j, 0.5, np.sqrt(0.5))
            products = t[a][:, i] * t[b][:, j] + t[a][:, j] * t[b][:, i]
            result[middle:, single:] = products * (scale[:, None] * weight)
        return result

    def _wedge(self, frame: Array) -> Array:
        """u_k ∧ u_l over pairs: rows pairs of old, columns pairs of rotated orbitals."""
        p, q = self.sector.pairs
        return np.asarray(frame[p][:, p] * frame[q][:, q] - frame[q][:, p] * frame[p][:, q])

    def _one_body(self, spin: int) -> Array:
        """What every one-spin feature does to one spin as a one-body operator, (norb, ·)."""
        sector = self.sector
        leverage = sector.pair_leverage(spin)
        return np.asarray(
            sector.linear_part[spin] + leverage * (sector.incidence @ sector.pair_part)
        )

    def tangents(self, frame: Array, coefficients: Array) -> Array:
        r"""Return how an operator's coordinates change as its frame turns.

        Column (p, q), p < q, is the derivative along U → U exp(κ (e_p e_qᵀ − e_q e_pᵀ)), that is
        the coordinates of :math:`[a_p^\dagger a_q - a_q^\dagger a_p, F]` in the frame.

        Args:
            frame: U, shape (norb, norb).
            coefficients: Of F, shape (n_features,).

        Returns:
            Shape (size, norb (norb − 1) / 2).
        """
        sector, norb = self.sector, self.sector.norb
        pairs, middle, size = self._starts
        p, q = sector.pairs
        result = np.zeros((size, len(p)))
        _, same, opposite = sector.forms(coefficients)
        mixed = frame[:, None, p] * frame[None, :, q]
        mixed = self.traceless @ (mixed + mixed.transpose(1, 0, 2)).reshape(norb * norb, -1)
        if sector.paired is not None:
            result[:pairs] = self._curvature @ self._pair_tangents(frame, same)
        for index, spin in enumerate(sector.one_body_spins):
            start = pairs + index * len(self.traceless)
            values = self._one_body(spin) @ coefficients[: sector.n_one_spin]
            result[start : start + len(self.traceless)] = mixed * (values[q] - values[p])
        if len(sector.varied) == 2:
            a, b, scale = self._across
            densities = np.einsum("pk,qk->pqk", frame, frame).reshape(norb * norb, norb)
            change = self.traceless @ (densities @ (opposite[q] - opposite[p]).T)
            result[middle:] = (mixed[a] * change[b] + mixed[b] * change[a]) * scale[:, None]
        return result

    def _pair_tangents(self, frame: Array, same: Array) -> Array:
        """Packed derivatives of Σ_k<l S_kl w_kl w_klᵀ, w = u_k ∧ u_l, one column a rotation."""
        norb = self.sector.norb
        rows, cols = self.sector.pairs
        wedge = frame[rows][:, :, None] * frame[cols][:, None, :]
        wedge -= wedge.transpose(0, 2, 1)
        first, second, scale = self._packed
        result = np.empty((len(first), len(rows)))
        for index, (p, q) in enumerate(zip(rows, cols, strict=True)):
            rest = [r for r in range(norb) if r not in (p, q)]
            change = (wedge[:, p, rest] * (same[q, rest] - same[p, rest])) @ wedge[:, q, rest].T
            change += change.T
            result[:, index] = change[first, second] * scale
        return result
