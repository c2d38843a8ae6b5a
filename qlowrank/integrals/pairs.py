# SPDX-License-Identifier: Apache-2.0
"""Two-electron integrals as a positive semidefinite matrix over pairs of orbitals.

A pair p ≥ q has index p(p+1)/2 + q. Everything behind the door `OrbitalPairs` can be decomposed
without ever holding the four-index tensor; `DensePairs` is the door to one that is held.
"""

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np

from qlowrank.checks import Array, InputError, readonly


class OrbitalPairs(Protocol):
    """(pq|rs) over pairs p ≥ q, r ≥ s, in Hartree, read by diagonal and columns."""

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        ...

    @property
    def index(self) -> np.ndarray:
        """Pair index of (p, q), shape (norb, norb), symmetric."""
        ...

    def diagonal(self) -> Array:
        """Return (pq|pq), shape (npair,), Hartree."""
        ...

    def columns(self, indices: np.ndarray) -> Array:
        """Return (pq|rs) for these pairs rs as rows, shape (len(indices), npair), Hartree."""
        ...

    def exchange_of_identity(self) -> Array:
        """Return Σ_r (pr|rq), shape (norb, norb), Hartree."""
        ...


@dataclass(frozen=True, eq=False)
class DensePairs:
    """Two-electron integrals held in memory."""

    packed: Array = field(metadata={"units": "hartree", "axes": "pair,pair"})
    """(pq|rs), shape (npair, npair), symmetric, Hartree."""

    def __post_init__(self) -> None:
        side = len(self.packed)
        object.__setattr__(self, "packed", readonly("two_body", self.packed, (side, side)))
        if self.norb * (self.norb + 1) // 2 != side:
            raise InputError(
                f"packed two_body must have norb (norb + 1) / 2 rows, such as 3, 6, 10; got {side}."
            )

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        return int((np.sqrt(8 * len(self.packed) + 1) - 1) / 2)

    @cached_property
    def index(self) -> np.ndarray:
        """Pair index of (p, q), shape (norb, norb), symmetric."""
        return pair_index(self.norb)

    def diagonal(self) -> Array:
        """Return (pq|pq), shape (npair,), Hartree."""
        return np.diagonal(self.packed)

    def columns(self, indices: np.ndarray) -> Array:
        """Return (pq|rs) for these pairs rs as rows, shape (len(indices), npair), Hartree."""
        return self.packed[indices]

    def exchange_of_identity(self) -> Array:
        """Return Σ_r (pr|rq), shape (norb, norb), Hartree."""
        exchange = np.zeros((self.norb, self.norb))
        for row in self.index:
            exchange += self.packed[np.ix_(row, row)]
        return exchange


def pair_index(norb: int) -> np.ndarray:
    """Return the index p(p+1)/2 + q of each pair p ≥ q, shape (norb, norb), symmetric.

    >>> pair_index(2)
    array([[0, 1],
           [1, 2]])
    """
    p, q = np.indices((norb, norb))
    high, low = np.maximum(p, q), np.minimum(p, q)
    return np.asarray(high * (high + 1) // 2 + low)


def pack(matrices: Array) -> Array:
    """Keep p ≥ q of symmetric matrices: (..., norb, norb) → (..., npair)."""
    norb = matrices.shape[-1]
    flat = matrices.reshape(*matrices.shape[:-2], norb * norb)
    return np.take(flat, _lower(norb), axis=-1, mode="clip")


def unpack(vectors: Array, norb: int) -> Array:
    """Restore symmetric matrices: (..., npair) → (..., norb, norb)."""
    return np.take(vectors, pair_index(norb), axis=-1)


@lru_cache(maxsize=8)
def _lower(norb: int) -> np.ndarray:
    """Where the pairs p ≥ q stand in a matrix without its axes."""
    rows, cols = np.tril_indices(norb)
    places = np.asarray(rows * norb + cols)
    places.flags.writeable = False
    return places
