# SPDX-License-Identifier: Apache-2.0
"""Between blocks and dense arrays: tensors with all their zeros, and the whole vector."""

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.mps import sectors
from qlowrank.mps.sectors import Blocks, Charge, Site

if TYPE_CHECKING:
    from qlowrank.mps.record import MPS


def dense_tensor(mps: "MPS", site: int) -> Array:
    """One tensor with its zeros, (left, physical, right), read-only."""
    left, right = (sum(size for _, size in mps.bonds[k]) for k in (site, site + 1))
    tensor = np.zeros((left, len(mps.sites[site]), right))
    for place in mps.places(site):
        block = mps.blocks[site][place.entries].reshape(place.shape)
        for position, state in enumerate(place.states):
            tensor[place.rows, state, place.columns] = block[:, position]
    tensor.flags.writeable = False
    return tensor


def to_vector(mps: "MPS") -> Array:
    """The dense vector of length Π dimensions; the first site varies slowest."""
    size = prod(map(len, mps.sites))
    checks.fits("The dense vector", 16.0 * size, None, "Use to_ci, or sample determinants.")
    vector = np.ones((1, 1))
    for tensor in mps.tensors:
        vector = (vector @ tensor.reshape(len(tensor), -1)).reshape(-1, tensor.shape[2])
    return vector[:, 0]


def blocks_from_dense(
    tensors: Sequence[Array],
    site_charges: Sequence[Site] | None,
    bond_charges: Sequence[Sequence[Charge]] | None,
) -> tuple[list[Blocks], tuple[Site, ...]]:
    """Cut dense tensors into blocks and check that what lies outside the blocks is zero."""
    shapes = [np.shape(tensor) for tensor in tensors]
    if not shapes or any(len(shape) != 3 for shape in shapes):  # (left, physical, right)
        raise InputError(f"tensors must have three axes (left, physical, right); got {shapes}.")
    ends = [1, *(shape[2] for shape in shapes)]
    if [shape[0] for shape in shapes] != ends[:-1] or ends[-1] != 1:
        raise InputError(f"Neighbouring bonds must agree and the outer ones be 1; got {shapes}.")
    if (site_charges is None) != (bond_charges is None):
        raise InputError("Give charges of sites and of bonds, or neither.")
    sites = tuple(sectors.plain_site(shape[1]) for shape in shapes)
    labels: list[Sequence[Charge]] = [((),) * end for end in ends]
    if site_charges is not None and bond_charges is not None:
        sites, labels = tuple(map(tuple, site_charges)), list(bond_charges)
        if list(map(len, labels)) != ends or list(map(len, sites)) != [s[1] for s in shapes]:
            raise InputError("There must be one charge for each physical and each bond state.")
    found = []
    for k, tensor in enumerate(tensors):
        array = checks.readonly(f"tensors[{k}]", tensor, shapes[k])
        found.append(_cut(array, _positions(labels[k]), sites[k], _positions(labels[k + 1])))
        inside = sum(float(np.vdot(block, block)) for block in found[-1].values())
        if float(np.vdot(array, array)) > inside * (1 + 1e-12):
            raise InputError(f"tensors[{k}] has entries between charges that do not add up.")
    return found, sites


def _positions(labels: Sequence[Charge]) -> dict[Charge, list[int]]:
    """Where each charge stands among the labels of a bond."""
    found: dict[Charge, list[int]] = {}
    for position, charge in enumerate(labels):
        found.setdefault(tuple(int(n) for n in charge), []).append(position)
    return found


def _cut(
    tensor: Array, left: dict[Charge, list[int]], site: Site, right: dict[Charge, list[int]]
) -> Blocks:
    """Blocks of one dense tensor."""
    found = {}
    for charge, rows in left.items():
        for step, states in sectors.states_of(site):
            target = sectors.plus(charge, step)
            if target in right:
                found[charge, target] = tensor[np.ix_(rows, states, right[target])]
    return found
