# SPDX-License-Identifier: Apache-2.0
"""Brick-wall decomposition of an orthogonal matrix into Givens rotations of depth norb."""

from typing import Any

import numpy as np

from qlowrank.circuits.elimination import clear
from qlowrank.circuits.frames import orthogonal
from qlowrank.circuits.network import GivensNetwork, network_in_layers


def givens_rotations(frame: Any) -> GivensNetwork:
    r"""Decompose an orthogonal matrix into a brick wall of nearest-neighbour Givens rotations.

    .. math:: U = G_0 G_1 \cdots G_{R-1} \operatorname{diag}(s)

    The elements below the diagonal are cleared antidiagonal by antidiagonal from the lower left
    corner, by columns and by rows in turn, so that the rotations from both sides interlock to at
    most norb layers and norb (norb - 1) / 2 rotations. What is zero already costs nothing: a
    matrix of diagonal blocks gives rotations within the blocks only, a permutation as many
    (of angle ±π/2) as it has inversions, which is the least that neighbours can do. Angles lie in
    [-π/2, π/2]; a determinant of -1 goes into the signs.

    Args:
        frame: U, shape (norb, norb), orthogonal; column k is rotated orbital k.

    Returns:
        The network; `network.matrix()` gives U back, to rounding, to what `NEGLIGIBLE` drops and
        to how far U itself is from orthogonal.

    Raises:
        InputError: `frame` is not a real, finite, square and orthogonal matrix.

    Source:
        W. R. Clements et al., Optica 3, 1460 (2016), the rectangular scheme; I. D. Kivlichan
        et al., Phys. Rev. Lett. 120, 110501 (2018), for orbitals.

    >>> network = givens_rotations([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, -1.0]])
    >>> network
    GivensNetwork(norb=3, rotations=1, depth=1)
    >>> network.modes, network.angles.round(4), network.signs
    (array([0]), array([0.9273]), array([ 1.,  1., -1.]))
    """
    rest = np.array(orthogonal("frame", frame))
    norb = len(rest)
    from_left: list[tuple[int, float]] = []
    from_right: list[tuple[int, float]] = []
    for length in range(1, norb):
        for step in range(length):
            if length % 2:
                row, column = norb - 1 - step, length - 1 - step
                from_right += clear(rest.T, column, against=column + 1, column=row)
            else:
                row, column = norb - length + step, step
                from_left += clear(rest, row, against=row - 1, column=column)

    # Now U = (from_left) rest (from_right backwards, transposed), and rest is diagonal: ±1.
    # diag(s) G(m, θ) = G(m, s_m s_m+1 θ) diag(s) takes the signs to the right end.
    signs = np.where(np.diagonal(rest) < 0, -1.0, 1.0)
    moved = [(mode, -angle * signs[mode] * signs[mode + 1]) for mode, angle in from_right[::-1]]
    return network_in_layers(from_left + moved, signs)
