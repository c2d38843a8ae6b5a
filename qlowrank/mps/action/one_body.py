# SPDX-License-Identifier: Apache-2.0
r"""One-body operators as chains of sparse tensors, no longer than their off-diagonal ranks.

.. math:: \hat v = c + \sum_{\sigma pq} v^\sigma_{pq} a^\dagger_{p\sigma} a_{q\sigma}

Cut at a bond, an operator is: nothing yet on the left, all of it on the left, or an electron
created (or annihilated) on the left that is annihilated (created) on the right. The last two need
as many channels for each spin as the block of v^σ between left and right has rank.
"""

from dataclasses import dataclass

import numpy as np

from qlowrank.checks import Array
from qlowrank.mps.sectors import Charge, minus

SPINS: tuple[Charge, Charge] = ((1, 0), (0, 1))
NEUTRAL: Charge = (0, 0)

ANNIHILATORS = np.zeros((2, 4, 4))
"""a_α and a_β on the states empty, α, β, αβ = a†_α a†_β |0⟩."""
ANNIHILATORS[0, 0, 1] = ANNIHILATORS[0, 2, 3] = ANNIHILATORS[1, 0, 2] = 1.0
ANNIHILATORS[1, 1, 3] = -1.0
PARITY = np.diag([1.0, -1.0, -1.0, 1.0])
NUMBERS = np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]])


@dataclass(frozen=True, eq=False, slots=True)
class Entry:
    """One local transition, for all channels of one kind on the left and on the right."""

    left: Charge
    """Charge that the operator has added to the left of the site."""
    right: Charge
    """The same, the site included."""
    bra: int
    """Local state it leads to."""
    ket: int
    """Local state it acts on."""
    matrix: Array
    """Shape (channels on the left, channels on the right)."""


@dataclass(frozen=True, eq=False, slots=True)
class ChainOperator:
    """An operator on a chain of spatial orbitals."""

    channels: tuple[dict[Charge, int], ...]
    """For each bond, ends included: charge added on the left → number of channels."""
    entries: tuple[tuple[Entry, ...], ...]
    """For each site, what the operator does there."""
    error: float
    """Frobenius norm of what was cut off from the matrices."""

    @property
    def max_bond_dimension(self) -> int:
        """Most channels of a bond."""
        return max(sum(bond.values()) for bond in self.channels)


def one_body_operator(
    matrices: Array, *, constant: float = 0.0, cutoff: float = 1e-9
) -> ChainOperator:
    """Write a one-body operator as a chain.

    Args:
        matrices: v^α and v^β over the sites, symmetric, shape (2, norb, norb).
        constant: c.
        cutoff: Singular values of off-diagonal blocks below this share of the matrices' norm are
            left out.

    >>> hopping = np.diag(np.ones(3), 1) + np.diag(np.ones(3), -1)
    >>> one_body_operator(np.array([hopping, hopping])).max_bond_dimension
    6
    """
    norb = matrices.shape[1]
    threshold = cutoff * float(np.linalg.norm(matrices))
    rests = [np.zeros((0, norb)), np.zeros((0, norb))]
    channels: list[dict[Charge, int]] = [{NEUTRAL: 1}]
    entries = []
    lost = 0.0
    for site in range(norb):
        own = constant * (site == 0) + matrices[:, site, site] @ NUMBERS
        found = [_neutral(state, own[state], site, norb) for state in range(4)]
        bond = {NEUTRAL: 1 if site == norb - 1 else 2}
        for spin, charge in enumerate(SPINS):
            finish = rests[spin][:, :1]
            grown = np.vstack([rests[spin][:, 1:], matrices[spin, site : site + 1, site + 1 :]])
            vectors, rests[spin], cut = _ranked(grown, threshold)
            lost += cut
            rank = vectors.shape[1]
            neutral = channels[-1][NEUTRAL], bond[NEUTRAL]
            found += _moving(spin, charge, vectors, finish, neutral)
            if rank:
                bond |= {charge: rank, minus(NEUTRAL, charge): rank}
        entries.append(tuple(entry for entry in found if entry.matrix.size and entry.matrix.any()))
        channels.append(bond)
    return ChainOperator(tuple(channels), tuple(entries), float(np.sqrt(2 * lost)))


def _neutral(state: int, value: float, site: int, norb: int) -> Entry:
    """Nothing, all of it here, or all of it before: rows nothing and all, columns the same."""
    matrix = np.array([[1.0, value], [0.0, 1.0]])
    rows = slice(0, 1) if site == 0 else slice(None)
    columns = slice(1, 2) if site == norb - 1 else slice(None)
    return Entry(NEUTRAL, NEUTRAL, state, state, matrix[rows, columns])


def _moving(
    spin: int, charge: Charge, vectors: Array, finish: Array, neutral: tuple[int, int]
) -> list[Entry]:
    """Start, carry on and finish the hops of one spin, in both directions."""
    before, rank = len(finish), vectors.shape[1]
    start = np.zeros((neutral[0], rank))
    start[0] = vectors[before]  # from the channel where nothing has happened yet
    end = np.zeros((before, neutral[1]))
    end[:, -1:] = finish  # to the channel where all has happened
    annihilate = ANNIHILATORS[spin]
    found = []
    for local, step, added in (
        (annihilate.T @ PARITY, annihilate, charge),
        (PARITY @ annihilate, annihilate.T, minus(NEUTRAL, charge)),
    ):
        found += _entries(local, NEUTRAL, added, start)
        found += _entries(PARITY, added, added, vectors[:before])
        found += _entries(step, added, NEUTRAL, end)
    return found


def _entries(local: Array, left: Charge, right: Charge, matrix: Array) -> list[Entry]:
    """One entry for each element of a local operator."""
    return [
        Entry(left, right, int(bra), int(ket), local[bra, ket] * matrix)
        for bra, ket in np.argwhere(local)
    ]


def _ranked(block: Array, threshold: float) -> tuple[Array, Array, float]:
    """Split a block into orthonormal columns and the rest; return the squares left out, too."""
    if not block.shape[1]:
        return np.zeros((len(block), 0)), np.zeros((0, 0)), 0.0
    vectors, values, rows = np.linalg.svd(block, full_matrices=False)
    rank = int(np.count_nonzero(values > threshold))
    lost = float(np.sum(values[rank:] ** 2))
    return vectors[:, :rank], values[:rank, None] * rows[:rank], lost
