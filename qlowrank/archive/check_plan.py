# SPDX-License-Identifier: Apache-2.0
"""Does the plan measure this factorization, at these variances, with these shots?"""

from collections.abc import Iterator
from math import comb

import numpy as np

from qlowrank.archive.check import Check, equal, within
from qlowrank.archive.evidence import (
    ENERGY_TOLERANCE,
    EPS,
    MOMENT_ROUNDING,
    Evidence,
    largest_value,
)
from qlowrank.measurement.allocation import allocate_shots
from qlowrank.measurement.groups import Leaves, plain_groups
from qlowrank.measurement.plan import MeasurementPlan
from qlowrank.states.fci import FCIState
from qlowrank.states.state import State

SHIFTED = ("plain", "mean-field", "fluid")
"""Fragments whose squares are the leaves, with nothing but one-body parts moved between groups."""

LARGEST_SECTOR = 10**7
"""Determinants of a sector in which random states are still made."""

PROBES = 2
"""Random states in which two sums of operators are compared."""


def plan_checks(evidence: Evidence) -> Iterator[Check]:
    """Check the plan by itself, against the factorization and against the state behind it."""
    plan = evidence.plan
    if plan is None:
        return
    error, pricing = plan.bias.left_of(plan.precision), plan.pricing
    shots = allocate_shots(plan.variances, error, floor=pricing.floor, spent=pricing.spent)
    yield equal(
        "plan: shots",
        np.array_equal(shots, plan.shots),
        f"{plan.total_shots} for {plan.precision:g} Hartree, {int(shots.sum())} recomputed, "
        "equal group by group",
    )
    # the allocation lets 1e-12 of a shot go
    yield within(
        "plan: standard error",
        plan.predicted_error,
        plan.precision * (1 + 1e-12),
        "with the bias, it is",
    )
    if evidence.measured is not None:
        yield from _group_checks(plan, evidence.measured)
    for state in evidence.states.values():
        if state.label == plan.pricing.state:
            yield from _moment_checks(plan, state, evidence)


def _group_checks(plan: MeasurementPlan, factorization: Leaves) -> Iterator[Check]:
    """The groups together are H − E0, on the sector at least."""
    yield equal(
        "plan: electrons are the factorization's",
        plan.nelec == factorization.nelec and plan.norb == factorization.norb,
        f"{plan.nelec} in {plan.norb} orbitals",
    )
    if plan.fragments.method in SHIFTED:
        measured = plan.n_groups - 1 + plan.bias.dropped
        yield equal(
            "plan: leaves dropped",
            measured == factorization.n_leaves,
            f"{plan.bias.dropped} of {factorization.n_leaves}, the others are measured",
        )
    if plan.fragments.method in SHIFTED and plan.bias.dropped == 0:
        yield from _shifted_checks(plan, factorization)
    elif plan.nelec == factorization.nelec and plan.norb == factorization.norb:
        yield _sum_check(plan, factorization)


def _shifted_checks(plan: MeasurementPlan, factorization: Leaves) -> Iterator[Check]:
    """The groups are the leaves, less one-body operators that the first group has instead.

    The leaves are compared to the last bit; the one-body parts by the matrix they sum to, since
    eigenvectors of equal eigenvalues are a choice.
    """
    first, *rest = plan.groups
    same = len(rest) == factorization.n_leaves and all(
        np.array_equal(group.frame, leaf)
        and np.array_equal(group.same_spin, core)
        and np.array_equal(group.opposite_spin, core)
        and (plan.fragments.method != "plain" or not group.linear.any())
        for group, leaf, core in zip(rest, factorization.leaves, factorization.cores, strict=False)
    )
    yield equal("plan: groups are the leaves", same, f"{len(rest)} squares, equal to the last bit")
    yield equal(
        "plan: constant is the factorization's", plan.constant == factorization.constant, "same"
    )
    gap = -factorization.one_body
    scale = float(np.linalg.norm(factorization.one_body))
    for group in plan.groups:
        gap = gap + (group.frame * group.linear) @ group.frame.T
        scale += float(np.linalg.norm(group.linear))
    # an eigendecomposition is backward stable to a modest multiple of norb eps
    allowed = 100 * plan.norb * EPS * scale
    worst = float(np.abs(gap).max(initial=0.0))
    if first.same_spin.any() or first.opposite_spin.any():
        worst = float("inf")
    yield within("plan: one-body parts sum to kappa", worst, allowed, "differ by")


def _sum_check(plan: MeasurementPlan, factorization: Leaves) -> Check:
    """Groups of any kind have, in random states of the sector, the factorization's energy.

    A random vector has a part along every determinant, so that two different operators do not
    have the same mean in it. The vectors are the same each time.
    """
    name = "plan: groups sum to the factorization"
    shape = comb(plan.norb, plan.nelec[0]), comb(plan.norb, plan.nelec[1])
    size = shape[0] * shape[1]
    if plan.bias.scope != "sector":
        return Check(name, True, f"not compared: the bias is known in the {plan.bias.scope} state")
    if size > LARGEST_SECTOR:
        return Check(name, True, f"not compared: {size:.1e} determinants are too many")
    rng = np.random.default_rng(size)
    groups = plain_groups(factorization)
    scale = abs(plan.constant) + sum(map(largest_value, (*groups, *plan.groups)))
    worst = 0.0
    for _ in range(PROBES):
        vector = rng.standard_normal(shape)
        state = FCIState(vector / np.linalg.norm(vector), plan.norb, plan.nelec, 0.0)
        planned = plan.constant + sum(state.moments(group).mean for group in plan.groups)
        exact = factorization.constant + sum(state.moments(group).mean for group in groups)
        worst = max(worst, abs(planned - exact))
    allowed = _agreement(plan, scale) + plan.bias.bound
    return within(name, worst, allowed, f"in {PROBES} states, off by")


def _agreement(plan: MeasurementPlan, scale: float) -> float:
    """How well the groups must sum up, Hartree; optimised ones do so to a relative accuracy."""
    return ENERGY_TOLERANCE * (1.0 if plan.fragments.method in SHIFTED else max(1.0, scale))


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
    if evidence.squares is not None and plan.bias.scope in ("sector", state.label):
        yield within(
            "plan: energy",
            abs(plan.predicted_energy - state.energy),
            _agreement(plan, float(scales.sum()))
            + sum(plan.nelec) * evidence.unmeasured
            + plan.bias.bound,
            f"constant and means miss the {state.label} state's energy by",
        )
