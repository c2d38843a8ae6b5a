# SPDX-License-Identifier: Apache-2.0
"""Fewer states on every bond, at an error that is known."""

from dataclasses import dataclass

import numpy as np

from qlowrank.checks import Array
from qlowrank.mps import cuts
from qlowrank.mps.canonical import Gauge, absorb_right, by_charge, canonicalise_mps
from qlowrank.mps.cuts import Allowance
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import Blocks, Charge


def compress_mps(mps: MPS, *, tolerance: float = 1e-10, max_bond: int | None = None) -> MPS:
    r"""Return an MPS with smaller bonds near the given one.

    One sweep of singular value decompositions from the last site to the first, in canonical form.
    Every cut is an orthogonal projection inside the range of those before, so the squared errors
    add up exactly: :math:`\lVert \psi - \psi' \rVert^2 = \sum_b w_b` with the `discarded_weights`
    :math:`w_b` of the result, and the error is at most `tolerance` unless `max_bond` binds.

    Args:
        mps: Any MPS.
        tolerance: Largest permitted error in the norm of the vector.
        max_bond: Most states of a bond; None for no limit.

    Returns:
        The compressed MPS, its norm in site 0, with the `discarded_weights` of this step alone.

    Raises:
        InputError: `max_bond` below 1, a negative tolerance.

    Source:
        Schollwöck, Ann. Phys. 326, 96 (2011), section 4.5.1.

    >>> import numpy as np
    >>> import qlowrank as ql
    >>> mps = ql.MPS.from_vector(np.arange(1.0, 9.0) ** 0.5, 2)
    >>> small = ql.compress_mps(mps, tolerance=0.5)
    >>> mps.bond_dimensions, small.bond_dimensions
    ((2, 2), (1, 1))
    >>> error = np.linalg.norm(mps.to_vector() - small.to_vector())
    >>> bool(np.isclose(error**2, small.discarded_weights.sum()))
    True
    """
    allowance = Allowance(cuts.tolerance(tolerance) ** 2, mps.n_sites - 1, cuts.max_bond(max_bond))
    return sweep(mps, allowance).mps


@dataclass(frozen=True, eq=False, slots=True)
class Sweep:
    """A right-canonical MPS and the Schmidt values of its bonds."""

    mps: MPS
    """Its norm is in site 0."""
    values: tuple[dict[Charge, Array], ...]
    """For each inner bond, by charge, largest first."""


def sweep(mps: MPS, allowance: Allowance) -> Sweep:
    """Decompose from the last site to the first."""
    whole = canonicalise_mps(mps, mps.n_sites - 1)
    sites = [whole.site_blocks(site) for site in range(whole.n_sites)]
    weights = np.zeros(mps.n_sites - 1)
    values = []
    for site in range(mps.n_sites - 1, 0, -1):
        cut = _cut_left_bond(sites[site], allowance)
        sites[site], weights[site - 1] = cut.isometries, cut.weight
        sites[site - 1] = absorb_right(sites[site - 1], cut.gauge)
        values.append(cut.values)
    compressed = MPS.from_blocks(sites, mps.sites, window=(0, 0), discarded_weights=weights)
    return Sweep(compressed, tuple(reversed(values)))


@dataclass(frozen=True, eq=False, slots=True)
class _Cut:
    """One bond, cut."""

    isometries: Blocks
    """The site on its right."""
    gauge: Gauge
    """What goes to the left."""
    values: dict[Charge, Array]
    """Singular values kept."""
    weight: float
    """Squares of the others."""


def _cut_left_bond(blocks: Blocks, allowance: Allowance) -> _Cut:
    """Split a site from all that is left of it."""
    groups = by_charge(blocks, 0)
    matrices: dict[Charge, Array] = {
        charge: np.concatenate([blocks[key].reshape(len(blocks[key]), -1) for key in keys], axis=1)
        for charge, keys in groups.items()
    }
    found = {charge: cuts.split_left(matrix) for charge, matrix in matrices.items()}
    kept, weight = allowance.cut({charge: values for charge, (_, values, _) in found.items()})
    isometries: Blocks = {}
    gauge: Gauge = {}
    for charge, rank in kept.items():
        vectors, values, others = found[charge]
        gauge[charge] = vectors[:, :rank] * values[:rank]
        start = 0
        for key in groups[charge]:
            shape = blocks[key].shape
            stop = start + shape[1] * shape[2]
            isometries[key] = others[:rank, start:stop].reshape(rank, *shape[1:])
            start = stop
    schmidt = {charge: found[charge][1][:rank] for charge, rank in kept.items()}
    return _Cut(isometries, gauge, schmidt, weight)
