# SPDX-License-Identifier: Apache-2.0
"""The brick wall begun from each corner of a matrix: where there are zeros, depths differ."""

from collections.abc import Iterator

from qlowrank.checks import Array
from qlowrank.circuits.givens import givens_rotations
from qlowrank.circuits.network import GivensNetwork


def networks_from_corners(matrix: Array) -> Iterator[GivensNetwork]:
    """Yield four networks of an orthogonal matrix, one begun from each corner.

    `givens_rotations` clears from the lower left corner. Turning or transposing the matrix brings
    another corner there. Each network has the fewest rotations that make the matrix, rounding
    apart; where the matrix has zeros, they lie in layers of different number.
    """
    turned = matrix[::-1, ::-1]
    yield givens_rotations(matrix)
    yield _mirrored(givens_rotations(turned))
    yield _transposed(givens_rotations(matrix.T))
    yield _mirrored(_transposed(givens_rotations(turned.T)))


def _mirrored(network: GivensNetwork) -> GivensNetwork:
    """Number the modes from the other end: rows and columns of the matrix run backwards."""
    return GivensNetwork(
        modes=network.norb - 2 - network.modes,
        angles=-network.angles,
        signs=network.signs[::-1],
    )


def _transposed(network: GivensNetwork) -> GivensNetwork:
    """Run the rotations backwards; the signs move to the other end."""
    modes = network.modes[::-1]
    across = network.signs[modes] * network.signs[modes + 1]
    return GivensNetwork(modes=modes, angles=-network.angles[::-1] * across, signs=network.signs)
