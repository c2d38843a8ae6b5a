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

    tolerance: float = 1e-12
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


@dataclass(frozen=True, slots=True)
class RandomizedTrain:
    """The middle bond from a random sketch, the other bonds from it, exactly.

    Much cheaper than `ExactTrain` where the middle bond is small, at an error that is measured and
    reported in `discarded_weights` but not promised: it is near the best for rank `max_bond` when
    the singular values beyond it decay.

    Source:
        Halko, Martinsson and Tropp, SIAM Rev. 53, 217 (2011), algorithms 4.4 and 5.1; for trains
        Huber, Schneider and Wolf (2017).
    """

    max_bond: int
    """Most states of a bond."""
    seed: int = 0
    """Of the sketch; the same seed gives the same bytes."""
    oversampling: int = 10
    """Extra columns of the sketch."""
    power_iterations: int = 1
    """Times that the matrix is applied back and forth to sharpen the sketch."""
    tolerance: float = 1e-10
    """Error that smaller bonds than `max_bond` may make."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", cuts.tolerance(self.tolerance))
        object.__setattr__(self, "max_bond", cuts.max_bond(checks.whole("max_bond", self.max_bond)))
        for name in ("seed", "oversampling", "power_iterations"):
            number = checks.whole(name, getattr(self, name))
            if number < 0:
                raise InputError(f"{name} must be at least 0; got {number}.")
            object.__setattr__(self, name, number)

    def __call__(self, vector: Array, dimension: int, n_sites: int) -> trains.Train:
        """Decompose a vector of length dimension**n_sites."""
        allowance = Allowance(self.tolerance**2, n_sites - 1, self.max_bond)
        if n_sites == 1:
            return trains.decompose(vector, dimension, n_sites, allowance)
        matrix = vector.reshape(dimension ** (n_sites // 2), -1)
        basis = self._range(matrix)
        projected = basis.T @ matrix
        missed = float(np.linalg.norm(matrix - basis @ projected)) ** 2
        vectors, values, others = cuts.svd(projected)
        kept, weight = allowance.cut({(): values})
        rank = kept[()]
        left = basis @ (vectors[:, :rank] * values[:rank])
        right = values[:rank, None] * others[:rank]
        return trains.join(left, right, missed + weight, dimension, allowance)

    def _range(self, matrix: Array) -> Array:
        """Orthonormal columns that nearly span the range of a matrix."""
        columns = min(self.max_bond + self.oversampling, *matrix.shape)
        sketch = np.random.default_rng(self.seed).standard_normal((matrix.shape[1], columns))
        basis, _ = np.linalg.qr(matrix @ sketch)
        for _ in range(self.power_iterations):
            back, _ = np.linalg.qr(matrix.T @ basis)
            basis, _ = np.linalg.qr(matrix @ back)
        return basis


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
        window=train.window,
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
