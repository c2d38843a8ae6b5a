# SPDX-License-Identifier: Apache-2.0
"""A Hamiltonian and a state as the convex problem sees them, and the way back to fragments."""

from dataclasses import dataclass

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.lowrank import Progress
from qlowrank.measurement.fragments.constraints import Constraints
from qlowrank.measurement.fragments.design import Design, Solution, design, solve
from qlowrank.measurement.fragments.record import Fragments, FragmentStatus
from qlowrank.measurement.fragments.sector import Sector
from qlowrank.measurement.fragments.statistics import Statistics
from qlowrank.measurement.fragments.vector import EXACT_REGULARIZATION, guide
from qlowrank.states.state import State

MISFIT = 1e-8
"""Largest error of the sum, relative to the Hamiltonian's coordinates, that passes for exact."""

REGULARIZATION_PER_MISSING = 0.1
"""Variance added to every feature, per estimated weight that the state lacks. From 0.06 to 1 the
variances of eight molecules in their full-CI states grew by a factor of one to three."""

GAP = 1e-3
"""Relative distance from the lower bound at which the convex problem counts as solved."""

NEGLIGIBLE = 1e-6
"""Groups with less than this part of all shots are dropped."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What does not change while frames and coefficients are looked for."""

    constraints: Constraints
    """Coordinates of operators on the sector."""
    statistics: Statistics
    """Determinants of the sector."""
    vector: Array
    """CI vector that prices groups."""
    target: Array
    """The Hamiltonian's coordinates, Hartree."""
    regularization: float
    """Variance added to every feature."""
    basis: Array
    """Orthonormal columns: what a group may use of the features, (n_features, width)."""

    @property
    def sector(self) -> Sector:
        """Orbitals and electrons."""
        return self.constraints.sector

    @property
    def width(self) -> int:
        """Free coefficients of a group."""
        return self.basis.shape[1]

    def view(self, frame: Array) -> tuple[Array, Array]:
        """Return coordinates and regularised covariance of what a group may use in a frame."""
        rotated = self.statistics.rotated(self.vector, frame)
        covariance = self.basis.T @ self.statistics.covariance(rotated) @ self.basis
        covariance += self.regularization * np.eye(self.width)
        return self.constraints.columns(frame) @ self.basis, covariance

    def design(self, frames: Array) -> Design:
        """Return the convex problem of a set of frames."""
        views = [self.view(frame) for frame in frames]
        return design([v[0] for v in views], [v[1] for v in views], self.target)

    def exact(self, solution: Solution) -> bool:
        """Whether the groups of a solution add up to the Hamiltonian."""
        return solution.misfit <= MISFIT * max(float(np.abs(self.target).max(initial=0.0)), 1.0)


def prepare(
    factorization: DoubleFactorization,
    state: State,
    *,
    separate_spins: bool,
    regularization: float | None,
    max_memory: float | None,
) -> Setting:
    """Check the input and set the convex problem up.

    Args:
        factorization: The Hamiltonian.
        state: FCI, CISD or MPS state of the same orbitals and electrons.
        separate_spins: Whether same-spin and opposite-spin cores may differ.
        regularization: Variance added to every feature; None for what the state calls for.
        max_memory: Bytes that may be used; the machine's free memory by default.

    Raises:
        InputError: A state of another sector or kind, or one that needs too much memory.
    """
    if state.norb != factorization.norb or tuple(state.nelec) != factorization.nelec:
        raise InputError(
            f"The state has {state.norb} orbitals and nelec {tuple(state.nelec)}; the "
            f"factorization has {factorization.norb} and {factorization.nelec}. They must be the "
            "same: make the state from the same Hamiltonian."
        )
    sector = Sector(factorization.norb, factorization.nelec)
    statistics = Statistics(sector)
    _check_memory(sector, statistics, factorization.n_leaves + 1, max_memory)
    guided = guide(state, max_memory=max_memory)
    chosen = (
        max(EXACT_REGULARIZATION, REGULARIZATION_PER_MISSING * guided.missing)
        if regularization is None
        else checks.positive("regularization", regularization)
    )
    constraints = Constraints(sector)
    one_body, two_body = _integrals(factorization)
    return Setting(
        constraints=constraints,
        statistics=statistics,
        vector=guided.vector,
        target=constraints.target(one_body, two_body),
        regularization=chosen,
        basis=np.eye(sector.n_features) if separate_spins else _spin_free(sector),
    )


def assemble(
    setting: Setting,
    factorization: DoubleFactorization,
    frames: Array,
    solution: Solution,
    status: FragmentStatus,
) -> Fragments:
    """Return the groups that have a share in a solution, and the constant that completes them."""
    sector = setting.sector
    used = np.flatnonzero(solution.shares > 0)
    groups = tuple(
        sector.operator(frames[group], setting.basis @ solution.coefficients[group])
        for group in used
    )
    one_body, two_body = _integrals(factorization)
    mean = sector.mean(
        float(np.trace(one_body)),
        float(np.einsum("pprr->", two_body)),
        float(np.einsum("prrp->", two_body)),
        float(np.einsum("pprr->", two_body)),
    )
    constant = factorization.constant + mean - sum(map(sector.operator_mean, groups))
    return Fragments(groups=groups, constant=constant, status=status)


def settled(
    problem: Design,
    shares: Array,
    *,
    gap: float = GAP,
    max_steps: int,
    progress: Progress | None = None,
) -> tuple[Solution, int]:
    """Improve shares and coefficients in turns until a dual bound is near; count the turns.

    Args:
        problem: Frames as the convex problem sees them.
        shares: Where to start.
        gap: Stop where the spread is at most this part above its lower bound.
        max_steps: Stop after as many turns at most.
        progress: Called once a turn.
    """
    solution = solve(problem, shares)
    for step in range(1, max_steps + 1):
        if solution.spread <= (1 + gap) * solution.lower_bound:
            return solution, step
        solution = solve(problem, solution.improved_shares)
        if progress is not None:
            progress("fragments", step, max_steps)
    return solution, max_steps


def pruned(setting: Setting, problem: Design, solution: Solution) -> Solution:
    """Drop groups with negligible shares, where the rest is still exact."""
    weak = solution.shares < NEGLIGIBLE
    if not weak.any() or weak.all():
        return solution
    shares = np.where(weak, 0.0, solution.shares)
    rest = solve(problem, shares / shares.sum())
    return rest if setting.exact(rest) and rest.spread <= 1.001 * solution.spread else solution


def _integrals(factorization: DoubleFactorization) -> tuple[Array, Array]:
    """One-body part of normal order, and dense (pq|rs)."""
    factors = factorization.factors()
    one_body = factorization.one_body + contract("tpr,trq->pq", factors, factors) / 2
    flat = factors.reshape(len(factors), factorization.norb**2)
    return one_body, (flat.T @ flat).reshape((factorization.norb,) * 4)


def _spin_free(sector: Sector) -> Array:
    """Orthonormal span of one core for both spins and a linear term."""
    norb = sector.norb
    rows, cols = np.triu_indices(norb)
    cores = np.zeros((len(rows) + norb, norb, norb))
    index = np.arange(len(rows))
    cores[index, rows, cols] = cores[index, cols, rows] = 1.0
    linear = np.zeros((len(cores), norb))
    linear[len(rows) :] = np.eye(norb)
    forms = sector.coefficients(linear, cores, cores)
    left, sizes, _ = np.linalg.svd(forms.T, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-10 * max(1.0, sizes.max(initial=0.0))])


def _check_memory(
    sector: Sector, statistics: Statistics, n_groups: int, max_memory: float | None
) -> None:
    """Refuse what would not fit, before any of it is made."""
    norb = sector.norb
    single = norb * (norb + 1) / 2 - 1
    coordinates = norb**2 * (norb**2 - 1) / 12 + single + single * (single + 1) / 2
    width = sector.n_features + norb * (norb - 1) / 2
    checks.fits(
        f"Optimising {n_groups} fragments of {norb} orbitals ({coordinates:.3g} conditions, "
        f"{statistics.n_determinants:.3g} determinants)",
        8.0 * coordinates * (2 * coordinates + 2 * n_groups * width) + statistics.bytes_needed,
        max_memory,
        "Use fragments 'fluid', or a smaller active space.",
    )
