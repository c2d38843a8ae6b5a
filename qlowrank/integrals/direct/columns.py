# SPDX-License-Identifier: Apache-2.0
"""One batch of shell pairs: their columns of integrals, transformed, and the fields they make.

A batch is a stateless task: `run` needs nothing but the task, so it can run anywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from qlowrank.checks import Array
from qlowrank.integrals.direct.shells import Integers, Rows, Shells, columns, positions
from qlowrank.integrals.pairs import pack, pair_index, unpack


@dataclass(frozen=True, eq=False, slots=True)
class ColumnsTask:
    """Which columns to compute, and what to make of them."""

    shells: Shells
    """The basis."""
    orbitals: Array = field(metadata={"units": "1", "axes": "function,orbital"})
    """Coefficients of the wanted orbitals, shape (nao, norb)."""
    pivots: Integers = field(metadata={"units": "1", "axes": "pivot"})
    """All pivots, as pairs of atomic orbitals."""
    members: Integers = field(metadata={"units": "1", "axes": "member"})
    """Positions of this batch's pivots: all those of some shell pairs."""
    densities: Array = field(metadata={"units": "1", "axes": "density,function,function"})
    """Symmetric densities whose fields are wanted, shape (n, nao, nao)."""


@dataclass(frozen=True, eq=False, slots=True)
class ColumnsResult:
    """What a batch gives."""

    metric: Array = field(metadata={"units": "hartree", "axes": "member,pivot"})
    """(P|Q) for the batch's pivots P and all pivots Q."""
    transformed: Array = field(metadata={"units": "hartree", "axes": "member,pair"})
    """(P|pq) over pairs p ≥ q of the wanted orbitals."""
    coulomb: Array = field(metadata={"units": "hartree", "axes": "density,function,function"})
    """J of integrals with these shell pairs, once added to its transpose."""
    exchange: Array = field(metadata={"units": "hartree", "axes": "density,function,function"})
    """K of integrals with these shell pairs, once added to its transpose."""


def batches(shells: Shells, pivots: Integers, size: int, done: int = 0) -> Iterator[Integers]:
    """Yield positions of pivots, whole shell pairs together, up to `size` at a time if they can.

    The first `done` of them are left out; these must be whole shell pairs too.
    """
    owner = shells.owner[pivots]
    order = np.argsort(owner, kind="stable")
    ends = np.flatnonzero(np.diff(owner[order], append=-1)) + 1
    ends = ends[ends > done]
    start = done
    for end, following in zip(ends, [*ends[1:], len(order) + size + 1], strict=True):
        if following - start > size:
            yield order[start:end]
            start = int(end)


def run(task: ColumnsTask) -> ColumnsResult:
    """Compute the columns of a batch, transform their rows, and add up their fields."""
    shells, nao = task.shells, task.shells.nao
    rows = Rows(shells)
    chosen = task.pivots[task.members]
    owner = shells.owner[chosen]
    buffer = np.empty((shells.widest, len(shells.owner)))
    packed = np.empty((len(chosen), len(shells.owner)))
    fields = _Fields(task)
    for shell_pair in np.unique(owner):
        inside = np.flatnonzero(owner == shell_pair)
        pair = shells.pairs[shell_pair]
        values = columns(shells, pair, rows, buffer)
        packed[inside] = values[positions(shells.functions(pair), chosen[inside])]
        fields.add(pair, values)
    half = unpack(packed, nao).reshape(len(chosen) * nao, nao) @ task.orbitals
    half = half.reshape(len(chosen), nao, -1)
    return ColumnsResult(
        metric=packed[:, task.pivots],
        transformed=pack(task.orbitals.T @ half),
        coulomb=unpack(fields.coulomb, nao),
        exchange=fields.exchange + fields.exchange.transpose(0, 2, 1),
    )


class _Fields:
    r"""J and K of all integrals that have a pivot's shell pair on either side.

    Let F be these shell pairs. A column holds (μν|kl) with kl in F and every μν. Integrals with
    both pairs in F come twice in all columns, those with one come once and stand for their mirror
    image as well; so those rows in F are halved here, and the sum of a field and its mirror image
    counts everything once. What has neither pair in F is left to PySCF's direct build.
    """

    def __init__(self, task: ColumnsTask) -> None:
        shells = task.shells
        self._shells, self._densities = shells, task.densities
        inside = np.zeros(len(shells.pairs), dtype=bool)
        inside[shells.owner[task.pivots]] = True
        self._weights = np.where(inside[shells.owner], 0.5, 1.0)
        low, high = np.tril_indices(shells.nao)
        twice = np.where(low == high, 1.0, 2.0)
        self._packed = task.densities[:, low, high] * twice
        self._index = pair_index(shells.nao)
        self.coulomb = np.zeros(self._packed.shape)
        self.exchange = np.zeros(task.densities.shape)

    def add(self, pair: Integers, values: Array) -> None:
        """Take in the columns of one shell pair, as `columns` returns them."""
        if not len(self._densities):
            return
        first, second = (slice(*self._shells.starts[s : s + 2]) for s in pair)
        values = values * self._weights
        functions, once = np.unique(self._shells.functions(pair), return_index=True)
        self.coulomb += self._packed[:, functions] @ values[once]
        self.coulomb[:, functions] += self._packed @ values[once].T
        shape = (first.stop - first.start, second.stop - second.start, *self._index.shape)
        full = values[:, self._index].reshape(shape)
        # K_mu,k = sum over l, nu of (mu nu|kl) D_nu,l
        self.exchange[:, :, first] += _contracted(full, self._densities[:, :, second])
        if pair[0] != pair[1]:
            swapped = full.transpose(1, 0, 2, 3)
            self.exchange[:, :, second] += _contracted(swapped, self._densities[:, :, first])


def _contracted(full: Array, densities: Array) -> Array:
    """Return Σ_lν A_klμν D_dνl, shape (d, μ, k)."""
    by_last = np.ascontiguousarray(densities.transpose(2, 1, 0))
    return np.asarray(np.matmul(full, by_last).sum(axis=1).transpose(2, 1, 0))
