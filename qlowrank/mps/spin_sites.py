# SPDX-License-Identifier: Apache-2.0
"""From one site per spatial orbital to one site per spin orbital."""

import numpy as np

from qlowrank.checks import InputError
from qlowrank.mps.canonical import canonicalise_mps
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import ALPHA, BETA, ORBITAL, Blocks, plus


def split_orbitals(mps: MPS) -> MPS:
    """Return the same vector with one site per spin orbital: alpha 0, beta 0, and so on.

    The dense vector of the result is the Jordan–Wigner vector of interleaved modes, alpha slower:
    OpenFermion's. No error; QR decompositions leave each new bond with the states it needs.

    Args:
        mps: One site per spatial orbital.

    Returns:
        Twice as many sites, the norm in the last. `discarded_weights` are zero between the spins of
        one orbital and those of `mps` elsewhere.

    Raises:
        InputError: Other sites.

    >>> import qlowrank as ql
    >>> split_orbitals(ql.mps_from_determinants([0b01], [0b10], [1.0], 2)).to_vector().nonzero()
    (array([9]),)
    """
    if any(site != ORBITAL for site in mps.sites):
        raise InputError("split_orbitals needs one site per spatial orbital.")
    sites = [half for site in range(mps.n_sites) for half in _split(mps.site_blocks(site))]
    weights = np.zeros(2 * mps.n_sites - 1)
    weights[1::2] = mps.discarded_weights
    split = MPS.from_blocks(sites, (ALPHA, BETA) * mps.n_sites, discarded_weights=weights)
    return canonicalise_mps(split, 2 * mps.n_sites - 1)


def _split(blocks: Blocks) -> tuple[Blocks, Blocks]:
    """An isometry that remembers left bond and alpha, and the orbital's tensor with beta open."""
    sizes = {left: len(block) for (left, _), block in blocks.items()}
    alpha: Blocks = {}
    beta: Blocks = {}
    middles = sorted({plus(left, step) for left in sizes for step in ALPHA})
    for middle in middles:
        sources = [(left, step) for left in sizes for step in ALPHA if plus(left, step) == middle]
        total = sum(sizes[left] for left, _ in sources)
        start = 0
        for left, _ in sources:
            stop = start + sizes[left]
            alpha[left, middle] = np.eye(total)[start:stop][:, None, :]
            for own in BETA:
                block = blocks.get((left, plus(middle, own)))
                if block is not None:
                    target = middle, plus(middle, own)
                    if target not in beta:
                        beta[target] = np.zeros((total, 1, block.shape[2]))
                    beta[target][start:stop] = block
            start = stop
    return alpha, beta
