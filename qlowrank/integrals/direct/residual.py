# SPDX-License-Identifier: Apache-2.0
r"""What the shells' factors left out, bounded in molecular orbitals without any N⁴ object.

The residual R of the first decomposition is positive semidefinite, so each (pq|pq) of it is at
most the sum over a group g of orbitals that q belongs to,

.. math:: R_{pq,pq} \le B_g(p) = \sum_{r \in g} R_{pr,pr}
          = K^g_{pp} - \sum_{r \in g} \sum_t (L^t_{pr})^2,

where K^g is the exact exchange matrix of the density :math:`\sum_{r \in g} C_r C_r^T`. By the
symmetry of the pair the smaller of B_g(p), q in g, and B_g'(q), p in g', counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from qlowrank.checks import Array
from qlowrank.integrals.direct.shells import Integers

GROUPS = 4
"""Into how many groups of neighbouring orbitals the exchange of the virtual ones is resolved."""


@dataclass(frozen=True, eq=False, slots=True)
class ExactExchange:
    """Exchange matrices of groups of orbitals, from exact integrals."""

    groups: Sequence[Integers]
    """Indices of the orbitals in each group."""
    matrices: Array = field(metadata={"units": "hartree", "axes": "group,orbital,orbital"})
    """Σ_{r in g} (pr|rq), shape (n_groups, norb, norb), Hartree."""

    @property
    def total(self) -> Array:
        """Σ_r (pr|rq), shape (norb, norb), Hartree."""
        return np.asarray(self.matrices.sum(axis=0))


def orbital_groups(norb: int, nelec: tuple[int, int]) -> list[Integers]:
    """Split orbitals into groups of neighbours: doubly and singly filled, and parts of the rest.

    No group is empty.
    """
    high, low = max(nelec), min(nelec)
    filled = [np.arange(low), np.arange(low, high)]
    parts = [*filled, *np.array_split(np.arange(high, norb), GROUPS)]
    return [part.astype(np.int64) for part in parts if len(part)]


def residual_bounds(exchange: ExactExchange, squares: Array) -> Array:
    """Return an upper bound of each R_pq,pq, shape (norb, norb), Hartree.

    Args:
        exchange: From exact integrals.
        squares: Σ_t (L_tpq)², shape (norb, norb).
    """
    sums = np.empty(squares.shape)  # sums[p, q] = B_g(p) of the group that q is in
    for group, matrix in zip(exchange.groups, exchange.matrices, strict=True):
        sums[:, group] = (np.diagonal(matrix) - squares[:, group].sum(axis=1))[:, None]
    return np.minimum(sums, sums.T)
