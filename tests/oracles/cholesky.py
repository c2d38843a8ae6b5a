# SPDX-License-Identifier: Apache-2.0
"""Pivoted Cholesky decomposition as in a textbook: one column at a time, no batches."""

import numpy as np


def pivoted_cholesky(matrix, tolerance):
    """Return the vectors, shape (rank, n), and the residual matrix.

    Source:
        N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 10.3.
    """
    residual, vectors = np.array(matrix), []
    for _ in range(len(residual)):
        pivot = int(np.argmax(np.diagonal(residual)))
        if residual[pivot, pivot] <= tolerance:
            break
        vectors.append(residual[pivot] / np.sqrt(residual[pivot, pivot]))
        residual -= np.outer(vectors[-1], vectors[-1])
    return np.reshape(vectors, (-1, len(residual))), residual
