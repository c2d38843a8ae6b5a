# SPDX-License-Identifier: Apache-2.0
"""Do measured and simulated energies belong to the plan?"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from qlowrank.archive.check import Check, equal, within
from qlowrank.archive.evidence import EPS, MOMENT_ROUNDING, Evidence, largest_value
from qlowrank.checks import Array
from qlowrank.measurement.estimate import EnergyEstimate, evaluate
from qlowrank.measurement.measurements import Measurements
from qlowrank.measurement.plan import MeasurementPlan
from qlowrank.measurement.selection import AllShots, PostSelected
from qlowrank.measurement.simulate import SimulatedExperiments

CHANCE = 1e-9
"""Probability that honest experiments fail their check."""


def outcome_checks(evidence: Evidence) -> Iterator[Check]:
    """Check estimate and experiments against the plan, where there is one."""
    if evidence.plan is None:
        return
    measured = evidence.measurements
    if measured is not None:
        yield equal(
            "measurements: circuits are the plan's",
            measured.circuits == evidence.plan.circuits_id,
            f"{measured.total_shots} shots of {measured.circuits}",
        )
    if evidence.estimate is not None:
        yield from _estimate_checks(evidence.estimate, evidence.plan)
        if measured is not None:
            yield from _count_checks(evidence.estimate, evidence.plan, measured)
    if evidence.experiments is not None and "fci_state" in evidence.states:
        yield from _experiment_checks(evidence.experiments, evidence.plan, evidence)


def _estimate_checks(estimate: EnergyEstimate, plan: MeasurementPlan) -> Iterator[Check]:
    """Energy and standard error are sums over the groups."""
    if len(estimate.means) != plan.n_groups:
        yield equal("estimate: groups", False, f"{len(estimate.means)} of {plan.n_groups}")
        return
    counts, left_out = estimate.wrong_sector, estimate.selection.discarded
    run = estimate.shots + left_out
    yield equal("estimate: shots", bool((run >= plan.shots).all()), "as many as the plan has")
    yield equal(
        "estimate: shots in the wrong sector",
        bool(((counts >= 0) & (counts <= run)).all()),
        "none above the group's shots",
    )
    yield equal(
        "estimate: shots left out",
        np.array_equal(left_out, np.zeros_like(counts) if _all(estimate) else counts),
        f"{int(left_out.sum())}, those that the selection '{estimate.selection.method}' leaves out",
    )
    energy = plan.constant + float(np.sum(estimate.means))
    scale = abs(plan.constant) + float(np.abs(estimate.means).sum())
    yield within(
        "estimate: energy",
        abs(energy - estimate.energy),
        plan.n_groups * EPS * scale,
        "constant plus means differs by",
    )
    squared = float(np.sum(estimate.believed / estimate.shots))
    error = np.sqrt(squared) if bool((estimate.believed >= 0).all()) else np.nan
    yield within(
        "estimate: standard error",
        abs(float(error) - estimate.standard_error),
        plan.n_groups * EPS * float(np.sqrt(abs(squared))),
        "sqrt(Σ variance / shots) differs by",
    )


def _all(estimate: EnergyEstimate) -> bool:
    """Whether all shots count."""
    return estimate.selection.method == AllShots().name


def _count_checks(
    estimate: EnergyEstimate, plan: MeasurementPlan, measured: Measurements
) -> Iterator[Check]:
    """The estimate is that of the counts, to the rounding of sums in another order."""
    fresh = evaluate(plan, measured, AllShots() if _all(estimate) else PostSelected())
    scales = np.array([largest_value(group) for group in plan.groups])
    rounding = MOMENT_ROUNDING * scales
    compared: tuple[tuple[str, Any, Any], ...] = (
        ("means", estimate.means - fresh.means, rounding),
        ("variances", estimate.variances - fresh.variances, rounding * scales),
        *_belief_gap(estimate, fresh, rounding * scales),
        ("shift", estimate.selection.shift - fresh.selection.shift, rounding.sum()),
        (
            "error of the shift",
            estimate.selection.shift_error - fresh.selection.shift_error,
            rounding.sum(),
        ),
    )
    for name, gaps, allowed in compared:
        over = np.abs(gaps) - allowed
        worst = int(np.argmax(over))
        yield within(
            f"estimate: {name} from the counts",
            float(np.ravel(np.abs(gaps))[worst]),
            float(np.ravel(allowed)[worst]),
            "differs by",
        )
    same = all(
        np.array_equal(stored, new)
        for stored, new in (
            (estimate.shots, fresh.shots),
            (estimate.wrong_sector, fresh.wrong_sector),
            (estimate.selection.discarded, fresh.selection.discarded),
        )
    )
    yield equal("estimate: shots from the counts", same, "kept, left out and wrong ones agree")


def _belief_gap(
    estimate: EnergyEstimate, fresh: EnergyEstimate, rounding: Array
) -> Iterator[tuple[str, Array, Array]]:
    """The variances that the error rests on; the first archives took the sample's own.

    Where sample and prediction contradict each other, the weights go with the fourth power of a
    ratio of variances, and carry four times its relative rounding.
    """
    if not np.array_equal(estimate.believed, estimate.variances):
        yield "believed variances", estimate.believed - fresh.believed, 5 * rounding


def _experiment_checks(
    experiments: SimulatedExperiments, plan: MeasurementPlan, evidence: Evidence
) -> Iterator[Check]:
    """Every simulated energy, and their average, is as near the exact one as chance allows."""
    state = evidence.states["fci_state"]
    moments = [evidence.moments(state, group) for group in plan.groups]
    exact = plan.constant + sum(m.mean for m in moments)
    spread = np.array([m.variance for m in moments])
    reach = np.array([2 * largest_value(group) for group in plan.groups])
    count = len(experiments.energies)
    farthest = float(np.abs(experiments.energies - exact).max(initial=0.0))
    average = abs(float(experiments.energies.mean()) - exact) if count else 0.0
    for name, deviation, repetitions, tries in (
        ("each energy", farthest, 1, max(count, 1)),
        ("average energy", average, max(count, 1), 1),
    ):
        limit = _bernstein(spread, reach, plan.shots * repetitions, CHANCE / tries)
        yield within(f"experiments: {name}", deviation, limit, "misses the state's energy by")
    # no variance, sampled or believed, exceeds shots / (shots − 1) times the range squared
    most = np.sqrt(np.sum(reach**2 / (plan.shots - 1)))
    errors = experiments.standard_errors
    yield equal(
        "experiments: standard errors",
        bool(((errors >= 0) & (errors <= most * (1 + plan.n_groups * EPS))).all()),
        f"{count}, all from 0 to {most:.2g} Hartree",
    )


def _bernstein(variances: Array, reach: Array, shots: np.ndarray, chance: float) -> float:
    """Deviation of a sum of sample means that is exceeded with at most this probability.

    Bernstein's inequality for independent bounded terms: 2 exp(−t² / (2σ² + 2bt/3)) = chance,
    solved for t; b is the farthest a single shot can move the sum.
    """
    logarithm = np.log(2 / chance)
    variance = float(np.sum(variances / shots))
    step = float((reach / shots).max(initial=0.0)) * logarithm / 3
    return float(step + np.sqrt(step**2 + 2 * variance * logarithm))
