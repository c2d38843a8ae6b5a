# SPDX-License-Identifier: Apache-2.0
"""The density matrix of one bond of an image, and what is kept of it."""

from dataclasses import dataclass

import numpy as np

from qlowrank.checks import Array
from qlowrank.mps import cuts
from qlowrank.mps.sectors import Blocks, Charge

Sectors = dict[Charge, Array]
"""Charge of a bond → an array for its sector."""
Key = tuple[Charge, Charge]
"""Charges on the left and on the right of a site."""


@dataclass(frozen=True, eq=False, slots=True)
class DensityMatrix:
    """Eigenvectors of the density matrix of one bond, sector by sector."""

    pushed: dict[Key, Array]
    """What was kept on the left, carried over the site: (states of the image, states kept)."""
    weights: Sectors
    """Square roots of the eigenvalues, largest first."""
    vectors: Sectors
    """Eigenvectors as columns; rows run over the blocks that lead to the sector, in their order."""

    def cut(self, budget: float, max_bond: int) -> tuple[Blocks, Sectors, float]:
        """Keep the heaviest eigenvectors of all sectors.

        Args:
            budget: Sum of eigenvalues that may be cut off.
            max_bond: Most eigenvectors kept.

        Returns:
            Tensor of the site, columns kept on its right, and the sum of eigenvalues cut off.
        """
        numbers, weight = cuts.select(self.weights, budget, max_bond)
        blocks: Blocks = {}
        kept: Sectors = {}
        starts = dict.fromkeys(numbers, 0)
        for key, columns in self.pushed.items():
            right = key[1]
            if right not in numbers:
                continue
            rows = slice(starts[right], starts[right] + columns.shape[1])
            starts[right] = rows.stop
            block = self.vectors[right][rows, : numbers[right]]
            blocks[key] = block[:, None, :]
            term = columns @ block
            kept[right] = kept[right] + term if right in kept else term
        return blocks, kept, weight


def density_matrix(pushed: dict[Key, Array], environment: Sectors, noise: float) -> DensityMatrix:
    """Diagonalise the density matrix of the states on the left of a bond.

    Args:
        pushed: What was kept on the left, carried over the site.
        environment: Overlaps of the right parts.
        noise: Eigenvalues up to this are rounding, and count as zero.
    """
    groups: dict[Charge, list[Array]] = {}
    for key, columns in pushed.items():
        groups.setdefault(key[1], []).append(columns)
    weights, vectors = {}, {}
    for right, group in groups.items():
        stack = np.hstack(group)
        density = stack.T @ (environment[right] @ stack)
        values, columns = np.linalg.eigh((density + density.T) / 2)
        weights[right] = np.sqrt(np.where(values > noise, values, 0.0))[::-1]
        vectors[right] = columns[:, ::-1]
    return DensityMatrix(pushed, weights, vectors)
