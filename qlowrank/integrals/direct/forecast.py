# SPDX-License-Identifier: Apache-2.0
"""What a decomposition will take, before it begins: vectors, memory, scratch space and time.

Integrals and matrix products are timed for a moment on this machine; how many of each there will
be is estimated from the basis and the tolerance.
"""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.integrals.direct.budget import enough_for_a_shell_pair
from qlowrank.integrals.direct.expected import pivots_expected, vectors_expected
from qlowrank.integrals.direct.read import FIRST, LARGE
from qlowrank.integrals.direct.shells import Rows, Shells, columns, shells_of
from qlowrank.lowrank.threads import workers
from qlowrank.memory import available_memory

SAMPLES = 6
"""Shell pairs that are timed."""
SIDE = 512
"""Side of the matrices that are multiplied for timing."""
EIGEN = 40.0
"""Time of a symmetric eigendecomposition over that of the cube of its side in multiplications."""
SHELL_PAIRS = 1.5
"""Columns in the shell pairs of pivots, for each pivot."""
FIELDS = 2.0
"""Time of an integral that goes into fields over that of one in a column."""
OWN = 1.5e8
"""Bytes that Python and its libraries take."""
SMALLEST = 1e-12
"""Hartree; what a tolerance of zero comes to."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected, to a factor of about two. Make one with `forecast`."""

    norb: int
    """Orbitals."""
    rank: int
    """Cholesky vectors."""
    memory: float = field(metadata={"units": "byte"})
    """Most memory held at a time, bytes."""
    scratch: float = field(metadata={"units": "byte"})
    """Space in scratch files, bytes."""
    seconds: float = field(metadata={"units": "second"})
    """Time of integrals, decomposition and leaves, seconds."""

    def __str__(self) -> str:
        """Say it in one line."""
        scratch = f" and {self.scratch / 1e9:.1f} GB of scratch files" if self.scratch else ""
        return (
            f"expecting about {self.rank} Cholesky vectors over {self.norb} orbitals, "
            f"{self.memory / 1e9:.2g} GB of memory{scratch}, and {_duration(self.seconds)} after "
            "the mean field"
        )


def forecast(
    mol: Any, *, tolerance: float, norb: int | None = None, max_memory: float | None = None
) -> Forecast:
    """Estimate what `ql.from_pyscf` and `ql.double_factorize` will take for a large molecule.

    Args:
        mol: PySCF's molecule.
        tolerance: As for `ql.from_pyscf`, Hartree.
        norb: Active orbitals; all by default.
        max_memory: As for `ql.from_pyscf`, bytes.

    Raises:
        InputError: A tolerance or an amount of memory that cannot be, or too little of it.

    >>> from pyscf import gto
    >>> mol = gto.M(atom="N 0 0 0; N 0 0 1.1", basis="cc-pvtz", verbose=0)
    >>> expected = forecast(mol, tolerance=1e-6)
    >>> expected.norb, expected.scratch
    (60, 0.0)
    >>> expected.seconds > 0
    True
    """
    asked = max(checks.tolerance(tolerance), SMALLEST)
    memory = available_memory() if max_memory is None else max_memory
    memory = checks.positive("max_memory", memory)
    shells = shells_of(mol)
    enough_for_a_shell_pair(shells, memory)
    norb = shells.nao if norb is None else norb
    pairs, functions = norb * (norb + 1) // 2, shells.nao * (shells.nao + 1) // 2
    pivots = pivots_expected(shells.nao, asked * FIRST)
    rank = min(vectors_expected(norb, asked), pivots)
    stay = min(vectors_expected(norb, asked * LARGE), rank)
    found, turned, squares = pivots * functions, pivots * pairs, rank * norb**2
    together = [(found, turned), (turned, squares), (squares, squares)]
    held = max(sum(8.0 * n for n in arrays if 8.0 * n <= memory / 3) for arrays in together)
    large = (8.0 * n for n in (found, turned, squares, squares) if 8.0 * n > memory / 3)
    scratch = sum(large, 0.0)
    products = (
        pivots**2 * functions / 2
        + 2 * pivots * (shells.nao**2 * norb + shells.nao * norb**2)
        + (rank - stay) * (pivots - stay) * pairs
        + EIGEN * rank * norb**3
    )
    with workers() as team:
        seconds = (_integrals(shells, pivots) + products / _rate()) / team.count
    return Forecast(
        norb, rank, min(OWN + held + 24.0 * pivots**2, max(memory, OWN)), scratch, seconds
    )


def _integrals(shells: Shells, pivots: int) -> float:
    """Seconds of integrals: columns of the pivots' shell pairs, and fields of all others."""
    chosen = np.linspace(0, len(shells.pairs) - 1, SAMPLES).astype(int)
    rows, buffer = Rows(shells), np.empty((shells.widest, len(shells.owner)))
    columns(shells, shells.pairs[0], rows, buffer)  # the first call makes tables
    start, width = time.perf_counter(), 0
    for pair in shells.pairs[chosen]:
        width += len(columns(shells, pair, rows, buffer))
    functions = len(shells.owner)
    computed = min(SHELL_PAIRS * pivots, functions)
    others = (1 - computed / functions) ** 2 * functions / 2
    return (computed + FIELDS * others) * (time.perf_counter() - start) / width


def _rate() -> float:
    """Multiplications of numbers, each with an addition, that one thread does in a second."""
    matrix, best = np.ones((SIDE, SIDE)), np.inf
    for _ in range(3):
        start = time.perf_counter()
        matrix @ matrix
        best = min(best, time.perf_counter() - start)
    return float(SIDE**3 / best)


def _duration(seconds: float) -> str:
    """Write a time for people."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
