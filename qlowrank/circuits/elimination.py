# SPDX-License-Identifier: Apache-2.0
"""The step all networks are made of: rotate two neighbouring rows to clear one element."""

from math import atan, inf

from qlowrank.checks import Array
from qlowrank.circuits.network import rotate_rows

NEGLIGIBLE = 1e-12
"""A matrix element at most this large counts as zero already and costs no rotation.

Frames come from eigensolvers, which leave rounding of machine epsilon over the spectral gap
between orbitals that do not mix. What is dropped moves an orthogonal matrix by at most `norb`
times this (Frobenius norm), far less than the orthogonality asked of it.
"""


def clear(matrix: Array, row: int, against: int, column: int) -> list[tuple[int, float]]:
    """Rotate rows `row` and `against`, which are neighbours, so that `matrix[row, column]` is zero.

    Returns:
        The rotations (mode, angle) that lead back, at most one: the matrix before is
        `G(mode, angle)` times the matrix after, which replaces it in place. None where the
        element is negligible. The angle lies in [-π/2, π/2], the smallest that will do; where the
        other element is negligible it is ±π/2 exactly, which swaps the rows and mixes nothing.
    """
    element, other = float(matrix[row, column]), float(matrix[against, column])
    if abs(element) <= NEGLIGIBLE:
        return []
    if abs(other) <= NEGLIGIBLE:
        matrix[against, column], other = 0.0, 0.0
    tangent = element / other if other else inf
    angle = atan(tangent) if row > against else -atan(tangent)
    mode = min(row, against)
    rotate_rows(matrix, mode, -angle)
    matrix[row, column] = 0.0
    return [(mode, angle)]
