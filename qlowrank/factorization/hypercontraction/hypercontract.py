# SPDX-License-Identifier: Apache-2.0
"""Fit a hypercontraction to a Hamiltonian."""

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.errors import Errors, residual_errors
from qlowrank.factorization.compression.packing import packed_squares
from qlowrank.factorization.compression.problem import Problem, problem_of
from qlowrank.factorization.hypercontraction.landscape import HypercontractionLandscape
from qlowrank.factorization.hypercontraction.points import LeafPoints, PointMethod
from qlowrank.factorization.hypercontraction.record import Hypercontraction
from qlowrank.factorization.quasi_newton import QuasiNewton
from qlowrank.factorization.record import FactorizationStatus
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank import Progress


def hypercontract(
    hamiltonian: Hamiltonian,
    *,
    n_points: int,
    points: PointMethod | None = None,
    optimizer: QuasiNewton | None = None,
    progress: Progress | None = None,
) -> Hypercontraction:
    r"""Fit the integrals by one core over orbitals that need not be orthogonal.

    .. math:: \min_{x, \zeta} \; \tfrac12 \Big\| (pq|rs)
              - \sum_{PQ} x_{pP} x_{qP}\, \zeta_{PQ}\, x_{rQ} x_{sQ} \Big\|_F^2

    For given points the core is a linear least-squares problem; the optimiser moves the points
    alone, with the best core at every step. So the core is always positive semidefinite, and the
    result is a sum of squares. The problem is not convex: the result depends on the start.

    Args:
        hamiltonian: The sum of squares to fit.
        n_points: How many points, from 1 to norb (norb + 1) / 2; with 4 to 6 times norb of them
            errors become small.
        points: How to begin: `LeafPoints()` (default) needs the integrals only,
            `GridPoints(molecule, orbitals)` interpolates on the molecule's grid,
            `RandomPoints(seed)`.
        optimizer: `QuasiNewton(max_steps=…)`.
        progress: Called after each stage.

    Returns:
        Points and core; `status` bounds the errors against the source, `optimizer` has history,
        gradient norm and seed.

    Raises:
        InputError: No point, or more points than orbital pairs.

    Source:
        J. Lee et al., PRX Quantum 2, 030305 (2021), arXiv:2011.03494; E. G. Hohenstein,
        R. M. Parrish, T. J. Martínez, J. Chem. Phys. 137, 044103 (2012).

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
    begin = LeafPoints() if points is None else points
    problem = problem_of(hamiltonian.factors, hamiltonian.kappa, hamiltonian.nelec)
    landscape = HypercontractionLandscape(problem)
    place, status = (QuasiNewton() if optimizer is None else optimizer)(
        landscape, begin(hamiltonian, count), seed=begin.seed, progress=progress
    )
    place, core = _in_order(place, landscape.core_root(place))
    element, frobenius, trace_norm = contraction_errors(problem, place, core)
    return Hypercontraction(
        constants=hamiltonian.constants,
        one_body=hamiltonian.kappa,
        points=place,
        core=core,
        nelec=hamiltonian.nelec,
        status=FactorizationStatus(
            method="hypercontraction",
            max_abs_error=hamiltonian.max_abs_error_bound + element,
            frobenius_error=hamiltonian.residual_trace + frobenius,
            trace_norm_error=hamiltonian.residual_trace + trace_norm,
        ),
        optimizer=status,
        source=hamiltonian.source,
    )


def _in_order(points: Array, root: Array) -> tuple[Array, Array]:
    """Return points by falling weight in the core, their largest entries positive; and the core."""
    order = np.argsort(-np.einsum("pm,pm->p", root, root), kind="stable")
    points, root = points[:, order], root[order]
    peaks = points[np.argmax(np.abs(points), axis=0), np.arange(points.shape[1])]
    return points * np.where(peaks < 0, -1.0, 1.0), root @ root.T


def contraction_errors(problem: Problem, points: Array, core: Array) -> Errors:
    """Return bounds on element, Frobenius and trace norm of V − S ζ Sᵀ, Hartree."""
    squares = packed_squares(points)
    return residual_errors(
        problem.vectors,
        [(squares, core)],
        n_terms=len(core),
        size=float(np.abs(core).sum()),
        squared=lambda: _squared_error(problem, points, core),
    )


def _squared_error(problem: Problem, points: Array, core: Array) -> float:
    """Return ‖V − S ζ Sᵀ‖² without a four-index tensor, Hartree²."""
    targets = problem.vectors @ packed_squares(points)
    overlaps = (points.T @ points) ** 2
    through = core @ overlaps
    value = (
        np.sum(problem.weights**2)
        - 2 * np.sum((targets @ core) * targets)
        + np.sum(through * through.T)
    )
    return max(float(value), 0.0)
