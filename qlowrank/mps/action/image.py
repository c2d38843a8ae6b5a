# SPDX-License-Identifier: Apache-2.0
r"""A sum of operators applied to chains, :math:`|x\rangle = \sum_t \hat v_t |\psi_t\rangle`.

The image is itself a chain whose bonds are products of operator channels and states. It is never
written out: everything below is made of "apply the tensor of one site to many columns", done factor
by factor.

    E' ──┐        E: overlaps of all right parts with each other, (N, N) in each sector
    X  ──┤  = E   X: tensor of a site, operator times state, never formed
    X  ──┘
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qlowrank.checks import Array, InputError
from qlowrank.mps.action.density import Key, Sectors, density_matrix
from qlowrank.mps.action.one_body import ChainOperator
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import ORBITAL, Blocks, Charge, minus, plus


@dataclass(frozen=True, slots=True)
class Part:
    """States of a bond of the image that come from one kind of channel of one term."""

    span: slice
    """Where they stand in their sector."""
    shape: tuple[int, int]
    """(channels, states)."""


@dataclass(frozen=True, eq=False, slots=True)
class Move:
    """What one transition of one term does to one block."""

    left: Part
    right: Part
    state: Array
    """Block of the chain, (states on the left, states on the right)."""
    matrix: Array
    """Of the operator, (channels on the left, channels on the right)."""


class Image:
    """A sum of one-body operators applied to normalised or unnormalised chains.

    Args:
        terms: Operators and the chains they act on; all of one charge, with spatial orbitals as
            sites.

    Raises:
        InputError: Chains of other sites or different charges.
    """

    def __init__(self, *terms: tuple[ChainOperator, MPS]) -> None:
        if any(site != ORBITAL for _, mps in terms for site in mps.sites):
            raise InputError("One-body operators need chains with one site per spatial orbital.")
        if len({(mps.n_sites, mps.charge) for _, mps in terms}) != 1:
            raise InputError("All chains of an image must have the same sites and charge.")
        if any(len(operator.entries) != mps.n_sites for operator, mps in terms):
            raise InputError("Operators and chains must have the same number of sites.")
        self._terms = terms
        self.n_sites = terms[0][1].n_sites
        self._layouts = [self._layout(bond) for bond in range(self.n_sites + 1)]
        self._sizes = [_sizes(layout) for layout in self._layouts]

    def norm_squared(self) -> float:
        """Return ⟨x|x⟩, exactly."""
        (last,) = deque(self._environments(), maxlen=1)
        return float(sum(matrix.sum() for matrix in last.values()))

    def overlap(self, bra: MPS) -> float:
        """Return ⟨bra|x⟩, exactly."""
        charge = bra.bonds[0][0][0]
        columns: Sectors = {charge: np.ones((len(self._terms), 1))}
        for site in range(self.n_sites):
            blocks, moves = bra.site_blocks(site), self._moves(site)
            grown: Sectors = {}
            for (left, right), block in blocks.items():
                if left in columns and (left, right) in moves:
                    size = self._sizes[site + 1][right]
                    term = _push(moves[left, right], columns[left], size) @ block[:, 0]
                    grown[right] = grown[right] + term if right in grown else term
            columns = grown
        return float(sum(column.sum() for column in columns.values()))

    def compressed(self, *, max_bond: int, tolerance: float) -> MPS:
        """Return the best chain of at most `max_bond` states a bond, cut from left to right.

        Args:
            max_bond: Most states of a bond.
            tolerance: Share of ⟨x|x⟩ that may be cut off where `max_bond` does not bind.

        Returns:
            A projection of the image, all tensors but the last isometries. Its
            `discarded_weights` add up to ⟨x|x⟩ less its own squared norm.

        Source:
            The density matrix algorithm: I. P. McCulloch, J. Stat. Mech. (2007) P10014.
        """
        environments = list(self._environments())[::-1]
        squared = float(sum(matrix.sum() for matrix in environments[0].values()))
        budget = tolerance * squared / max(self.n_sites - 1, 1)
        kept: Sectors = {charge: np.ones((len(self._terms), 1)) for charge in environments[0]}
        sites: list[Blocks] = []
        weights = []
        for site in range(self.n_sites):
            moves, sizes = self._moves(site), self._sizes[site + 1]
            pushed = {
                key: _push(some, kept[key[0]], sizes[key[1]])
                for key, some in moves.items()
                if key[0] in kept
            }
            if site == self.n_sites - 1:
                last = {key: column.sum(axis=0)[:, None, None] for key, column in pushed.items()}
                sites.append(last)
                break
            noise = squared * np.finfo(float).eps * max(map(len, pushed.values()))
            density = density_matrix(pushed, environments[site + 1], noise)
            blocks, kept, weight = density.cut(budget, max_bond)
            sites.append(blocks)
            weights.append(weight)
        end = self.n_sites - 1
        return MPS.from_blocks(
            sites, [ORBITAL] * self.n_sites, window=(end, end), discarded_weights=np.array(weights)
        )

    def _environments(self) -> Iterator[Sectors]:
        """Yield overlaps of right parts, from the right end to the left end."""
        n_terms = len(self._terms)
        environment = {charge: np.ones((n_terms, n_terms)) for charge in self._sizes[-1]}
        yield environment
        for site in reversed(range(self.n_sites)):
            sizes = self._sizes[site]
            found = {charge: np.zeros((size, size)) for charge, size in sizes.items()}
            for (left, right), moves in self._moves(site).items():
                half = _pull(moves, environment[right], sizes[left])
                found[left] += _pull(moves, np.ascontiguousarray(half.T), sizes[left])
            environment = found
            yield environment

    def _layout(self, bond: int) -> dict[tuple[int, Charge, Charge], tuple[Charge, Part]]:
        """Where channels and states of each term stand: (term, added, charge) → sector, part."""
        ends: dict[Charge, int] = {}
        found = {}
        for number, (operator, mps) in enumerate(self._terms):
            for added, n_channels in operator.channels[bond].items():
                for charge, n_states in mps.bonds[bond]:
                    sector = plus(charge, added)
                    start = ends.get(sector, 0)
                    ends[sector] = start + n_channels * n_states
                    part = Part(slice(start, ends[sector]), (n_channels, n_states))
                    found[number, added, charge] = sector, part
        return found

    def _moves(self, site: int) -> dict[Key, list[Move]]:
        """All transitions at a site, by the sectors on its left and right."""
        found: dict[Key, list[Move]] = {}
        lefts, rights = self._layouts[site], self._layouts[site + 1]
        for number, (operator, mps) in enumerate(self._terms):
            blocks = mps.site_blocks(site)
            by_state: dict[int, list[tuple[Charge, Charge, Array]]] = {}
            for (left, right), block in blocks.items():
                state = ORBITAL.index(minus(right, left))
                by_state.setdefault(state, []).append((left, right, block[:, 0]))
            for entry in operator.entries[site]:
                for left, right, block in by_state.get(entry.ket, []):
                    sector_left, part_left = lefts[number, entry.left, left]
                    sector_right, part_right = rights[number, entry.right, right]
                    move = Move(part_left, part_right, block, entry.matrix)
                    found.setdefault((sector_left, sector_right), []).append(move)
        return found


def _sizes(layout: dict[tuple[int, Charge, Charge], tuple[Charge, Part]]) -> dict[Charge, int]:
    """Number of states of each sector."""
    found: dict[Charge, int] = {}
    for sector, part in layout.values():
        found[sector] = max(found.get(sector, 0), part.span.stop)
    return found


def _pull(moves: list[Move], columns: Array, size: int) -> Array:
    """Apply the tensor of a site to columns that live on its right; they then live on its left."""
    width = columns.shape[1]
    found = np.zeros((size, width))
    for move in moves:
        source = columns[move.right.span].reshape(*move.right.shape, width)
        carried = (move.state @ source).reshape(len(source), -1)
        found[move.left.span] += (move.matrix @ carried).reshape(-1, width)
    return found


def _push(moves: list[Move], columns: Array, size: int) -> Array:
    """Apply the transposed tensor of a site to columns that live on its left."""
    width = columns.shape[1]
    found = np.zeros((size, width))
    for move in moves:
        source = columns[move.left.span].reshape(*move.left.shape, width)
        carried = (move.state.T @ source).reshape(len(source), -1)
        found[move.right.span] += (move.matrix.T @ carried).reshape(-1, width)
    return found
