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
"""Into how many groups the exchange of the virtual orbitals is resolved, at most."""
HALVINGS = 20
"""How often the interval that holds the best cut is halved."""


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


def orbital_groups(orbitals: Array, nelec: tuple[int, int]) -> list[Integers]:
    r"""Split orbitals into groups: doubly and singly filled, and parts of the rest.

    If the residual were the same multiple of the identity in all pairs of rescaled atomic orbitals
    :math:`w_\mu \mu`, then :math:`R_{pq,pq} \propto s_p s_q` with
    :math:`s_p = \sum_\mu C_{\mu p}^2 / w_\mu^2`. The rest is cut, sorted by s, so that the largest
    s of a group times its sum, which its largest bound would be, is least for the worst group.
    No group is empty.

    Args:
        orbitals: C, shape (nao, norb), the filled ones first.
        nelec: Electrons of each spin.
    """
    high, low = max(nelec), min(nelec)
    squares = orbitals[np.any(orbitals != 0.0, axis=1)] ** 2
    share = np.sum(squares / squares.sum(axis=1, keepdims=True), axis=0)
    rest = high + np.argsort(-share[high:], kind="stable")
    parts = [np.arange(low), np.arange(low, high), *_cut(rest, share)]
    return [np.sort(part).astype(np.int64) for part in parts if len(part)]


def _cut(rest: Integers, share: Array) -> list[Integers]:
    """Cut orbitals, largest share first, into at most `GROUPS` groups, the worst one best."""
    total = float(share[rest].sum())
    low, high = 0.0, float(share[rest].max(initial=0.0)) * total
    for _ in range(HALVINGS):
        limit = (low + high) / 2
        low, high = (low, limit) if len(_within(rest, share, limit)) <= GROUPS else (limit, high)
    return _within(rest, share, high)


def _within(rest: Integers, share: Array, limit: float) -> list[Integers]:
    """Cut orbitals into as few groups as keep the largest share times the sum to a limit."""
    groups = []
    while len(rest):
        sums = share[rest[0]] * np.cumsum(share[rest])
        count = max(int(np.searchsorted(sums, limit, side="right")), 1)
        groups.append(rest[:count])
        rest = rest[count:]
    return groups


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
