# SPDX-License-Identifier: Apache-2.0
r"""How a change of integrals changes the correlation energy, at a fixed mean field.

With :math:`t_{iajb}[W] = (ia|jb)_W / (e_i + e_j - e_a - e_b)`, second-order perturbation theory is

.. math:: E_2[W] = \sum_{iajb} (2 t_{iajb} - t_{ibja})[W] \, (ia|jb)_W ,

quadratic in the integrals W. Beside it, the exact first derivative Γ of a better energy can be
given, such as that of coupled cluster. What is predicted then is

.. math:: \delta E = \sum \Gamma_{pq,rs} (W - V)_{pq,rs} + E_2[W - V] ,

and without Γ it is :math:`E_2[W] - E_2[V]`. Denominators are kept away from zero.
"""

import numpy as np
from opt_einsum import contract

from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.packing import packed, unpacked

SMALLEST_GAP = 0.1
"""Denominators of the pairs are at least this, Hartree."""


class PairEnergy:
    """The change of the correlation energy that is predicted, for a closed shell."""

    def __init__(
        self, factors: Array, kappa: Array, density: Array, response: Array | None = None
    ) -> None:
        fillings, orbitals = np.linalg.eigh(density)
        if np.abs(fillings * (fillings - 2)).max(initial=0.0) > 1e-6:
            raise InputError(
                "spin_densities must be those of one closed-shell determinant, such as "
                "ql.hartree_fock_state(hamiltonian).spin_densities() of a singlet; their natural "
                f"occupations differ from 0 and 2 by {self._off(fillings):.1e}."
            )
        factors = np.asarray(factors)
        unit = contract("tpq,tqr->pr", factors, factors)
        traces = contract("tpq,pq->t", factors, density)
        exchange = np.einsum("tpq,tqr->pr", factors @ density, factors, optimize=True)
        fock = kappa + unit / 2 + contract("t,tpq->pq", traces, factors) - exchange / 2
        n_empty = int(np.count_nonzero(fillings < 1))
        empty, filled = orbitals[:, :n_empty], orbitals[:, n_empty:]
        above, turn = np.linalg.eigh(empty.T @ fock @ empty)
        self.empty = empty @ turn
        below, turn = np.linalg.eigh(filled.T @ fock @ filled)
        self.filled = filled @ turn
        gaps = (above[:, None] - below).ravel()
        self.gaps = np.maximum(gaps[:, None] + gaps, SMALLEST_GAP)
        pairs = self._pairs(factors)
        amplitudes = self._amplitudes(pairs.T @ pairs)
        self.energy = float(np.sum((pairs @ amplitudes) * pairs))
        """E2 of the true integrals, Hartree."""
        self.response = None if response is None else self._response(response)
        self.known = np.zeros(amplitudes.shape) if response is None else amplitudes
        self.whole = self._value(factors)

    @staticmethod
    def _off(fillings: Array) -> float:
        """Return how far occupations are from 0 and 2."""
        return float(np.minimum(np.abs(fillings), np.abs(fillings - 2)).max())

    @staticmethod
    def _response(response: Array) -> Array:
        """Return Γ over packed pairs."""
        norb = len(response)
        half = packed(response.reshape(norb**2, norb, norb))
        return packed(half.T.reshape(-1, norb, norb))

    def _pairs(self, leaves: Array) -> Array:
        """Return (a i) blocks of matrices, shape (n, n_empty n_filled)."""
        blocks = self.empty.T @ leaves @ self.filled
        return np.asarray(blocks.reshape(len(leaves), -1))

    def _amplitudes(self, integrals: Array) -> Array:
        """Return 2 t_iajb − t_ibja over pairs (a i), (b j)."""
        shape = (self.empty.shape[1], self.filled.shape[1]) * 2
        amplitudes = (-integrals / self.gaps).reshape(shape)
        return (2 * amplitudes - amplitudes.transpose(0, 3, 2, 1)).reshape(integrals.shape)

    def _value(self, leaves: Array) -> float:
        """Return the predicted energy but for a constant, Hartree."""
        return self._terms(leaves)[0]

    def _terms(self, leaves: Array) -> tuple[float, Array]:
        """Return the predicted energy but for a constant, and half its slope."""
        pairs = self._pairs(leaves)
        integrals = pairs.T @ pairs
        amplitudes = self._amplitudes(integrals)
        value = float(np.sum((amplitudes - 2 * self.known) * integrals))
        pulled = 2 * pairs @ (amplitudes - self.known)
        blocks = pulled.reshape(len(leaves), self.empty.shape[1], self.filled.shape[1])
        slope = self.empty @ blocks @ self.filled.T
        slope = (slope + slope.transpose(0, 2, 1)) / 2
        if self.response is not None:
            rows = packed(leaves)
            along = rows @ self.response
            value += float(np.sum(along * rows))
            slope += unpacked(along, leaves.shape[1])
        return value, slope

    def __call__(self, leaves: Array) -> tuple[float, Array]:
        """Return the predicted change from the true integrals to squares, and half its slope.

        Args:
            leaves: L, shape (n, norb, norb), Hartree^½.

        Returns:
            Hartree, and matrices of shape (n, norb, norb).
        """
        value, slope = self._terms(leaves)
        return value - self.whole, slope
