# SPDX-License-Identifier: Apache-2.0
"""Canonical forms: all the norm in one site, every other tensor an isometry towards it."""

from itertools import groupby
from operator import itemgetter

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import Blocks, Charge

Gauge = dict[Charge, Array]
"""Matrices on the sectors of a bond, to be absorbed by a neighbouring site."""


def canonicalise_mps(mps: MPS, centre: int) -> MPS:
    r"""Return the same vector with `centre` as the only tensor that is not an isometry.

    Tensors left of the centre obey :math:`\sum_s A[s]^T A[s] = 1`, those right of it
    :math:`\sum_s A[s] A[s]^T = 1`. Centre n_sites - 1 is the left-canonical form, centre 0 the
    right-canonical one. QR decompositions, one a sector; linearly dependent states of a bond go
    where there are more of them than rows, without any error.

    Args:
        mps: Any MPS.
        centre: Site that is to carry the norm.

    Raises:
        InputError: `centre` is no site.

    >>> import numpy as np
    >>> import qlowrank as ql
    >>> mps = ql.canonicalise_mps(ql.MPS.from_vector(np.arange(1.0, 9.0), 2), 2)
    >>> mps.window, bool(np.isclose(mps.norm(), np.linalg.norm(mps.tensors[2])))
    ((2, 2), True)
    """
    centre = checks.whole("centre", centre)
    if not 0 <= centre < mps.n_sites:
        raise InputError(f"centre must be a site, 0 to {mps.n_sites - 1}; got {centre}.")
    first, last = mps.window
    if first == last == centre:
        return mps
    sites = [mps.site_blocks(site) for site in range(mps.n_sites)]
    for site in range(first, centre):
        sites[site], gauge = push_right(sites[site])
        sites[site + 1] = absorb_left(gauge, sites[site + 1])
    for site in range(last, centre, -1):
        sites[site], gauge = push_left(sites[site])
        sites[site - 1] = absorb_right(sites[site - 1], gauge)
    return MPS.from_blocks(
        sites, mps.sites, window=(centre, centre), discarded_weights=mps.discarded_weights
    )


def push_right(blocks: Blocks) -> tuple[Blocks, Gauge]:
    """Split a site into an isometry from the left and what goes to the right."""
    isometries: Blocks = {}
    gauge: Gauge = {}
    for target, keys in by_charge(blocks, 1).items():
        parts = [blocks[key] for key in keys]
        matrix = np.concatenate([part.reshape(-1, part.shape[2]) for part in parts])
        isometry, gauge[target] = np.linalg.qr(matrix)
        start = 0
        for key, part in zip(keys, parts, strict=True):
            stop = start + part.shape[0] * part.shape[1]
            isometries[key] = isometry[start:stop].reshape(*part.shape[:2], -1)
            start = stop
    return isometries, gauge


def push_left(blocks: Blocks) -> tuple[Blocks, Gauge]:
    """Split a site into what goes to the left and an isometry from the right."""
    isometries, gauge = push_right(_flipped(blocks))
    return _flipped(isometries), {charge: matrix.T for charge, matrix in gauge.items()}


def absorb_left(gauge: Gauge, blocks: Blocks) -> Blocks:
    """Multiply a gauge into the left bond of a site."""
    return {
        key: (gauge[key[0]] @ block.reshape(len(block), -1)).reshape(-1, *block.shape[1:])
        for key, block in blocks.items()
        if key[0] in gauge
    }


def absorb_right(blocks: Blocks, gauge: Gauge) -> Blocks:
    """Multiply a gauge into the right bond of a site."""
    return {key: block @ gauge[key[1]] for key, block in blocks.items() if key[1] in gauge}


def by_charge(blocks: Blocks, end: int) -> dict[Charge, list[tuple[Charge, Charge]]]:
    """Keys of blocks by the charge at one end (0 left, 1 right), in rising order."""
    ordered = sorted(blocks, key=itemgetter(end, 1 - end))
    return {charge: list(keys) for charge, keys in groupby(ordered, key=itemgetter(end))}


def _flipped(blocks: Blocks) -> Blocks:
    """The same site seen from the other side."""
    return {(right, left): block.transpose(2, 1, 0) for (left, right), block in blocks.items()}
