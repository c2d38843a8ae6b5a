# SPDX-License-Identifier: Apache-2.0
"""Turning orbital frames."""

import numpy as np

from qlowrank.checks import Array


def turned(frames: Array, angles: Array) -> Array:
    r"""Return U_g (1 − X_g/2)⁻¹ (1 + X_g/2), Cayley's approximation of U_g exp(X_g).

    .. math:: X = \sum_{p<q} \kappa_{pq} (e_p e_q^T - e_q e_p^T)

    Args:
        frames: U, shape (n, norb, norb).
        angles: kappa over pairs p < q in row order, shape (n, norb (norb − 1) / 2).
    """
    norb = frames.shape[-1]
    p, q = np.triu_indices(norb, 1)
    generator = np.zeros(frames.shape)
    generator[:, p, q] = angles / 2
    generator[:, q, p] = -angles / 2
    unit = np.eye(norb)
    return np.asarray(frames @ np.linalg.solve(unit - generator, unit + generator))
