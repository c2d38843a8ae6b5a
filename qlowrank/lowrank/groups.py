# SPDX-License-Identifier: Apache-2.0
"""Groups of things that belong together, named from a matrix of affinities."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.lowrank.nonnegative import NonnegativeFactorization, NonnegativeFit, by_size
from qlowrank.lowrank.svd import real_matrix


@dataclass(frozen=True, eq=False)
class AffinityGroups:
    """Which things belong together, and how much each belongs to each group."""

    weights: Array = field(metadata={"units": "1", "axes": "thing,group"})
    """Share of each thing in each group, shape (n, n_groups); its rows add up to one, or are zero
    for a thing without affinity to any other. Largest group first."""
    fit: NonnegativeFit
    """The parts of the matrix."""

    def __post_init__(self) -> None:
        weights = real_matrix(self.weights, "weights")
        object.__setattr__(self, "weights", weights)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Group of each thing, shape (n,): where its share is largest; -1 for one without any."""
        found = np.argmax(self.weights, axis=1)
        return np.where(self.weights.any(axis=1), found, -1)

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The things of each group, in order."""
        return tuple(
            tuple(np.flatnonzero(self.labels == group).tolist())
            for group in range(self.weights.shape[1])
        )

    def __repr__(self) -> str:
        """Name the groups."""
        return f"AffinityGroups({', '.join(str(list(group)) for group in self.groups)})"


def affinity_groups(affinity: ArrayLike, n_groups: int, *, seed: int = 0) -> AffinityGroups:
    r"""Name groups by the non-negative parts of a symmetric matrix of affinities.

    .. math:: A_{pq} \approx \sum_g W_{pg} H_{qg} \quad (p \ne q), \qquad W, H \ge 0

    For the mutual information of orbitals, the parts are sets of orbitals that are correlated among
    themselves: bonds, lone pairs, shells. What a thing has in common with itself says nothing about
    groups, so the diagonal is left out of the fit.

    Args:
        affinity: A, shape (n, n), symmetric, at least zero; the diagonal is not read.
        n_groups: Number of groups, from 1 to n.
        seed: Of the starts.

    Raises:
        InputError: The matrix is not symmetric or has negative entries, or there are more groups
            than things.

    Source:
        D. Kuang, S. Yun, H. Park, J. Global Optim. 62, 545 (2015), for groups from such factors.

    >>> affinity = np.kron(np.eye(2), np.ones((2, 2)))[[0, 2, 1, 3]][:, [0, 2, 1, 3]]
    >>> affinity_groups(affinity, 2).groups
    ((0, 2), (1, 3))
    """
    matrix = checks.symmetric("affinity", affinity, len(real_matrix(affinity, "affinity")))
    if not 1 <= checks.whole("n_groups", n_groups) <= len(matrix):
        raise InputError(
            f"n_groups must lie between 1 and {len(matrix)}, the number of things; got {n_groups}."
        )
    apart = ~np.eye(len(matrix), dtype=bool)
    matrix = np.where(apart, matrix, 0.0)
    fit = NonnegativeFactorization(rank=n_groups, seed=seed)(matrix, known=apart)
    shares = fit.left * fit.right.sum(axis=0) + fit.right * fit.left.sum(axis=0)
    total = shares.sum(axis=1, keepdims=True)
    weights = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    order = by_size(weights.sum(axis=0), weights)
    return AffinityGroups(weights=weights[:, order], fit=fit)
