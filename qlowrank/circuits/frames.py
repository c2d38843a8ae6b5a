# SPDX-License-Identifier: Apache-2.0
"""The check every orbital frame passes: square, real, orthogonal."""

from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.circuits.elimination import NEGLIGIBLE

ORTHOGONALITY = 1e-8
"""Largest permitted Frobenius norm of `Uᵀ U - 1`."""


def orthogonal(name: str, value: Any) -> Array:
    """Return a read-only view of an orthogonal matrix, or say by how much it misses."""
    try:
        shape = np.shape(value)
    except ValueError as error:
        raise InputError(f"{name} must be a matrix; got rows of different lengths.") from error
    if len(shape) != 2:
        raise InputError(f"{name} must be a (norb, norb) matrix; got {len(shape)} axes.")
    norb = shape[0]
    matrix = checks.readonly(name, value, (norb, norb))
    miss = float(np.linalg.norm(matrix.T @ matrix - np.eye(norb)))
    if miss > ORTHOGONALITY:
        raise InputError(
            f"{name} must be orthogonal to {ORTHOGONALITY:.0e}; its ‖UᵀU - 1‖ is {miss:.2e}. "
            "Its columns are the rotated orbitals in an orthonormal basis: orthonormalise them."
        )
    return matrix


def without_noise(frame: Array, negligible: float) -> Array:
    """Set elements up to `negligible` to zero, and make the frame orthogonal to rounding again.

    The step U (3 - UᵀU) / 2 squares the distance from orthogonality and keeps the zeros between
    blocks; rounding in other zeros is cleared once more.
    """
    kept = np.where(np.abs(frame) > negligible, frame, 0.0)
    kept = kept @ (3 * np.eye(len(kept)) - kept.T @ kept) / 2
    return np.where(np.abs(kept) > NEGLIGIBLE, kept, 0.0)
