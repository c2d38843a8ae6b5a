# SPDX-License-Identifier: Apache-2.0
r"""Gauges: orthogonal mixings of the factors, which leave the integrals exactly as they are.

.. math:: \sum_t L^t \otimes L^t = \sum_t L'^t \otimes L'^t \quad\text{for}\quad
          L'^s = \sum_t Q_{ts} L^t, \; Q^T Q = 1

The choice decides the leaves, and with them the one-norm and the number of shots.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from qlowrank.checks import Array


class Gauge(Protocol):
    """A method that mixes factors without changing the integrals."""

    @property
    def name(self) -> str:
        """Name to report."""
        ...

    def __call__(self, factors: Array) -> Array:
        """Return mixed factors, shape (rank, norb, norb), Hartree^½."""
        ...


@dataclass(frozen=True, slots=True)
class CholeskyGauge:
    """Keep the Cholesky vectors as they come: sparse, and of lower one-norm than eigenvectors."""

    @property
    def name(self) -> str:
        """Name to report."""
        return "cholesky"

    def __call__(self, factors: Array) -> Array:
        """Return the factors unchanged."""
        return factors


@dataclass(frozen=True, slots=True)
class EigenGauge:
    """Mix the factors into eigenvectors of the (norb², norb²) matrix (pq|rs), largest first.

    The eigenvectors come from the small Gram matrix of the factors; nothing of order norb⁴ is
    formed. Where eigenvalues are degenerate, the leaves are one choice among many: sums over a
    degenerate set are unique, single leaves are not. The largest entry of each mixing vector is
    made positive.

    Source:
        I. D. Kivlichan et al., arXiv:1711.04789; M. Motta et al., arXiv:1808.02625.
    """

    @property
    def name(self) -> str:
        """Name to report."""
        return "eigen"

    def __call__(self, factors: Array) -> Array:
        """Return factors that are orthogonal to each other, by falling norm."""
        flat = factors.reshape(len(factors), factors.shape[1] ** 2)
        _, mixing = np.linalg.eigh(flat @ flat.T)
        mixing = with_positive_peak(mixing[:, ::-1])
        return (mixing.T @ flat).reshape(factors.shape)


def with_positive_peak(columns: Array) -> Array:
    """Choose each column's sign so that its entry of largest magnitude is positive.

    Works on the last two axes, so that stacks of eigenvector matrices can be passed.
    """
    return np.asarray(columns * signs_of_peaks(columns))


def signs_of_peaks(columns: Array) -> Array:
    """Sign of each column's entry of largest magnitude, shape (..., 1, n); of none, 1."""
    highest, lowest = columns.max(axis=-2, initial=0.0), columns.min(axis=-2, initial=0.0)
    return np.where(-lowest > highest, -1.0, 1.0)[..., None, :]
