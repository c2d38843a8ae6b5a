# SPDX-License-Identifier: Apache-2.0
r"""Norms with corners, made smooth enough for a gradient method.

.. math:: |x| \approx \sqrt{x^2 + w^2}

is at most w too large, and its slope is :math:`x / \sqrt{x^2 + w^2}`. Methods minimise it for
falling widths w, each from where the last one ended.
"""

import numpy as np
from opt_einsum import contract

from qlowrank.checks import Array


def smooth_magnitude(values: Array, width: float) -> tuple[Array, Array]:
    """Return sqrt(x² + w²) of every entry, and its slope."""
    magnitudes = np.hypot(values, width)
    return magnitudes, values / magnitudes


def smooth_nuclear_norms(matrices: Array, width: float) -> tuple[Array, Array]:
    r"""Return :math:`\sum_k \sqrt{e_k^2 + w^2}` of symmetric matrices, and its gradients.

    Args:
        matrices: Shape (n, norb, norb).
        width: w, in the unit of the matrices, above zero.

    Returns:
        Norms, shape (n,), and gradients U diag(slope) Uᵀ, shape (n, norb, norb).
    """
    values, frames = np.linalg.eigh(matrices)
    magnitudes, slopes = smooth_magnitude(values, width)
    gradients = contract("tpk,tk,tqk->tpq", frames, slopes, frames)
    return magnitudes.sum(axis=-1), np.asarray(gradients)
