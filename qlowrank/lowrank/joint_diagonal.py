# SPDX-License-Identifier: Apache-2.0
"""Several symmetric matrices made as diagonal as one rotation can make them all."""

import numpy as np

from qlowrank.checks import Array
from qlowrank.lowrank.tournament import tournament

MOST_SWEEPS = 500
"""Most sweeps over all pairs of columns; tens are enough."""

EPS = float(np.finfo(float).eps)


def jointly_diagonal(matrices: Array, *, least_gain: float) -> Array:
    r"""Return U that makes :math:`\sum_{tp} (U^T L^t U)_{pp}^2` largest, by Jacobi's turns.

    Two columns at a time are turned by the best angle, which is known: with the inner products
    (v|w) of vectors over t,

    .. math:: \tan 4\alpha = -B / A, \quad A = (L_{pq}|L_{pq}) - \tfrac14 (L_{pp} - L_{qq}|
              L_{pp} - L_{qq}), \quad B = (L_{pp} - L_{qq}|L_{pq}) .

    What a pair gains depends on its own three elements only, so pairs without a common column are
    turned together, in the rounds of a tournament. The sum never falls. A maximum need not be the
    highest one.

    Args:
        matrices: L, symmetric, shape (count, n, n).
        least_gain: The share of the sum below which the gain of a sweep ends the search.

    Returns:
        U, orthogonal, shape (n, n).

    Source:
        J.-F. Cardoso and A. Souloumiac, SIAM J. Matrix Anal. Appl. 17, 161 (1996).

    >>> frame = np.linalg.qr(np.arange(9.0).reshape(3, 3) ** 2 + np.eye(3))[0]
    >>> values = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]])
    >>> matrices = np.einsum("pk,tk,qk->tpq", frame, values, frame)
    >>> found = jointly_diagonal(matrices, least_gain=1e-14)
    >>> turned = found.T @ matrices @ found
    >>> bool(np.abs(turned - turned * np.eye(3)).max() < 1e-6)
    True
    """
    turned = np.array(np.asarray(matrices).transpose(1, 2, 0), order="C")  # a pair's vector in one
    rotation = np.eye(len(turned))
    total = float(np.einsum("ppt,ppt->", turned, turned))
    rounds = tournament(len(turned))
    for _ in range(MOST_SWEEPS):
        gain = sum(_turn(turned, rotation, *pairs) for pairs in rounds)
        total += gain
        if gain <= least_gain * total:
            break
    return rotation


def _turn(elements: Array, rotation: Array, p: np.ndarray, q: np.ndarray) -> float:
    """Turn disjoint pairs of columns in place; return what the sum gained."""
    differences, products = elements[p, p] - elements[q, q], elements[p, q]
    even = np.sum(products**2, axis=1) - np.sum(differences**2, axis=1) / 4
    odd = np.sum(products * differences, axis=1)
    gains = even + np.hypot(even, odd)
    worth = gains > 64 * EPS * (np.abs(even) + np.abs(odd))
    p, q, angles = p[worth], q[worth], np.arctan2(odd, -even)[worth] / 4
    cosines, sines = np.cos(angles)[:, None], np.sin(angles)[:, None]
    for matrices in (rotation.T, elements, elements.transpose(1, 0, 2)):
        shape = (len(p), 1) + (1,) * (matrices.ndim - 2)
        first, second = matrices[p], matrices[q]
        matrices[p] = first * cosines.reshape(shape) + second * sines.reshape(shape)
        matrices[q] = second * cosines.reshape(shape) - first * sines.reshape(shape)
    return float(gains[worth].sum())
