# SPDX-License-Identifier: Apache-2.0
"""Where compression begins."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.problem import Point
from qlowrank.factorization.compression.record import CompressedFactorization
from qlowrank.factorization.record import DoubleFactorization


class Start(Protocol):
    """A frozen object that makes a starting point."""

    @property
    def seed(self) -> int | None:
        """Seed of what is random; None where nothing is."""
        ...

    def __call__(self, factorization: DoubleFactorization, n_leaves: int) -> Point:
        """Return leaves and cores to begin with."""
        ...


@dataclass(frozen=True, slots=True)
class LargestLeaves:
    """Begin with the explicit leaves of largest norm and their rank-one cores.

    Where more are wanted than there are, the rest begin as random frames with empty cores. (Cores
    of least squares begin lower, but end higher in every case tried: they fill all cores with
    large numbers of both signs before the frames have turned.)
    """

    seed: int = 0
    """Of the frames beyond those of the factorization."""

    def __post_init__(self) -> None:
        checked_seed(self.seed)

    def __call__(self, factorization: DoubleFactorization, n_leaves: int) -> Point:
        """Return leaves and cores to begin with."""
        sizes = np.sum(factorization.eigenvalues**2, axis=1)
        chosen = np.argsort(-sizes, kind="stable")[:n_leaves]
        norb, missing = factorization.norb, n_leaves - len(chosen)
        values = factorization.eigenvalues[chosen]
        frames = random_frames(missing, norb, np.random.default_rng(self.seed))
        return Point(
            leaves=np.concatenate([factorization.leaves[chosen], frames]),
            cores=np.concatenate(
                [values[:, :, None] * values[:, None, :], np.zeros((missing, norb, norb))]
            ),
        )


@dataclass(frozen=True, slots=True)
class RandomLeaves:
    """Begin with random frames, each with an equal share of the integrals' mean core.

    It breaks every symmetry that the explicit leaves have, which no gradient would: on long chains
    in canonical orbitals it ends lower.
    """

    seed: int = 0
    """Seed of the frames."""

    def __post_init__(self) -> None:
        checked_seed(self.seed)

    def __call__(self, factorization: DoubleFactorization, n_leaves: int) -> Point:
        """Return leaves and cores to begin with."""
        norb = factorization.norb
        traces = factorization.eigenvalues.sum(axis=1)
        share = float(traces @ traces) / (max(norb, 1) ** 2 * n_leaves)
        return Point(
            leaves=random_frames(n_leaves, norb, np.random.default_rng(self.seed)),
            cores=np.full((n_leaves, norb, norb), share),
        )


@dataclass(frozen=True, eq=False, slots=True)
class Continue:
    """Begin where an earlier compression of the same integrals ended."""

    previous: CompressedFactorization
    """The earlier result; it must have as many leaves as are wanted now, or fewer."""
    seed: int = 0
    """Of the frames beyond its own, which begin with empty cores."""

    def __post_init__(self) -> None:
        checked_seed(self.seed)
        if not isinstance(self.previous, CompressedFactorization):
            raise InputError(
                f"previous must be a CompressedFactorization; got a {type(self.previous).__name__}."
            )

    def __call__(self, factorization: DoubleFactorization, n_leaves: int) -> Point:
        """Return leaves and cores to begin with."""
        before = self.previous
        if before.norb != factorization.norb or before.n_leaves > n_leaves:
            raise InputError(
                f"The earlier compression has {before.n_leaves} leaves of {before.norb} orbitals; "
                f"to continue with {n_leaves} leaves of {factorization.norb} orbitals it needs the "
                "same orbitals and no more leaves than that."
            )
        missing = n_leaves - before.n_leaves
        frames = random_frames(missing, before.norb, np.random.default_rng(self.seed))
        return Point(
            leaves=np.concatenate([before.leaves, frames]),
            cores=np.concatenate([before.cores, np.zeros((missing, before.norb, before.norb))]),
        )


def random_frames(count: int, norb: int, generator: np.random.Generator) -> Array:
    """Return random orthogonal matrices, shape (count, norb, norb)."""
    noise = generator.standard_normal((count, norb, norb))
    return np.asarray(np.linalg.qr(noise)[0]) if norb else noise


def checked_seed(seed: int) -> int:
    """Return a seed that NumPy takes."""
    number = checks.whole("seed", seed)
    if number < 0:
        raise InputError(f"seed must be at least 0; got {number}.")
    return number
