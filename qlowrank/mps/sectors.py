# SPDX-License-Identifier: Apache-2.0
"""Charges of bonds and sites, and where the blocks of a site tensor lie in memory.

A charge is a tuple of integers that add up along the chain: (n_alpha, n_beta) for electrons, ()
where there is no symmetry. The charge of a bond state counts what sits to its left. A site tensor
has a block for every pair of bond charges that differ by the charge of a physical state; all else
is zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from qlowrank.checks import Array

IntArray = NDArray[np.int64]
Charge = tuple[int, ...]
Bond = tuple[tuple[Charge, int], ...]
"""Charge and number of states of every sector, sorted by charge."""
Site = tuple[Charge, ...]
"""Charge of every physical state."""
Blocks = dict[tuple[Charge, Charge], Array]
"""(left charge, right charge) → block of shape (left states, physical states, right states)."""

ORBITAL: Site = ((0, 0), (1, 0), (0, 1), (1, 1))
"""A spatial orbital: empty, alpha, beta, both; charges are (n_alpha, n_beta)."""
ALPHA: Site = ((0, 0), (1, 0))
"""An alpha spin orbital: empty, occupied."""
BETA: Site = ((0, 0), (0, 1))
"""A beta spin orbital: empty, occupied."""


def plain_site(dimension: int) -> Site:
    """A site without symmetry."""
    return ((),) * dimension


def plus(charge: Charge, other: Charge) -> Charge:
    """Sum of two charges."""
    return tuple(a + b for a, b in zip(charge, other, strict=True))


def minus(charge: Charge, other: Charge) -> Charge:
    """Difference of two charges."""
    return tuple(a - b for a, b in zip(charge, other, strict=True))


@lru_cache(maxsize=256)
def states_of(site: Site) -> tuple[tuple[Charge, tuple[int, ...]], ...]:
    """Charges of a site in rising order, each with the physical states that have it."""
    return tuple(
        (charge, tuple(s for s, own in enumerate(site) if own == charge))
        for charge in sorted(set(site))
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where one block of a site tensor lies."""

    left: Charge
    """Charge of the left bond."""
    right: Charge
    """Charge of the right bond."""
    states: tuple[int, ...]
    """Physical states of this block."""
    rows: slice
    """Its left states, in the dense tensor."""
    columns: slice
    """Its right states, in the dense tensor."""
    entries: slice
    """Its entries, in the flat array."""
    shape: tuple[int, int, int]
    """(left, physical, right)."""


@lru_cache(maxsize=4096)
def layout(left: Bond, site: Site, right: Bond) -> tuple[Place, ...]:
    """Places of all blocks of a site tensor, by left charge, then right charge."""
    columns = spans(right)
    sizes = dict(right)
    places = []
    start = 0
    for charge, rows in spans(left).items():
        for step, states in states_of(site):
            target = plus(charge, step)
            if target not in sizes:
                continue
            shape = (rows.stop - rows.start, len(states), sizes[target])
            stop = start + shape[0] * shape[1] * shape[2]
            entries = slice(start, stop)
            places.append(Place(charge, target, states, rows, columns[target], entries, shape))
            start = stop
    return tuple(places)


def spans(bond: Bond) -> dict[Charge, slice]:
    """Positions of each sector among the states of a bond."""
    found, start = {}, 0
    for charge, size in bond:
        found[charge] = slice(start, start + size)
        start += size
    return found


def bond_of(sizes: Mapping[Charge, int]) -> Bond:
    """The bond with these sectors; sectors without states are left out."""
    return tuple((charge, size) for charge, size in sorted(sizes.items()) if size)


def flat(blocks: Blocks, places: tuple[Place, ...]) -> Array:
    """Blocks in one array, in the order of their places; a missing block is zero."""
    size = places[-1].entries.stop if places else 0
    entries = np.empty(size)
    for place in places:
        block = blocks.get((place.left, place.right))
        entries[place.entries] = 0.0 if block is None else block.ravel()
    return entries


def unflat(entries: Array, places: tuple[Place, ...]) -> Blocks:
    """Views of the blocks of a flat array."""
    return {(p.left, p.right): entries[p.entries].reshape(p.shape) for p in places}


def bonds_between(sites: Sequence[Blocks]) -> tuple[Bond, ...]:
    """Bonds of a chain of blocks, from its left end to its right end.

    A sector of an inner bond counts only where it can be reached from both ends.
    """
    lefts: list[dict[Charge, int]] = []
    alive: dict[Charge, int] = {key[0]: block.shape[0] for key, block in sites[0].items()}
    for blocks in sites:
        lefts.append(alive)
        alive = {
            key[1]: block.shape[2]
            for key, block in blocks.items()
            if alive.get(key[0]) == block.shape[0]
        }
    bonds = [bond_of(alive)]
    for blocks, left in zip(reversed(sites), reversed(lefts), strict=True):
        rights = dict(bonds[-1])
        kept = {
            key[0]: left[key[0]]
            for key, block in blocks.items()
            if key[0] in left and rights.get(key[1]) == block.shape[2]
        }
        bonds.append(bond_of(kept))
    return tuple(reversed(bonds))
