# SPDX-License-Identifier: Apache-2.0
"""Symmetric matrices as short vectors: pairs p ≥ q, off-diagonal ones times √2.

With these weights the scalar product of two vectors is the trace of the product of the matrices,
so norms and spectra of operators on symmetric matrices come out right.
"""

import numpy as np

from qlowrank.checks import Array


def pair_weights(norb: int) -> Array:
    """Return 1 for p = q and √2 for p > q, shape (norb (norb + 1) / 2,), PySCF's pair order."""
    rows, columns = np.tril_indices(norb)
    return np.where(rows == columns, 1.0, np.sqrt(2.0))


def packed(matrices: Array) -> Array:
    """Return symmetric matrices (..., norb, norb) as vectors (..., n_pairs)."""
    rows, columns = np.tril_indices(matrices.shape[-1])
    return np.asarray(matrices[..., rows, columns] * pair_weights(matrices.shape[-1]))


def unpacked(vectors: Array, norb: int) -> Array:
    """Return vectors (..., n_pairs) as symmetric matrices (..., norb, norb)."""
    entries = vectors / pair_weights(norb)
    return np.asarray(np.take(entries, square_index(norb), axis=-1))


def square_index(norb: int) -> np.ndarray:
    """Return where each element (p, q) of a symmetric matrix stands among its pairs."""
    p, q = np.indices((norb, norb))
    larger, smaller = np.maximum(p, q), np.minimum(p, q)
    return np.asarray(larger * (larger + 1) // 2 + smaller)


def packed_squares(leaves: Array) -> Array:
    """Return u_k u_kᵀ of the columns of frames (..., norb, norb), shape (..., n_pairs, norb)."""
    norb = leaves.shape[-2]
    rows, columns = np.tril_indices(norb)
    return np.asarray(leaves[..., rows, :] * leaves[..., columns, :] * pair_weights(norb)[:, None])
