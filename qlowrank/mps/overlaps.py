# SPDX-License-Identifier: Apache-2.0
"""Scalar products of two chains, sector by sector."""

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from qlowrank.checks import Array, InputError
from qlowrank.mps.sectors import Blocks, Charge

if TYPE_CHECKING:
    from qlowrank.mps.record import MPS


def same_sites(bra: "MPS", ket: "MPS") -> None:
    """Refuse two chains that live on different sites."""
    if bra.sites != ket.sites:
        raise InputError(
            f"Both MPS must have the same sites; got {bra.n_sites} and {ket.n_sites} sites of "
            f"dimensions {[len(s) for s in bra.sites]} and {[len(s) for s in ket.sites]}."
        )


def extend_left(environment: dict[Charge, Array], bra: Blocks, ket: Blocks) -> dict[Charge, Array]:
    """Carry ⟨bra|ket⟩ of everything to the left over one more site.

    Args:
        environment: For each charge, shape (bra states, ket states).
        bra: Blocks of its site.
        ket: Blocks of its site.
    """
    found: dict[Charge, Array] = {}
    for (charge, target), block in ket.items():
        other = bra.get((charge, target))
        if other is None or charge not in environment:
            continue
        half = environment[charge] @ block.reshape(len(block), -1)
        term = other.reshape(-1, other.shape[2]).T @ half.reshape(-1, block.shape[2])
        if target in found:
            found[target] += term
        else:
            found[target] = term
    return found


def overlap(bra: "MPS", ket: "MPS") -> float:
    """Return ⟨bra|ket⟩; zero between different charges."""
    same_sites(bra, ket)
    if bra.charge != ket.charge:
        return 0.0
    environment = {ket.bonds[0][0][0]: np.ones((1, 1))}
    for site in range(ket.n_sites):
        environment = extend_left(environment, bra.site_blocks(site), ket.site_blocks(site))
    return float(sum(matrix[0, 0] for matrix in environment.values()))


def norm(mps: "MPS") -> float:
    """Return the norm: of one tensor where the others are isometries."""
    first, last = mps.window
    if first == last:
        return float(np.linalg.norm(mps.blocks[first]))
    return sqrt(max(overlap(mps, mps), 0.0))
