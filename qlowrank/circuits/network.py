# SPDX-License-Identifier: Apache-2.0
"""The Givens network: an orthogonal matrix as nearest-neighbour rotations, and their schedule."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import copysign, cos, pi, sin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlowrank import checks
from qlowrank.checks import Array, InputError

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GivensNetwork:
    r"""An orthogonal matrix as a product of nearest-neighbour Givens rotations and signs.

    .. math::
        U = G_0 G_1 \cdots G_{R-1} \operatorname{diag}(s), \qquad
        G = \begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta & \cos\theta \end{pmatrix}
        \text{ on modes } (m, m + 1)

    The signs stand on the right, where a column's sign is free: a measurement of U's occupation
    numbers never sees them, and on a determinant they are a global phase.

    Source:
        W. R. Clements et al., Optica 3, 1460 (2016); I. D. Kivlichan et al., Phys. Rev. Lett.
        120, 110501 (2018).

    >>> GivensNetwork(modes=[1, 0], angles=[0.5, -0.2], signs=[1, 1, -1])
    GivensNetwork(norb=3, rotations=2, depth=2)
    """

    modes: Indices = field(metadata={"units": "1", "axes": "rotation"})
    """Lower mode m of each rotation's pair (m, m + 1), shape (n_rotations,), integers."""
    angles: Array = field(metadata={"units": "radian", "axes": "rotation"})
    """Angle of each rotation, shape (n_rotations,), radian."""
    signs: Array = field(metadata={"units": "1", "axes": "orbital"})
    """Sign of each column of U, +1 or -1, shape (norb,)."""

    def __post_init__(self) -> None:
        norb = np.size(self.signs)
        modes = _readonly_modes(self.modes, norb)
        object.__setattr__(self, "modes", modes)
        object.__setattr__(self, "angles", checks.readonly("angles", self.angles, modes.shape))
        object.__setattr__(self, "signs", checks.readonly("signs", self.signs, (norb,)))
        if not (np.abs(self.signs) == 1).all():
            raise InputError(f"signs must all be +1 or -1; got {self.signs}.")

    @property
    def norb(self) -> int:
        """Number of modes the network acts on."""
        return len(self.signs)

    @property
    def n_rotations(self) -> int:
        """Number of rotations."""
        return len(self.modes)

    @property
    def layers(self) -> tuple[Indices, ...]:
        """The schedule: indices of the rotations that can be done at the same time, G_0's first."""
        layer = layer_of_each(self.modes, self.norb)
        depth = int(layer.max(initial=-1)) + 1
        return tuple(np.flatnonzero(layer == step) for step in range(depth))

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.layers)

    def matrix(self) -> Array:
        """Multiply the rotations and the signs back, shape (norb, norb)."""
        product = np.diag(self.signs)
        for mode, angle in zip(self.modes[::-1], self.angles[::-1], strict=True):
            rotate_rows(product, int(mode), float(angle))
        return product

    def __repr__(self) -> str:
        return f"GivensNetwork(norb={self.norb}, rotations={self.n_rotations}, depth={self.depth})"


def network_in_layers(rotations: Sequence[tuple[int, float]], signs: ArrayLike) -> GivensNetwork:
    """Make a network of (mode, angle) pairs, given as the product is written, layer by layer.

    Only rotations on disjoint modes change places, so the matrix stays the same, to the bit.
    """
    modes = np.array([mode for mode, _ in rotations], dtype=np.int64)
    angles = np.array([angle for _, angle in rotations], dtype=np.float64)
    order = np.lexsort((modes, layer_of_each(modes, len(np.asarray(signs)))))
    return GivensNetwork(modes=modes[order], angles=angles[order], signs=np.asarray(signs))


def layer_of_each(modes: Indices, norb: int) -> Indices:
    """Layer of each rotation, shape (n_rotations,), when each runs as soon as it can.

    >>> layer_of_each(np.array([0, 2, 1, 0]), norb=4)
    array([0, 0, 1, 2])
    """
    layers = []
    free_from = [0] * norb
    for mode in modes.tolist():
        layer = max(free_from[mode], free_from[mode + 1])
        free_from[mode] = free_from[mode + 1] = layer + 1
        layers.append(layer)
    return np.array(layers, dtype=np.int64)


def rotate_rows(matrix: Array, mode: int, angle: float) -> None:
    """Multiply `matrix` in place from the left with G(mode, angle); ±π/2 swaps without rounding."""
    cosine, sine = (0.0, copysign(1.0, angle)) if abs(angle) == pi / 2 else (cos(angle), sin(angle))
    rows = np.array([[cosine, -sine], [sine, cosine]])
    matrix[mode : mode + 2] = rows @ matrix[mode : mode + 2]


def _readonly_modes(value: ArrayLike, norb: int) -> Indices:
    """Return the modes as read-only integers that leave room for a neighbour."""
    modes = np.asarray(value)
    if modes.ndim != 1 or (modes.size and not np.issubdtype(modes.dtype, np.integer)):
        raise InputError(f"modes must be a list of integers; got {value!r:.60}.")
    if modes.size and not (modes.min() >= 0 and modes.max() <= norb - 2):
        raise InputError(
            f"modes must lie between 0 and {norb - 2}, so that (m, m + 1) is a pair of the {norb} "
            f"modes; got {modes.min()} to {modes.max()}."
        )
    view = modes.astype(np.int64, copy=False).view()
    view.flags.writeable = False
    return view
