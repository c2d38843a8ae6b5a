# SPDX-License-Identifier: Apache-2.0
"""Does the plan measure this factorization, at these variances, with these shots?"""

from collections.abc import Iterator

import numpy as np

from qlowrank.archive.check import Check, equal, within
from qlowrank.archive.evidence import EPS, Evidence, largest_value
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.measurement.allocation import allocate_shots
from qlowrank.measurement.plan import MeasurementPlan
from qlowrank.states.state import State

MOMENT_ROUNDING = 1000 * EPS
"""How far moments may move, relative to the group's largest value (to its square, for variances),
when another machine sums in another order: a few roundings for each of a few hundred terms."""


def plan_checks(evidence: Evidence) -> Iterator[Check]:
    """Check the plan by itself, against the factorization and against the state behind it."""
    plan = evidence.plan
    if plan is None:
        return
    shots = allocate_shots(plan.variances, plan.precision, floor=plan.pricing.floor)
    yield equal(
        "plan: shots",
        bool((plan.variances >= 0).all()) and np.array_equal(shots, plan.shots),
        f"{plan.total_shots} for {plan.precision:g} Hartree, {int(shots.sum())} recomputed, "
        "equal group by group",
    )
    # the allocation lets 1e-12 of a shot go
    yield within(
        "plan: standard error", plan.predicted_standard_error, plan.precision * (1 + 1e-12), "is"
    )
    if evidence.factorization is not None:
        yield from _group_checks(plan, evidence.factorization)
    for state in evidence.states.values():
        if state.label == plan.pricing.state:
            yield from _moment_checks(plan, state, evidence)


def _group_checks(plan: MeasurementPlan, factorization: DoubleFactorization) -> Iterator[Check]:
    """The groups are the one-body part and the leaves, so that together they are H − E0.

    The leaves are compared to the last bit; the one-body part by the matrix it stands for, since
    eigenvectors of equal eigenvalues are a choice.
    """
    yield equal(
        "plan: constant and electrons are the factorization's",
        plan.constant == factorization.constant and plan.nelec == factorization.nelec,
        "same",
    )
    first, *rest = plan.groups
    cores = factorization.cores
    same = len(rest) == factorization.n_leaves and all(
        np.array_equal(group.frame, leaf)
        and np.array_equal(group.same_spin, core)
        and np.array_equal(group.opposite_spin, core)
        and not group.linear.any()
        for group, leaf, core in zip(rest, factorization.leaves, cores, strict=False)
    )
    yield equal("plan: groups are the leaves", same, f"{len(rest)} squares, equal to the last bit")
    rebuilt = (first.frame * first.linear) @ first.frame.T
    gap = float(np.abs(rebuilt - factorization.one_body).max(initial=0.0))
    # eigendecomposition is backward stable to a modest multiple of norb eps
    allowed = 100 * plan.norb * EPS * float(np.linalg.norm(factorization.one_body))
    if first.same_spin.any() or first.opposite_spin.any():
        gap = float("inf")
    yield within("plan: first group is the one-body part", gap, allowed, "differs by")


def _moment_checks(plan: MeasurementPlan, state: State, evidence: Evidence) -> Iterator[Check]:
    """Means and variances are those of the groups in the state, which has the plan's electrons."""
    if state.norb != plan.norb or tuple(state.nelec) != plan.nelec:
        yield equal(f"plan: sector of the {state.label} state", False, "same")
        return
    moments = [evidence.moments(state, group) for group in plan.groups]
    scales = np.array([largest_value(group) for group in plan.groups])
    for name, stored, fresh, allowed in (
        ("means", plan.pricing.means, [m.mean for m in moments], scales),
        ("variances", plan.pricing.variances, [m.variance for m in moments], scales**2),
    ):
        gaps = np.abs(stored - np.array(fresh))
        worst = int(np.argmax(gaps - MOMENT_ROUNDING * allowed))
        yield within(
            f"plan: {name}",
            float(gaps[worst]),
            float(MOMENT_ROUNDING * allowed[worst]),
            f"of {plan.n_groups} recomputed in the {state.label} state, number {worst} differs by",
        )
