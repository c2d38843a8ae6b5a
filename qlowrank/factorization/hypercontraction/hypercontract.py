# SPDX-License-Identifier: Apache-2.0
"""Fit a hypercontraction to a Hamiltonian."""

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.compress import moved
from qlowrank.factorization.compression.errors import Errors, residual_errors
from qlowrank.factorization.compression.frobenius import without_trace
from qlowrank.factorization.compression.objective import Objective
from qlowrank.factorization.compression.packing import packed_squares
from qlowrank.factorization.compression.problem import Problem, problem_of
from qlowrank.factorization.hypercontraction.aim import Aim, aim_of
from qlowrank.factorization.hypercontraction.joint import Contraction, JointLandscape
from qlowrank.factorization.hypercontraction.landscape import HypercontractionLandscape
from qlowrank.factorization.hypercontraction.points import LeafPoints, PointMethod
from qlowrank.factorization.hypercontraction.record import Hypercontraction
from qlowrank.factorization.optimizer import OptimizerStatus
from qlowrank.factorization.quasi_newton import QuasiNewton
from qlowrank.factorization.record import FactorizationStatus
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank import Progress


def hypercontract(
    hamiltonian: Hamiltonian,
    *,
    n_points: int,
    objective: Objective | None = None,
    points: PointMethod | None = None,
    optimizer: QuasiNewton | None = None,
    progress: Progress | None = None,
) -> Hypercontraction:
    r"""Fit the integrals by one core over orbitals that need not be orthogonal.

    .. math:: \min_{x, \zeta} \; \tfrac12 \Big\| (pq|rs)
              - \sum_{PQ} x_{pP} x_{qP}\, \zeta_{PQ}\, x_{rQ} x_{sQ} \Big\|_F^2

    For given points the core is a linear least-squares problem; where only the error counts, the
    optimiser moves the points alone, with the best core at every step. So the core is always
    positive semidefinite, and the result is a sum of squares. The problem is not convex: the result
    depends on the start.

    Such a fit has a large one-norm, as points and cores cancel each other. With `OneNorm()` beside
    the error, points and core move together; beside `SectorError()` the block-invariant symmetry
    shift that goes with them is chosen as well, the best for every point and core: a term
    :math:`(\hat N - \eta)\, \hat b` with any one-body operator, and the identity.

    Args:
        hamiltonian: The sum of squares to fit.
        n_points: How many points, from 1 to norb (norb + 1) / 2; with 4 to 6 times norb of them
            errors become small.
        objective: What to minimise: `FrobeniusError()` (default), `SectorError()`, or a
            `WeightedSum` of one of them and `OneNorm()`.
        points: How to begin: `LeafPoints()` (default) needs the integrals only,
            `GridPoints(molecule, orbitals)` interpolates on the molecule's grid,
            `RandomPoints(seed)`.
        optimizer: `QuasiNewton(max_steps=…)`.
        progress: Called after each stage.

    Returns:
        Points and core; `status` bounds the errors against the source, in a sector on the part of
        them that `nelec` electrons can see; `optimizer` has history, gradient norm and seed.

    Raises:
        InputError: No point, more points than orbital pairs, or another objective.

    Source:
        J. Lee et al., PRX Quantum 2, 030305 (2021), arXiv:2011.03494; E. G. Hohenstein,
        R. M. Parrish, T. J. Martínez, J. Chem. Phys. 137, 044103 (2012); the shift: I. Loaiza,
        A. F. Izmaylov, arXiv:2304.13772.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> fit = hypercontract(from_example("h2"), n_points=3)
    >>> fit.points.shape, fit.status.frobenius_error < 1e-6
    ((2, 3), True)
    """
    if not isinstance(hamiltonian, Hamiltonian):
        raise InputError(
            f"hypercontract takes a Hamiltonian; got a {type(hamiltonian).__name__}. "
            "A factorization has to_hamiltonian()."
        )
    count, most = checks.whole("n_points", n_points), hamiltonian.norb * (hamiltonian.norb + 1) // 2
    if not 1 <= count <= most:
        raise InputError(
            f"n_points must be from 1 to {most}, the number of orbital pairs of "
            f"{hamiltonian.norb} orbitals: with that many, points fit anything. Got {count}."
        )
    aim = aim_of(objective)
    begin = LeafPoints() if points is None else points
    problem = problem_of(hamiltonian.factors, hamiltonian.kappa, hamiltonian.nelec)
    found, status = _fitted(
        problem, aim, begin(hamiltonian, count), optimizer, begin.seed, progress
    )
    place, core = _in_order(found)
    element, frobenius, trace_norm = contraction_errors(problem, place, core, aim.in_sector)
    constants, one_body = hamiltonian.constants, hamiltonian.kappa
    if aim.in_sector:
        constants, one_body = moved(constants, problem, hidden_one_body(place, core))
    return Hypercontraction(
        constants=constants,
        one_body=one_body,
        points=place,
        core=core,
        nelec=hamiltonian.nelec,
        status=FactorizationStatus(
            method="hypercontraction",
            # P moves an element R_ppqq to up to four times the largest
            max_abs_error=(4 if aim.in_sector else 1) * hamiltonian.max_abs_error_bound + element,
            frobenius_error=hamiltonian.residual_trace + frobenius,
            trace_norm_error=hamiltonian.residual_trace + trace_norm,
        ),
        optimizer=status,
        source=hamiltonian.source,
    )


def _fitted(
    problem: Problem,
    aim: Aim,
    start: Array,
    optimizer: QuasiNewton | None,
    seed: int | None,
    progress: Progress | None,
) -> tuple[Contraction, OptimizerStatus]:
    """Return points and core: the best core for points, or both moved together for a one-norm."""
    method = QuasiNewton() if optimizer is None else optimizer
    alone = HypercontractionLandscape(problem, aim)
    if aim.norm == 0:
        points, status = method(alone, start, seed=seed, progress=progress)
        root = alone.core_root(points)
        return Contraction(points, root @ root.T), status
    root = HypercontractionLandscape(problem).core_root(start)
    landscape = JointLandscape(problem.sector() if aim.in_sector else problem, aim)
    return method(landscape, Contraction(start, root @ root.T), seed=seed, progress=progress)


def _in_order(found: Contraction) -> tuple[Array, Array]:
    """Return points by falling weight in the core, their largest entries positive; and the core."""
    order = np.argsort(-np.abs(np.diag(found.core)), kind="stable")
    points = found.points[:, order]
    peaks = points[np.argmax(np.abs(points), axis=0), np.arange(points.shape[1])]
    core = found.core[np.ix_(order, order)]
    return points * np.where(peaks < 0, -1.0, 1.0), (core + core.T) / 2


def hidden_one_body(points: Array, core: Array) -> Array:
    """Return Σ_r (pq|rr) of points and core, shape (norb, norb), Hartree."""
    return np.asarray((points * core.sum(axis=1)) @ points.T)


def contraction_errors(
    problem: Problem, points: Array, core: Array, in_sector: bool = False
) -> Errors:
    """Return bounds on norms of V − S ζ Sᵀ, or of what a sector sees of it, Hartree."""
    vectors, squares = problem.vectors, packed_squares(points)
    if in_sector:
        vectors = without_trace(vectors, problem.norb)
        squares = without_trace(squares.T, problem.norb).T
    return residual_errors(
        vectors,
        [(squares, core)],
        n_terms=len(core),
        size=float(np.abs(core).sum()),
        squared=lambda: _squared_error(vectors, squares, core),
    )


def _squared_error(vectors: Array, squares: Array, core: Array) -> float:
    """Return ‖V − S ζ Sᵀ‖² without a four-index tensor, Hartree²."""
    targets = vectors @ squares
    through = core @ (squares.T @ squares)
    value = (
        np.sum((vectors @ vectors.T) ** 2)
        - 2 * np.sum((targets @ core) * targets)
        + np.sum(through * through.T)
    )
    return max(float(value), 0.0)
