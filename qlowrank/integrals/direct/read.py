# SPDX-License-Identifier: Apache-2.0
"""From a converged PySCF object to factors, shell pair by shell pair."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qlowrank.checks import Array, InputError
from qlowrank.integrals.direct.budget import Means, means
from qlowrank.integrals.direct.check import check_determinant, check_vector
from qlowrank.integrals.direct.checkpoint import open_checkpoint
from qlowrank.integrals.direct.elimination import Elimination, diagonal_of
from qlowrank.integrals.direct.exact import Densities, ExactParts, densities_of, exact_parts
from qlowrank.integrals.direct.expected import pivots_expected
from qlowrank.integrals.direct.fields import remaining_fields
from qlowrank.integrals.direct.record import Squares
from qlowrank.integrals.direct.residual import residual_bounds
from qlowrank.integrals.direct.sheets import Sheets
from qlowrank.integrals.direct.shells import Shells, shells_of
from qlowrank.integrals.direct.transform import Transformed
from qlowrank.integrals.mean_field import provenance
from qlowrank.integrals.orbital_space import OrbitalSpace, examine
from qlowrank.integrals.pairs import pack, unpack
from qlowrank.lowrank import Progress, Repivot, Truncation
from qlowrank.lowrank.cholesky import rounding_floor
from qlowrank.lowrank.threads import slices, workers
from qlowrank.memory import give_back, reused_memory

FIRST = 1 / 7
"""First threshold in rescaled atomic orbitals, as a share of the tolerance."""
NEARLY, LEAST = 0.8, 1 / 16
"""A threshold that turned out too high is lowered in proportion and a little more, but by no more
than this."""
DOWN = 1 / 4
"""Where as little as possible is asked for, by this much at a time, until it does not help."""
SHARE = 0.9
"""How much of the tolerance the first decomposition may use up for the worst pair of orbitals; new
pivots take the rest, which is nearly all of it for nearly all pairs."""
LARGE = 3e2
"""A vector whose pivot's residual was at least this many times the tolerance is a factor as it is:
new pivots would span much the same. Only smaller ones are replaced by fewer."""
WHOLE = 0.8
"""In active spaces of less than this share of the basis every vector is replaced, since those of
pivots in atomic orbitals are then more than the active pairs need."""
PIVOTS = 4
"""Pivots for each atomic orbital whose rounding errors are allowed for. Ten or so are used; a
judgement, as what was reached is proven afterwards."""
DIRECT_FROM = 60
"""From this many atomic orbitals on, the four-index tensor takes longer than doing without it."""


def is_direct(source: Any) -> bool:
    """Tell whether a PySCF object is large enough to be decomposed shell by shell.

    Models whose integrals PySCF was given, rather than computed, have no shells.
    """
    mol = getattr(source, "mol", None)
    return mol is not None and mol.nbas > 0 and mol.nao_nr() >= DIRECT_FROM


def read_directly(
    source: Any,
    *,
    tolerance: float,
    active: tuple[int, int] | None = None,
    max_memory: float | None = None,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> Squares:
    r"""Decompose the integrals of a PySCF object without ever holding the four-index tensor.

    Atomic orbitals are rescaled by :math:`w_\mu^2 = \sum_p C_{\mu p}^2`; pivots are found there,
    and their factors are transformed. What these leave out is bounded by one exact exchange build
    (see `residual`). Then pivots are chosen anew in the wanted orbitals, as many as the rest of
    the tolerance needs.

    Args:
        source: As for `ql.from_pyscf`.
        tolerance: Largest permitted error of any (pq|rs), Hartree; 0 as far as rounding allows.
        active: (electrons, orbitals) around the Fermi level; mean fields only.
        max_memory: Bytes that arrays may take in memory, the machine's free memory by default;
            arrays that would take more than a quarter of it go to scratch files.
        checkpoint: A folder to keep work in while it is done. An interrupted run that is repeated
            with the same input goes on from there; a finished one removes it.
        progress: Called as the work goes on.

    Raises:
        OSError: A scratch file does not fit on the disk.
        InputError: Unusable input, too little memory for one shell pair, or a tolerance below
            what double precision can resolve.
    """
    # from the start: BLAS threads spin for 0.1 s after each product
    with reused_memory(), workers() as team:
        space = examine(source, active)
        basis = _Basis(shells_of(space.mean_field.mol), space.window)
        basis.refuse_unreachable(tolerance)
        densities, kept = densities_of(space), None
        if checkpoint is not None:
            identity = basis.shells, basis.orbitals, densities.matrices, tolerance
            kept = open_checkpoint(Path(checkpoint), *identity)
        own = means(max_memory, kept, team, progress)
        squares = _decompose(_Problem(source, space, basis, densities, tolerance), own)
        if kept is not None:
            kept.close()
    return squares


@dataclass(frozen=True, eq=False, slots=True)
class _Basis:
    """Shells, and the orbitals that are wanted."""

    shells: Shells
    orbitals: Array

    @property
    def weights(self) -> Array:
        """Norm of each atomic orbital's coefficients, shape (nao,)."""
        return np.asarray(np.linalg.norm(self.orbitals, axis=1))

    @property
    def safe(self) -> float:
        """Threshold in rescaled atomic orbitals at which rounding cannot spoil anything.

        A residual after r pivots is off by at most r eps times the diagonal (Higham, Accuracy and
        Stability of Numerical Algorithms, chapter 10).
        """
        low, high = np.tril_indices(self.shells.nao)
        scale = self.weights[low] * self.weights[high]
        largest = float(np.max(self.shells.diagonal * scale**2, initial=0.0))
        return float(PIVOTS * self.shells.nao * np.finfo(float).eps * largest)

    @property
    def floor(self) -> float:
        """Least threshold worth a try: errors of both signs add up like a random walk.

        Whether a tolerance was reached is proven afterwards, whatever this says.
        """
        return self.safe / float(np.sqrt(PIVOTS * self.shells.nao))

    def large(self, tolerance: float) -> float:
        """Rescaled residual from which on a pivot's vector is a factor as it is."""
        nao, norb = self.orbitals.shape
        return LARGE * tolerance if norb >= WHOLE * nao else np.inf

    @property
    def least(self) -> float:
        """Least tolerance that rounding leaves room for."""
        return self.floor / FIRST

    def refuse_unreachable(self, tolerance: float) -> None:
        """Refuse a tolerance other than 0 that rounding leaves no room for; say which it does."""
        if 0 < tolerance < self.least:
            raise InputError(
                f"tolerance {tolerance:.1e} is below what double precision can resolve from these "
                f"atomic orbitals, {self.least:.1e}; ask for at least that, or for 0 to go as far "
                "as rounding allows."
            )


@dataclass(frozen=True, eq=False, slots=True)
class _Problem:
    """What is to be decomposed, and how closely."""

    source: Any
    """PySCF's object."""
    space: OrbitalSpace
    basis: _Basis
    densities: Densities
    tolerance: float
    """Largest permitted error of any (pq|rs), Hartree; 0 as far as rounding allows."""


@dataclass(frozen=True, eq=False, slots=True)
class _Reached:
    """What so many vectors leave at most."""

    large: int
    """How many have large pivots."""
    small: int
    """How many have others."""
    bounds: Array
    """Of each R_pq,pq, at least 0, shape (norb, norb), Hartree."""
    noise: float
    """How far bounds that cannot be negative lie below 0, Hartree."""
    rounding: float
    """What cannot be told from zero beside the squares of all vectors."""

    @property
    def error(self) -> float:
        """Largest bound, or noise where that is more, Hartree."""
        return max(float(self.bounds.max(initial=0.0)), self.noise)


@dataclass(frozen=True, eq=False, slots=True)
class _First:
    """Vectors in the wanted orbitals from pivots in atomic ones, and what they leave at most."""

    parts: ExactParts
    large: Array
    """Those that stay as they are, shape (n, npair), Hartree^½."""
    small: Array
    """All others."""
    reached: _Reached
    tolerance: float
    """What was asked for, or, where that was as little as possible, what is possible."""


def _first(problem: _Problem, own: Means) -> _First:
    """Lower the threshold in atomic orbitals until the bound in the wanted orbitals is enough."""
    basis, densities, tolerance = problem.basis, problem.densities, problem.tolerance
    asked = tolerance or basis.least
    threshold = max(asked * FIRST, basis.floor) if tolerance else basis.safe
    parts, rounds = None, list[_Reached]()
    diagonal = diagonal_of(basis.shells, basis.weights)
    expected = pivots_expected(basis.shells.nao, threshold)
    turned = Transformed(diagonal.rows, basis.orbitals, basis.large(asked), expected, own)
    wanted = densities.matrices, densities.filled
    found = Elimination(basis.shells, diagonal, *wanted, own, turned.take)
    while True:
        found.lower(threshold)
        if parts is None:
            parts = _exact(problem, found)
        reached = _reached(parts, turned.large, turned.small, own)
        spoiled = bool(rounds) and reached.error > rounds[-1].error  # by rounding
        if not spoiled:
            rounds.append(reached)
        best = rounds[-1]
        enough = tolerance > 0 and best.error <= SHARE * asked
        if spoiled or enough or threshold <= basis.floor:
            break
        step = NEARLY * SHARE * asked / reached.error if tolerance else DOWN
        threshold = max(threshold * max(step, LEAST), basis.floor)
    if tolerance:
        _refuse_unproven(best, asked)
    return _First(
        parts=parts,
        large=turned.large[: best.large],
        small=turned.small[len(turned.small) - best.small :],
        reached=best,
        tolerance=tolerance or max(asked, best.error / SHARE),
    )


def _reached(parts: ExactParts, large: Array, small: Array, own: Means) -> _Reached:
    """Bound what vectors in the wanted orbitals leave."""
    squares = own.passes.squared_norms(large) + own.passes.squared_norms(small)
    bounds = residual_bounds(parts.exchange, unpack(squares, len(parts.one_body)))
    return _Reached(
        large=len(large),
        small=len(small),
        bounds=np.maximum(bounds, 0.0),
        noise=max(float(-bounds.min(initial=0.0)), 0.0),
        rounding=rounding_floor(squares),
    )


def _decompose(problem: _Problem, own: Means) -> Squares:
    """Find vectors, replace the small ones by fewer, and check what they give."""
    source, space = problem.source, problem.space
    first = _first(problem, own)
    give_back()
    parts, reached, norb = first.parts, first.reached, space.window.shape[1]
    allowed = first.tolerance - pack(reached.bounds) - reached.noise
    large, small = first.large, first.small
    sheets, method = Sheets(own, len(large) + len(small), norb), Repivot()
    for part in slices(len(large), method.batch):
        sheets.take(large[part])
    second = method(small, allowed, own.passes, sheets.take, own.progress)
    bounds = unpack(second.residual_diagonal, norb) + reached.bounds
    noise = reached.noise + max(reached.rounding, second.rounding)
    del first, large, small
    give_back()
    factors = sheets.filled
    trace = max(float(np.trace(parts.exchange.total)) - sheets.squares, 0.0)
    check_determinant(parts, factors, space.nelec, own.passes)
    check_vector(source, parts, factors, trace)
    return Squares(
        constants=parts.constants,
        one_body=parts.one_body,
        kappa=parts.kappa,
        factors=factors,
        nelec=space.nelec,
        truncation=Truncation(
            rank=len(factors),
            tolerance=problem.tolerance,
            max_error=float(bounds.max(initial=0.0)) + noise,
            discarded=trace,
        ),
        source=provenance(source, space.mean_field, space.cas, parts.numbers(space)),
    )


def _exact(problem: _Problem, found: Elimination) -> ExactParts:
    """Put together J and K of all integrals: of computed shell pairs, and PySCF's of the others.

    J is that of filled densities only; no other is needed.
    """
    space, densities = problem.space, problem.densities
    wanted = densities.matrices, densities.filled
    rest = remaining_fields(space.mean_field.mol, found.shells, found.computed, *wanted)
    coulomb, exchange = found.coulomb + rest[0], found.exchange + rest[1]
    return exact_parts(problem.source, space, densities, coulomb, exchange)


def _refuse_unproven(best: _Reached, asked: float) -> None:
    """Refuse bounds, or residuals negative by more than rounding explains, above the tolerance."""
    if best.error <= SHARE * asked:
        return
    if best.noise < best.error:
        raise InputError(
            f"No error below {best.error / SHARE:.1e} Hartree can be proven with these atomic "
            f"orbitals in double precision; {asked:.1e} was asked for. Ask for that, or for 0 to "
            "go as far as rounding allows."
        )
    raise InputError(
        f"A residual that cannot be negative reaches {-best.noise:.1e} Hartree: the tolerance "
        f"{asked:.1e} is below the precision of the integrals. Ask for a larger one, or for 0 to "
        "go as far as rounding allows."
    )
