# SPDX-License-Identifier: Apache-2.0
"""Covariances of occupation features, and of what a turning frame adds, in a CI vector."""

from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np

from qlowrank.checks import Array
from qlowrank.measurement.fragments.sector import Sector

ENTRIES_AT_A_TIME = 2**24
"""Matrix elements held at a time while minors are computed."""


@dataclass(frozen=True)
class Statistics:
    """A sector's determinants: rotations of CI vectors and covariances of diagonal operators."""

    sector: Sector
    """Orbitals and electrons."""

    @property
    def n_determinants(self) -> int:
        """Length of a CI vector."""
        return comb(self.sector.norb, self.sector.nelec[0]) * comb(
            self.sector.norb, self.sector.nelec[1]
        )

    @property
    def bytes_needed(self) -> float:
        """Memory that the features and one group's work take."""
        n_pairs = self.sector.pairs.shape[1]
        return 8.0 * self.n_determinants * (2 * self.sector.n_features + 3 * n_pairs + 4)

    @cached_property
    def strings(self) -> tuple[np.ndarray, np.ndarray]:
        """Filled orbitals of every alpha and beta string, PySCF's order, rising."""
        from pyscf.fci import cistring

        def filled(n: int) -> np.ndarray:
            table = cistring.gen_occslst(range(self.sector.norb), n)
            return np.asarray(table, dtype=int).reshape(comb(self.sector.norb, n), n)

        return filled(self.sector.nelec[0]), filled(self.sector.nelec[1])

    @cached_property
    def occupations(self) -> tuple[Array, Array]:
        """Occupations, 0 or 1, of every alpha and beta string, (n_strings, norb)."""
        tables = []
        for filled in self.strings:
            table = np.zeros((len(filled), self.sector.norb))
            np.put_along_axis(table, filled, 1.0, axis=1)
            tables.append(table)
        return tables[0], tables[1]

    @cached_property
    def features(self) -> Array:
        """Values of every feature on every determinant, (n_determinants, n_features)."""
        sector = self.sector
        alpha, beta = (self._one_spin(spin) for spin in (0, 1))
        single = alpha[:, None, :] + beta[None, :, :]
        i, j = sector.opposite_indices
        first, second = (table @ sector.centred for table in self.occupations)
        mixed = first[:, None, i] * second[None, :, j] + first[:, None, j] * second[None, :, i]
        mixed *= np.where(i == j, 0.5, np.sqrt(0.5))
        return np.concatenate([single, mixed], axis=2).reshape(self.n_determinants, -1)

    def _one_spin(self, spin: int) -> Array:
        """Values of the one-spin features on the strings of one spin."""
        table = self.occupations[spin]
        p, q = self.sector.pairs
        pairs = (table[:, p] * table[:, q]) @ self.sector.pair_part
        return np.asarray(pairs + table @ self.sector.linear_part[spin])

    @cached_property
    def _turns(self) -> tuple[tuple[np.ndarray, Array], tuple[np.ndarray, Array]]:
        """For both spins, where a†_p a_q − a†_q a_p takes its entries from, and their signs.

        (X_pq v)[s] = sign[pq, s] v[source[pq, s]], tables of shape (n_pairs, n_strings).
        """
        return self._turn(0), self._turn(1)

    def _turn(self, spin: int) -> tuple[np.ndarray, Array]:
        from pyscf.fci import cistring

        norb, n = self.sector.norb, self.sector.nelec[spin]
        p, q = self.sector.pairs
        source = np.zeros((len(p), comb(norb, n)), dtype=int)
        sign = np.zeros(source.shape)
        index = np.zeros((norb, norb), dtype=int)
        index[p, q] = np.arange(len(p))
        if 0 < n < norb:
            links = np.asarray(cistring.gen_linkstr_index(range(norb), n))
            start = np.broadcast_to(np.arange(len(links))[:, None], links.shape[:2])
            create, destroy, end, phase = links.transpose(2, 0, 1)
            up, down = create < destroy, create > destroy
            source[index[create[up], destroy[up]], end[up]] = start[up]
            sign[index[create[up], destroy[up]], end[up]] = phase[up]
            source[index[destroy[down], create[down]], end[down]] = start[down]
            sign[index[destroy[down], create[down]], end[down]] = -phase[down]
        return source, sign

    def rotated(self, vector: Array, frame: Array) -> Array:
        """Return a CI vector in the determinants of rotated orbitals, columns of `frame`."""
        alpha = self._minors(frame, 0)
        beta = alpha if self.sector.closed else self._minors(frame, 1)
        return np.asarray(alpha.T @ vector @ beta)

    def _minors(self, frame: Array, spin: int) -> Array:
        """Determinants of all submatrices U[I, J] over strings I and J of one spin.

        For more than half filling the minor of the complements is the same but for a sign.
        """
        filled, norb, n = self.strings[spin], self.sector.norb, self.sector.nelec[spin]
        if 2 * n <= norb:
            return _submatrix_determinants(frame, filled)
        holes = np.argsort(self.occupations[spin], axis=1, kind="stable")[:, : norb - n]
        sign = (-1.0) ** filled.sum(axis=1)
        minors = _submatrix_determinants(frame, holes)
        return np.asarray(np.linalg.det(frame) * sign[:, None] * minors * sign)

    def covariance(self, vector: Array) -> Array:
        """Return the features' covariance matrix in a CI vector of the frame."""
        weighted = self.features * vector.reshape(-1, 1)
        mean = vector.ravel() @ weighted
        return np.asarray(weighted.T @ weighted - np.outer(mean, mean))

    def joint_covariance(self, vector: Array, coefficients: Array) -> Array:
        """Return the covariance of the features and of the tangents [X_pq, F].

        Args:
            vector: CI vector in the frame.
            coefficients: Of F.

        Returns:
            Symmetric, of order n_features + norb (norb − 1) / 2.
        """
        values = (self.features @ coefficients).reshape(vector.shape)
        weighted = (self.features * vector.reshape(-1, 1)).T
        images = np.concatenate([weighted, self._commutators(vector, values)])
        mean = images @ vector.ravel()
        return np.asarray(images @ images.T - np.outer(mean, mean))

    def _commutators(self, vector: Array, values: Array) -> Array:
        """[X_pq, F] applied to a vector, one row a rotation, with F's values on determinants."""
        (source, sign), (source_beta, sign_beta) = self._turns
        moved = values * vector
        result = sign[:, :, None] * (moved[source] - values * vector[source])
        moved, still = moved.T, np.ascontiguousarray(vector.T)
        beta = sign_beta[:, :, None] * (moved[source_beta] - values.T * still[source_beta])
        result += beta.transpose(0, 2, 1)
        return result.reshape(len(source), vector.size)


def _submatrix_determinants(matrix: Array, subsets: np.ndarray) -> Array:
    """Return det matrix[I, J] for all rows I and J of `subsets`."""
    count, size = subsets.shape
    result = np.empty((count, count))
    step = max(1, ENTRIES_AT_A_TIME // max(1, count * size * size))
    for start in range(0, count, step):
        rows = subsets[start : start + step]
        blocks = matrix[rows[:, None, :, None], subsets[None, :, None, :]]
        result[start : start + step] = np.linalg.det(blocks)
    return result
