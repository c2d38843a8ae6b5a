# SPDX-License-Identifier: Apache-2.0
"""The shortest Givens network that brings the needed columns of a frame onto modes of their own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.circuits.corners import networks_from_corners
from qlowrank.circuits.elimination import NEGLIGIBLE
from qlowrank.circuits.frames import ORTHOGONALITY, orthogonal, without_noise
from qlowrank.circuits.landing import landings
from qlowrank.circuits.network import GivensNetwork, Indices
from qlowrank.circuits.trimming import trimmed

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ReadoutNetwork:
    r"""A Givens network V, and which of its modes reads which column of a frame U.

    .. math:: V_{p,\,\text{modes}[k]} = \pm U_{pk} \quad\text{for every needed column } k

    The occupation number of mode `modes[k]`, measured after V's inverse, is that of rotated
    orbital k. The other modes share the other columns' space in some mixture: their occupation
    numbers mean nothing one by one, and still add up to the electrons that are left.
    """

    network: GivensNetwork
    """V; its signs are all +1."""
    modes: Indices = field(metadata={"units": "1", "axes": "rotated"})
    """Mode that carries each column of the frame, shape (norb,); columns that are not needed have
    the modes that are left, in order, so that every mode is named once."""
    needed: Mask = field(metadata={"units": "1", "axes": "rotated"})
    """Whether each column of the frame is needed, shape (norb,)."""

    def __post_init__(self) -> None:
        norb = self.network.norb
        modes, needed = np.asarray(self.modes), np.asarray(self.needed)
        if sorted(modes.tolist()) != list(range(norb)):
            raise InputError(f"modes must name each of the {norb} modes once; got {modes}.")
        if needed.dtype != bool or needed.shape != (norb,):
            raise InputError(f"needed must be {norb} booleans; got {needed.dtype} {needed.shape}.")
        for name, array in (("modes", modes.astype(np.int64)), ("needed", needed)):
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def in_columns(self, occupations: Any) -> NDArray[Any]:
        """Reorder what was measured on each mode, shape (..., norb), to the frame's columns.

        >>> readout_network([[0.0, 1.0], [1.0, 0.0]]).in_columns([[1, 0]])
        array([[0, 1]])
        """
        return np.asarray(occupations)[..., self.modes]

    def __repr__(self) -> str:
        return (
            f"ReadoutNetwork(norb={self.network.norb}, needed={int(self.needed.sum())}, "
            f"rotations={self.network.n_rotations}, depth={self.network.depth})"
        )


def readout_network(
    frame: Any, *, needed: Any = None, negligible: float = NEGLIGIBLE
) -> ReadoutNetwork:
    r"""Find the network of fewest rotations that reads the needed columns of a frame.

    A diagonal measurement sees neither signs nor the order of the modes, nor what becomes of
    columns whose occupation numbers enter nothing. For r needed columns in general position

    .. math:: r (n - r) + \tfrac12 r (r - 1)

    rotations are the fewest, and they take at most n layers or n // 2 + r. Zeros of the frame, as
    point-group symmetry makes them, save more. Several ways to use all this are tried, and the one
    of fewest rotations, then of fewest layers, is returned: never more rotations than
    `givens_rotations(frame)` has, never more than n layers.

    Args:
        frame: U, shape (norb, norb), orthogonal; column k is rotated orbital k.
        needed: Which columns are read, norb booleans; None: all.
        negligible: Elements of U at most this large count as zero, 1e-12 to 1e-8. The columns
            that are read differ from U's by at most about norb times this (Frobenius norm).

    Returns:
        The network, at most norb layers deep, and the modes that read the columns.

    Raises:
        InputError: `frame` is not orthogonal, `needed` is no mask of its columns, or `negligible`
            is out of range.

    Source:
        The count is the dimension of the Stiefel manifold; depth norb: W. R. Clements et al.,
        Optica 3, 1460 (2016). The use of free columns is ours.

    >>> frame = np.linalg.qr(np.vander(np.linspace(-1, 1, 6)))[0]
    >>> readout_network(frame)
    ReadoutNetwork(norb=6, needed=6, rotations=15, depth=6)
    >>> readout_network(frame, needed=np.arange(6) < 1)
    ReadoutNetwork(norb=6, needed=1, rotations=5, depth=3)
    """
    frame = orthogonal("frame", frame)
    mask = _mask(needed, len(frame))
    negligible = checks.positive("negligible", negligible)
    if not NEGLIGIBLE <= negligible <= ORTHOGONALITY:
        raise InputError(
            f"negligible must lie between {NEGLIGIBLE:.0e} and {ORTHOGONALITY:.0e}, to which "
            f"frames are orthogonal; got {negligible:.1e}."
        )
    frame = without_noise(frame, negligible)
    readings = _readings(frame, mask)
    if mask.all() and (np.abs(frame) > NEGLIGIBLE).all():
        return next(readings)  # nothing to choose
    return min(readings, key=lambda reading: (reading.network.n_rotations, reading.network.depth))


def _mask(needed: Any, norb: int) -> Mask:
    """Return `needed` as a mask of the columns, all of them for None."""
    if needed is None:
        return np.ones(norb, dtype=bool)
    mask = np.asarray(needed)
    if mask.dtype != bool or mask.shape != (norb,):
        raise InputError(
            f"needed must be {norb} booleans, one for each column of the frame; got "
            f"{mask.dtype} of shape {mask.shape}. For indices, pass "
            "np.isin(np.arange(norb), indices)."
        )
    return mask


def _readings(frame: Array, needed: Mask) -> Iterator[ReadoutNetwork]:
    """Yield the networks of all landings, from each corner, that keep to the needed columns."""
    columns, norb = frame[:, needed], len(frame)
    for number, matrix in enumerate(landings(frame, needed)):
        read = np.isin(np.arange(norb), _carriers(matrix, columns))
        for network in networks_from_corners(matrix):
            short = trimmed(network, read)
            made = short.matrix()
            carriers = _carriers(made, columns)
            miss = np.linalg.norm(np.abs(made[:, carriers]) - np.abs(columns))
            # An ill-conditioned landing may lose the columns; the frame as it is cannot.
            if number == 0 or miss <= norb * NEGLIGIBLE:
                modes = np.empty(norb, dtype=np.int64)
                modes[needed] = carriers
                modes[~needed] = np.setdiff1d(np.arange(norb), carriers)
                yield ReadoutNetwork(network=short, modes=modes, needed=needed)


def _carriers(matrix: Array, columns: Array) -> Indices:
    """Column of `matrix` that each of `columns` is, up to its sign."""
    if not columns.size:
        return np.zeros(0, dtype=np.int64)
    return np.abs(matrix.T @ columns).argmax(axis=0).astype(np.int64)
