# SPDX-License-Identifier: Apache-2.0
"""Dense vectors without symmetry into chains: the exact route and a randomized one."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.mps import cuts, trains
from qlowrank.mps.cuts import Allowance
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import plain_site


class TrainMethod(Protocol):
    """How a dense vector becomes a train."""

    def __call__(self, vector: Array, dimension: int, n_sites: int) -> trains.Train:
        """Decompose a vector of length dimension**n_sites."""
        ...


@dataclass(frozen=True, slots=True)
class ExactTrain:
    """Singular value decompositions from both ends to the middle.

    The squared error is the sum of all discarded weights, so it is at most `tolerance` unless
    `max_bond` binds.
    """

    tolerance: float = 1e-10
    """Largest permitted error in the norm of the vector."""
    max_bond: int | None = None
    """Most states of a bond; None for no limit."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", cuts.tolerance(self.tolerance))
        object.__setattr__(self, "max_bond", cuts.max_bond(self.max_bond))

    def __call__(self, vector: Array, dimension: int, n_sites: int) -> trains.Train:
        """Decompose a vector of length dimension**n_sites."""
        allowance = Allowance(self.tolerance**2, n_sites - 1, self.max_bond)
        return trains.decompose(vector, dimension, n_sites, allowance)


def from_vector(vector: ArrayLike, site_dimension: int, method: Any = None) -> MPS:
    """Decompose a dense vector into a chain without symmetry.

    Args:
        vector: Shape (site_dimension**n_sites,), real; the first site varies slowest.
        site_dimension: States of a site, at least 2.
        method: `ql.ExactTrain(tolerance=..., max_bond=...)`, the default, or
            `ql.RandomizedTrain(...)`.

    Raises:
        InputError: A length that is no power of the site dimension; a vector that is zero or not
            finite.

    >>> import numpy as np
    >>> import qlowrank as ql
    >>> ql.MPS.from_vector(np.sin(np.arange(1024.0)), 2).bond_dimensions
    (2, 2, 2, 2, 2, 2, 2, 2, 2)
    """
    dimension = checks.whole("site_dimension", site_dimension)
    if dimension < 2:  # a site needs two states to hold anything
        raise InputError(f"site_dimension must be at least 2; got {dimension}.")
    array = np.asarray(vector)
    n_sites = _sites(array, dimension)
    array = checks.readonly("vector", array, array.shape)
    if not array.any():
        raise InputError("The vector is zero; it has no decomposition.")
    train = (method or ExactTrain())(array, dimension, n_sites)
    return MPS.from_blocks(
        [{((), ()): tensor} for tensor in train.tensors],
        [plain_site(dimension)] * n_sites,
        window=(train.centre, train.centre),
        discarded_weights=np.array(train.weights),
    )


def _sites(vector: np.ndarray, dimension: int) -> int:
    """Number of sites, or say that the length fits none."""
    n_sites = max(round(np.log(max(vector.size, 1)) / np.log(dimension)), 1)
    if vector.ndim != 1 or dimension**n_sites != vector.size:
        raise InputError(
            f"The vector must be one-dimensional with {dimension}**n_sites entries; got shape "
            f"{vector.shape}. Check site_dimension, or use mps_from_ci for a CI matrix."
        )
    return n_sites
