# SPDX-License-Identifier: Apache-2.0
r"""Density matrices of one site and of two sites.

    bra  ──A_i──…──A_k──…──A_j──      s_i, s_j: open legs
           │ s_i     │       │ s_j    between them: traced, with (-1)^n where an odd number of
    ket  ──A_i──…──A_k──…──A_j──      electrons has moved from i to j

Electrons of the sites between i and j stand between their operators. Bringing j next to i changes
the sign of coherences that move an odd number of electrons, once for each electron between.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from qlowrank.checks import Array
from qlowrank.mps.overlaps import extend_left
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import Blocks, Charge, Site, minus, plus

Jump = tuple[int, int]
"""Physical states of the bra and of the ket."""
Carried = dict[Charge, Array]
"""Charge of the ket → (jumps, bra states, ket states)."""


def site_density(mps: MPS) -> Array:
    """Density matrices of all sites of a right-canonical MPS, shape (n_sites, d, d).

    Sites must be alike; the trace is the squared norm.
    """
    dimension = len(mps.sites[0])
    found = np.zeros((mps.n_sites, dimension, dimension))
    for site, environment in enumerate(_left_environments(mps)):
        for left, blocks in _by_left(mps.site_blocks(site)).items():
            for states, block in _with_states(mps.sites[site], left, blocks):
                half = np.tensordot(environment[left], block, axes=(1, 0))
                found[np.ix_([site], states, states)] += np.tensordot(block, half, ((0, 2), (0, 2)))
    return found


def pair_density(mps: MPS) -> Array:
    """Density matrices of all pairs of sites, shape (n_sites, n_sites, d², d²); i before j.

    Args:
        mps: Right-canonical, with sites that are all alike.

    Returns:
        Entry (i, j) for i < j has rows and columns (s_i, s_j), s_j fastest; others are zero.
    """
    n_sites, dimension = mps.n_sites, len(mps.sites[0])
    found = np.zeros((n_sites, n_sites) + (dimension,) * 4)
    environments = list(_left_environments(mps))
    for step in sorted({step for site in mps.sites for step in _jumps(site)}):
        carried: Carried = {}
        owners: list[tuple[int, Jump]] = []
        for second, site in enumerate(mps.sites):
            for closing, matrices in _closings(mps, second, step):
                values = np.zeros(len(owners))
                for charge in carried.keys() & matrices.keys():
                    values += np.tensordot(carried[charge], matrices[charge], axes=2)
                _fill(found[:, second], owners, closing, values)
            carried = _passed(mps, second, carried, step)
            jumps = _jumps(site).get(step, ())
            _open(carried, len(owners), mps, second, environments[second], jumps)
            owners += [(second, jump) for jump in jumps]
    return found.reshape(n_sites, n_sites, dimension**2, dimension**2)


def _left_environments(mps: MPS) -> Iterator[dict[Charge, Array]]:
    """Yield overlaps of everything left of each site."""
    environment: dict[Charge, Array] = {mps.bonds[0][0][0]: np.ones((1, 1))}
    for site in range(mps.n_sites):
        yield environment
        blocks = mps.site_blocks(site)
        environment = extend_left(environment, blocks, blocks)


@lru_cache(maxsize=64)
def _jumps(site: Site) -> dict[Charge, tuple[Jump, ...]]:
    """Pairs of states by the charge they differ in; of two that mirror each other, one."""
    found: dict[Charge, list[Jump]] = {}
    for bra, high in enumerate(site):
        for ket, low in enumerate(site):
            step = minus(high, low)
            if step > minus(low, high) or (high == low and bra >= ket):
                found.setdefault(step, []).append((bra, ket))
    return {step: tuple(jumps) for step, jumps in found.items()}


def _odd(step: Charge) -> bool:
    """Whether a charge is an odd number of electrons; charges that are no pair are no electrons."""
    return len(step) == 2 and sum(step) % 2 == 1  # (n_alpha, n_beta)


def _block(blocks: Blocks, site: Site, left: Charge, state: int) -> Array | None:
    """The matrix of one physical state from one charge on the left."""
    block = blocks.get((left, plus(left, site[state])))
    if block is None:
        return None
    position = sum(own == site[state] for own in site[:state])
    return block[:, position]


def _open(
    carried: Carried,
    n_before: int,
    mps: MPS,
    k: int,
    environment: dict[Charge, Array],
    jumps: tuple[Jump, ...],
) -> None:
    """Add the jumps of site k, bra and ket on the bond behind it, to those carried so far."""
    site, blocks = mps.sites[k], mps.site_blocks(k)
    found: Carried = {}
    for number, (bra, ket) in enumerate(jumps):
        for left, matrix in environment.items():
            upper, lower = (_block(blocks, site, left, state) for state in (bra, ket))
            if upper is None or lower is None:
                continue
            term = upper.T @ (matrix @ lower)
            charge = plus(left, site[ket])
            if charge not in found:
                found[charge] = np.zeros((len(jumps), *term.shape))
            found[charge][number] += term
    for charge in carried.keys() | found.keys():
        shape = (found if charge in found else carried)[charge].shape[1:]
        before = carried.get(charge, np.zeros((n_before, *shape)))
        new = found.get(charge, np.zeros((len(jumps), *shape)))
        carried[charge] = np.concatenate([before, new])


def _passed(mps: MPS, k: int, carried: Carried, step: Charge) -> Carried:
    """Carry bra and ket over a site that is traced out."""
    site, blocks = mps.sites[k], mps.site_blocks(k)
    found: Carried = {}
    for state, own in enumerate(site):
        sign = -1.0 if _odd(step) and _odd(own) else 1.0
        for charge, matrices in carried.items():
            lower = _block(blocks, site, charge, state)
            upper = _block(blocks, site, plus(charge, step), state)
            if upper is None or lower is None:
                continue
            term = sign * (upper.T @ (matrices @ lower))
            target = plus(charge, own)
            found[target] = found[target] + term if target in found else term
    return found


def _closings(mps: MPS, k: int, step: Charge) -> Iterator[tuple[Jump, dict[Charge, Array]]]:
    """What site k makes of bra and ket that differ by a step, with all on its right traced out."""
    site, blocks = mps.sites[k], mps.site_blocks(k)
    for bra, low in enumerate(site):
        for ket, high in enumerate(site):
            if minus(high, low) != step:
                continue
            matrices: dict[Charge, Array] = {}
            for charge, _ in mps.bonds[k]:
                upper = _block(blocks, site, plus(charge, step), bra)
                lower = _block(blocks, site, charge, ket)
                if upper is not None and lower is not None:
                    matrices[charge] = upper @ lower.T
            yield (bra, ket), matrices


def _fill(target: Array, owners: list[tuple[int, Jump]], closing: Jump, values: Array) -> None:
    """Write elements and their mirror images, axes (first site, s_i, s_j, s_i', s_j')."""
    for (first, (bra, ket)), value in zip(owners, values, strict=True):
        target[first, bra, closing[0], ket, closing[1]] = value
        target[first, ket, closing[1], bra, closing[0]] = value


def _by_left(blocks: Blocks) -> dict[Charge, list[tuple[Charge, Array]]]:
    """Blocks by the charge on their left."""
    found: dict[Charge, list[tuple[Charge, Array]]] = {}
    for (left, right), block in blocks.items():
        found.setdefault(left, []).append((right, block))
    return found


def _with_states(
    site: Site, left: Charge, blocks: list[tuple[Charge, Array]]
) -> Iterator[tuple[list[int], Array]]:
    """Yield each block with the physical states on its middle axis."""
    for right, block in blocks:
        step = minus(right, left)
        yield [state for state, own in enumerate(site) if own == step], block
