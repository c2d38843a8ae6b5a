# SPDX-License-Identifier: Apache-2.0
"""Where hypercontraction begins: vectors chosen from many candidates by pivoted Cholesky."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.start import checked_seed
from qlowrank.hamiltonian.record import Hamiltonian


class PointMethod(Protocol):
    """A frozen object that chooses the points to begin with."""

    @property
    def seed(self) -> int | None:
        """Seed of what is random; None where nothing is."""
        ...

    def __call__(self, hamiltonian: Hamiltonian, n_points: int) -> Array:
        """Return points as unit columns, shape (norb, n_points)."""
        ...


@dataclass(frozen=True, slots=True)
class LeafPoints:
    """Choose among the rotated orbitals of all leaves; needs nothing but the integrals.

    Each column of a leaf is weighted by the root of its eigenvalue.
    """

    seed: int = 0
    """Of points beyond what the leaves offer."""

    def __post_init__(self) -> None:
        checked_seed(self.seed)

    def __call__(self, hamiltonian: Hamiltonian, n_points: int) -> Array:
        """Return points as unit columns, shape (norb, n_points)."""
        values, frames = np.linalg.eigh(hamiltonian.factors)
        weighted = frames * np.sqrt(np.abs(values))[:, None, :]
        candidates = weighted.transpose(1, 0, 2).reshape(hamiltonian.norb, -1)
        return chosen_points(candidates, n_points, np.random.default_rng(self.seed))


@dataclass(frozen=True, slots=True)
class GridPoints:
    """Choose among the values of all orbitals at the points of a molecule's integration grid.

    The interpolative start: a product of orbitals, a function of space, is interpolated between
    the points; candidates are weighted by the fourth root of their grid weights.

    Source:
        J. Lu, L. Ying, J. Comput. Phys. 302, 329 (2015); D. A. Matthews, J. Chem. Theory Comput.
        16, 1382 (2020) (pivoted Cholesky on a grid).
    """

    molecule: Any
    """PySCF's `Mole`."""
    orbitals: Any
    """Coefficients of the Hamiltonian's orbitals, shape (n_atomic_orbitals, norb)."""
    level: int = 1
    """Fineness of PySCF's Becke grid, 0 to 9."""
    seed: int = 0
    """Of points beyond what the grid offers."""

    def __post_init__(self) -> None:
        checked_seed(self.seed)
        if not 0 <= checks.whole("level", self.level) <= 9:
            raise InputError(f"level must be from 0 to 9; got {self.level}.")

    def __call__(self, hamiltonian: Hamiltonian, n_points: int) -> Array:
        """Return points as unit columns, shape (norb, n_points)."""
        from pyscf import dft

        shape = (self.molecule.nao, hamiltonian.norb)
        orbitals = checks.readonly("orbitals", self.orbitals, shape)
        grid = dft.gen_grid.Grids(self.molecule)
        grid.level = int(self.level)
        grid.verbose = 0
        grid.build()
        values = self.molecule.eval_gto("GTOval", grid.coords) @ orbitals
        candidates = (values * np.abs(grid.weights)[:, None] ** 0.25).T
        return chosen_points(candidates, n_points, np.random.default_rng(self.seed))


@dataclass(frozen=True, slots=True)
class RandomPoints:
    """Begin with random directions."""

    seed: int = 0
    """Seed of the directions."""

    def __post_init__(self) -> None:
        checked_seed(self.seed)

    def __call__(self, hamiltonian: Hamiltonian, n_points: int) -> Array:
        """Return points as unit columns, shape (norb, n_points)."""
        return _directions(hamiltonian.norb, n_points, np.random.default_rng(self.seed))


def chosen_points(candidates: Array, n_points: int, generator: np.random.Generator) -> Array:
    r"""Choose candidates whose squares are most independent, and normalise them.

    Pivots of the Cholesky decomposition of the Gram matrix :math:`(c_i \cdot c_j)^2` of the
    squares :math:`c_i c_i^T`, column by column, never the matrix. Where the candidates are
    exhausted, random directions follow.

    Args:
        candidates: c as columns, shape (norb, n_candidates).
        n_points: How many to choose.
        generator: Of what is missing.
    """
    norb, count = candidates.shape
    residual = np.einsum("pi,pi->i", candidates, candidates) ** 2
    floor = 64 * float(np.finfo(float).eps) * float(residual.max(initial=0.0)) * max(count, 1)
    vectors = np.empty((min(n_points, count), count))
    pivots: list[int] = []
    while len(pivots) < min(n_points, count) and residual.max() > floor:
        pivot, rank = int(np.argmax(residual)), len(pivots)
        column = (candidates[:, pivot] @ candidates) ** 2
        column -= vectors[:rank, pivot] @ vectors[:rank]
        vectors[rank] = column / np.sqrt(residual[pivot])
        residual -= vectors[rank] ** 2
        residual[pivot] = 0.0
        pivots.append(pivot)
    found = candidates[:, pivots]
    found = found / np.linalg.norm(found, axis=0)
    missing = _directions(norb, n_points - len(pivots), generator)
    return np.concatenate([found, missing], axis=1)


def _directions(norb: int, count: int, generator: np.random.Generator) -> Array:
    """Return random unit columns, shape (norb, count)."""
    noise = generator.standard_normal((norb, count))
    return np.asarray(noise / np.linalg.norm(noise, axis=0))
