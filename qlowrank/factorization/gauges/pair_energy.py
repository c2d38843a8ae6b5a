# SPDX-License-Identifier: Apache-2.0
r"""How a change of integrals changes the correlation energy, to first order of perturbation theory.

With the pairs of second order, :math:`t_{iajb} = (ia|jb) / (e_i + e_j - e_a - e_b)`,

.. math:: \delta E_2 = 2 \sum_{iajb} (2 t_{iajb} - t_{ibja}) \, \delta(ia|jb)

is linear in the integrals. A fit can be asked to have none of it; what is left of its error in the
energy is of higher order. Denominators are kept away from zero.
"""

import numpy as np
from opt_einsum import contract

from qlowrank.checks import Array, InputError

SMALLEST_GAP = 0.1
"""Denominators of the pairs are at least this, Hartree."""


class PairEnergy:
    """The linear change of the correlation energy, for a closed shell."""

    def __init__(self, factors: Array, kappa: Array, density: Array) -> None:
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
        pairs = self._pairs(factors)
        gaps = (above[:, None] - below).ravel()
        gaps = np.maximum(gaps[:, None] + gaps, SMALLEST_GAP)
        shape = (len(above), len(below), len(above), len(below))
        amplitudes = -(pairs.T @ pairs / gaps).reshape(shape)
        weights = 2 * (2 * amplitudes - amplitudes.transpose(0, 3, 2, 1))
        self.weights = weights.reshape(pairs.shape[1], pairs.shape[1])
        self.whole = float(np.sum((pairs @ self.weights) * pairs))

    @staticmethod
    def _off(fillings: Array) -> float:
        """Return how far occupations are from 0 and 2."""
        return float(np.minimum(np.abs(fillings), np.abs(fillings - 2)).max())

    def _pairs(self, leaves: Array) -> Array:
        """Return (a i) blocks of matrices, shape (n, n_empty n_filled)."""
        blocks = self.empty.T @ leaves @ self.filled
        return np.asarray(blocks.reshape(len(leaves), -1))

    def __call__(self, leaves: Array) -> tuple[float, Array]:
        """Return the change from the true integrals to those of squares, and half its slope.

        Args:
            leaves: L, shape (n, norb, norb), Hartree^½.

        Returns:
            Hartree, and matrices of shape (n, norb, norb).
        """
        pairs = self._pairs(leaves)
        pulled = pairs @ self.weights
        blocks = pulled.reshape(len(leaves), self.empty.shape[1], self.filled.shape[1])
        slope = self.empty @ blocks @ self.filled.T
        return (
            float(np.sum(pulled * pairs)) - self.whole,
            (slope + slope.transpose(0, 2, 1)) / 2,
        )
