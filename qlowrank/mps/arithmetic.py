# SPDX-License-Identifier: Apache-2.0
"""Multiples and sums of chains."""

from collections.abc import Sequence

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.mps.overlaps import same_sites
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import Bond, Charge


def scale_mps(mps: MPS, factor: float) -> MPS:
    """Return `factor` times an MPS; a factor of zero keeps the tensors' shapes.

    >>> import numpy as np
    >>> import qlowrank as ql
    >>> ql.scale_mps(ql.MPS.from_vector(np.array([3.0, 4.0]), 2), 0.2).norm()
    1.0
    """
    factor = checks.finite("factor", factor)
    site = mps.window[0]
    blocks = [factor * entries if k == site else entries for k, entries in enumerate(mps.blocks)]
    return MPS(
        blocks=tuple(blocks),
        bond_charges=mps.bond_charges,
        bond_sizes=mps.bond_sizes,
        site_charges=mps.site_charges,
        window=mps.window,
        discarded_weights=mps.discarded_weights * factor**2,
    )


def add_mps(terms: Sequence[MPS]) -> MPS:
    """Return the sum of several MPS; bond dimensions add up, so compress it afterwards.

    Args:
        terms: MPS of the same sites and total charge, at least one.

    Raises:
        InputError: Sites or charges differ, or nothing to add.

    >>> import numpy as np
    >>> import qlowrank as ql
    >>> terms = [ql.MPS.from_vector(np.eye(4)[k], 2) for k in (0, 3)]
    >>> ql.add_mps(terms).to_vector()
    array([1., 0., 0., 1.])
    """
    if not terms:
        raise InputError("There is nothing to add; pass at least one MPS.")
    first = terms[0]
    for term in terms[1:]:
        same_sites(first, term)
        if (term.bonds[0], term.bonds[-1]) != (first.bonds[0], first.bonds[-1]):
            raise InputError(
                f"MPS of different charges have no common sector; got {first.charge} and "
                f"{term.charge}."
            )
    if len(terms) == 1:
        return first
    n_sites = first.n_sites
    offsets = [_offsets([term.bonds[bond] for term in terms]) for bond in range(n_sites + 1)]
    offsets[0] = offsets[-1] = [{} for _ in terms]  # the outer bonds are shared
    sites = []
    for site in range(n_sites):
        sizes = [_total(first, terms, bond) for bond in (site, site + 1)]
        merged: dict[tuple[Charge, Charge], Array] = {}
        for position, term in enumerate(terms):
            rows, columns = offsets[site][position], offsets[site + 1][position]
            for key, block in term.site_blocks(site).items():
                if key not in merged:
                    merged[key] = np.zeros((sizes[0][key[0]], block.shape[1], sizes[1][key[1]]))
                row, column = rows.get(key[0], 0), columns.get(key[1], 0)
                merged[key][row : row + len(block), :, column : column + block.shape[2]] += block
        sites.append(merged)
    return MPS.from_blocks(sites, first.sites)


def _offsets(bonds: Sequence[Bond]) -> list[dict[Charge, int]]:
    """Where the states of each term begin in each sector of a bond of the sum."""
    found, used = [], dict[Charge, int]()
    for bond in bonds:
        found.append({charge: used.get(charge, 0) for charge, _ in bond})
        for charge, size in bond:
            used[charge] = used.get(charge, 0) + size
    return found


def _total(first: MPS, terms: Sequence[MPS], bond: int) -> dict[Charge, int]:
    """Sizes of the sectors of a bond of the sum."""
    if bond in (0, first.n_sites):
        return dict(first.bonds[bond])
    found: dict[Charge, int] = {}
    for term in terms:
        for charge, size in term.bonds[bond]:
            found[charge] = found.get(charge, 0) + size
    return found
