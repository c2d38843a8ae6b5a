# SPDX-License-Identifier: Apache-2.0
"""Compress a factorization into few leaves with full cores."""

from dataclasses import replace

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.errors import compression_errors
from qlowrank.factorization.compression.frobenius import FrobeniusError
from qlowrank.factorization.compression.landscape import CompressionLandscape
from qlowrank.factorization.compression.norms import linear_part
from qlowrank.factorization.compression.objective import Objective
from qlowrank.factorization.compression.problem import Point, Problem, problem_of
from qlowrank.factorization.compression.record import CompressedFactorization
from qlowrank.factorization.compression.start import LargestLeaves, Start
from qlowrank.factorization.gauge import with_positive_peak
from qlowrank.factorization.quasi_newton import QuasiNewton
from qlowrank.factorization.record import DoubleFactorization, FactorizationStatus
from qlowrank.integrals.record import Constants
from qlowrank.lowrank import Progress


def compress(
    factorization: DoubleFactorization,
    *,
    n_leaves: int,
    objective: Objective | None = None,
    start: Start | None = None,
    optimizer: QuasiNewton | None = None,
    progress: Progress | None = None,
) -> CompressedFactorization:
    r"""Fit few leaves with full symmetric cores to the integrals.

    .. math:: \min_{U, Z} \; \tfrac12 \Big\| (pq|rs)
              - \sum_t \sum_{kl} Z^t_{kl} U^t_{pk} U^t_{qk} U^t_{rl} U^t_{sl} \Big\|_F^2
              + \text{what the objective adds}

    An explicit leaf is one square; a compressed one is any quadratic form of its occupation
    numbers, which reads N (N + 1) / 2 parameters with the same circuit. The problem is not convex:
    the result depends on the start, and `optimizer` says how the run ended. The same input and
    seed give the same result. Where orbitals or leaves are degenerate, single frames are one
    choice among many.

    Args:
        factorization: What to compress. Its largest leaves are the default start.
        n_leaves: How many leaves, from 1 to norb (norb + 1) / 2.
        objective: What to minimise: `FrobeniusError()` (default), `SectorError()`, or a
            `WeightedSum` of one of them and `CoreOneNorm()`, `OneNorm()`, `CoreSquares()` or
            `ShotCost(state)`.
        start: Where to begin: `LargestLeaves()` (default), `RandomLeaves(seed)` or
            `Continue(previous)`.
        optimizer: `QuasiNewton(max_steps=…)`.
        progress: Called after each stage.

    Returns:
        Leaves by falling norm of their cores; `status` bounds the errors against the source,
        `optimizer` has history, gradient norm and seed. An optimiser that stalls or reaches its
        limit of steps keeps the best point, and says so there.

    Raises:
        InputError: No leaf, more leaves than orbital pairs, or an objective that holds no error to
            fit or is none.

    Source:
        J. Cohn, M. Motta, R. M. Parrish, arXiv:2104.08957 (compressed double factorization);
        O. Oumarou et al., arXiv:2212.07957 (regularised).

    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> explicit = double_factorize(from_example("h2"))
    >>> compressed = compress(explicit, n_leaves=2)
    >>> compressed.n_leaves, compressed.status.frobenius_error < 1e-6
    (2, True)
    """
    _check_factorization(factorization)
    _check_number(n_leaves, factorization.norb)
    aim = FrobeniusError() if objective is None else _checked_objective(objective)
    begin = LargestLeaves() if start is None else start
    problem = problem_of(factorization.factors(), factorization.one_body, factorization.nelec)
    point, status = (QuasiNewton() if optimizer is None else optimizer)(
        CompressionLandscape(aim, problem.sector() if aim.in_sector else problem),
        begin(factorization, int(n_leaves)),
        seed=begin.seed,
        progress=progress,
    )
    point = _in_order(point)
    own = compression_errors(problem, point, in_sector=aim.in_sector)
    before = factorization.status  # P moves an element R_ppqq to up to four times the largest
    constants, one_body = factorization.constants, factorization.one_body
    if aim.in_sector:
        constants, one_body = moved(constants, problem, linear_part(point))
    return CompressedFactorization(
        constants=constants,
        one_body=one_body,
        leaves=point.leaves,
        cores=point.cores,
        nelec=factorization.nelec,
        status=FactorizationStatus(
            method="compressed",
            max_abs_error=(4 if aim.in_sector else 1) * before.max_abs_error + own[0],
            frobenius_error=before.frobenius_error + own[1],
            trace_norm_error=before.trace_norm_error + own[2],
        ),
        optimizer=status,
        source=factorization.source,
    )


def _check_factorization(factorization: DoubleFactorization) -> None:
    """Refuse what has no squares to fit to."""
    if isinstance(factorization, CompressedFactorization):
        raise InputError(
            "This factorization is compressed already, and its fit error would be fitted too. "
            "Compress the explicit factorization; start=Continue(previous) goes on from this one."
        )
    if not isinstance(factorization, DoubleFactorization):
        raise InputError(
            f"factorization must come from double_factorize; got a {type(factorization).__name__}."
        )


def _check_number(n_leaves: int, norb: int) -> None:
    """Refuse no leaves, and more than could ever be needed."""
    count, most = checks.whole("n_leaves", n_leaves), norb * (norb + 1) // 2
    if not 1 <= count <= most:
        raise InputError(
            f"n_leaves must be from 1 to {most}, the number of orbital pairs of {norb} orbitals: "
            f"with that many, explicit leaves are exact. Got {count}."
        )


def _checked_objective(objective: Objective) -> Objective:
    """Refuse what is no objective, and one whose minimum is zero leaves."""
    if isinstance(objective, type) or not hasattr(objective, "prepare"):
        raise InputError(
            "objective must be FrobeniusError(), SectorError() or a WeightedSum with one of them; "
            f"got {objective!r:.60}. (The fewest shots in a state: WeightedSum((1.0, "
            "SectorError()), (weight, ShotCost(state))).)"
        )
    if not objective.error_weight > 0:
        raise InputError(
            f"The objective '{objective.name}' holds no error of the integrals, so that empty "
            "cores minimise it. Add one: WeightedSum((1.0, FrobeniusError()), (weight, ...))."
        )
    return objective


def _in_order(point: Point) -> Point:
    """Return the leaves by falling norm of their cores, columns with positive peaks."""
    order = np.argsort(-np.linalg.norm(point.cores, axis=(1, 2)), kind="stable")
    return Point(with_positive_peak(point.leaves[order]), point.cores[order])


def moved(constants: Constants, problem: Problem, hidden: Array) -> tuple[Constants, Array]:
    r"""Return constants and one-body part with what η electrons cannot tell from them.

    With :math:`R = V - W`, v and w (`hidden`) the one-body operators hidden in V and W, and
    :math:`b = (v - w)/N - \mathrm{tr}(v - w)/(2N^2)`, :math:`R = PRP + 1 \otimes b + b \otimes 1`,
    so the operator of the last two terms is η b̂. A multiple of the identity, the median of T',
    goes to the constants as well, which lowers the one-norm most.
    """
    norb, electrons = problem.norb, sum(problem.nelec)
    share = (problem.trace_part - hidden) / norb
    one_body = problem.one_body + electrons * share
    centre = float(np.median(np.linalg.eigvalsh(one_body + hidden)))
    constant = electrons * centre - electrons**2 * float(np.trace(share)) / (2 * norb)
    return (
        replace(constants, other=constants.other + constant),
        one_body - centre * np.eye(norb),
    )
