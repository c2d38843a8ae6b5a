# SPDX-License-Identifier: Apache-2.0
"""From measured bitstrings to an energy with its standard error."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.measurement.allocation import LEAST_SHOTS
from qlowrank.measurement.measurements import Measurements
from qlowrank.measurement.outcomes import outcomes_of
from qlowrank.measurement.plan import MeasurementPlan
from qlowrank.measurement.pricing import no_variances
from qlowrank.measurement.prior import moderated, prior_of
from qlowrank.measurement.selection import AllShots, Mask, ShotSelection

NAMED_GROUPS = 5
"""How many groups a message lists."""


@dataclass(frozen=True, eq=False)
class SelectionOutcome:
    """Which shots were left out of an estimate, and by how much that moved the energy."""

    method: str
    """Name of the selection: "all" or "post-selected"."""
    discarded: np.ndarray = field(metadata={"units": "1", "axes": "group"})
    """Shots of each group that were left out, integers, shape (n_groups,)."""
    shift: float = field(default=0.0, metadata={"units": "hartree"})
    """Energy of the shots that count less that of all shots, Hartree: what the selection removed of
    the device's bias, and no bound on what is left of it."""
    shift_error: float = field(default=0.0, metadata={"units": "hartree"})
    """Standard error of `shift`, Hartree."""

    def __post_init__(self) -> None:
        discarded = checks.counts("discarded", self.discarded, np.shape(self.discarded))
        object.__setattr__(self, "discarded", discarded)


@dataclass(frozen=True, eq=False)
class EnergyEstimate:
    """An energy as measured, with what each group contributed."""

    energy: float = field(metadata={"units": "hartree"})
    """Constant plus the groups' sample means, Hartree."""
    standard_error: float = field(metadata={"units": "hartree"})
    """sqrt(Σ_g Ṽ_g / m_g), Hartree, with the variances `believed`."""
    means: Array = field(metadata={"units": "hartree", "axes": "group"})
    """Sample means of the shots that count, shape (n_groups,), Hartree."""
    variances: Array = field(metadata={"units": "hartree^2", "axes": "group"})
    """Unbiased sample variances of the shots that count, shape (n_groups,), Hartree²."""
    wrong_sector: np.ndarray = field(metadata={"units": "1", "axes": "group"})
    """Shots of each group whose particle numbers are not the plan's, whether they count or not."""
    shots: np.ndarray = field(metadata={"units": "1", "axes": "group"})
    """m, the shots of each group that count, integers, shape (n_groups,)."""
    selection: SelectionOutcome
    """Which shots were left out, and what that changed."""
    believed: Array = field(
        default_factory=no_variances, metadata={"units": "hartree^2", "axes": "group"}
    )
    """Ṽ, sample variances drawn towards the plan's prediction, shape (n_groups,), Hartree²; by
    default the sample variances themselves."""

    def __post_init__(self) -> None:
        shape = np.shape(self.means)
        for name in ("means", "variances"):
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))
        given = self.variances if np.size(self.believed) == 0 else self.believed
        object.__setattr__(self, "believed", checks.readonly("believed", given, shape))
        wrong = np.array(self.wrong_sector, dtype=np.int64)
        if wrong.shape != shape:
            raise InputError(f"wrong_sector must have shape {shape}; got {wrong.shape}.")
        wrong.flags.writeable = False
        object.__setattr__(self, "wrong_sector", wrong)
        object.__setattr__(self, "shots", checks.counts("shots", self.shots, shape))
        checks.counts("discarded", self.selection.discarded, shape)

    @property
    def sample_standard_error(self) -> float:
        """sqrt(Σ_g s_g² / m_g), Hartree: what the shots alone say.

        Where few shots meet rare outcomes, most experiments see none of these and understate it:
        see `MeasurementPlan.sample_error_uncertainty`.
        """
        return float(np.sqrt(np.sum(self.variances / self.shots)))

    @property
    def total_shots(self) -> int:
        """Shots that were run, whether they count or not."""
        return int(self.shots.sum() + self.selection.discarded.sum())

    @property
    def kept_share(self) -> float:
        """Share of the shots that counts."""
        return float(self.shots.sum() / self.total_shots)

    def __str__(self) -> str:
        """Lay the groups out as a table, in Hartree."""
        lines = ["group     shots  left out  wrong sector           mean      error  sample alone"]
        errors, sampled = np.sqrt(self.believed / self.shots), np.sqrt(self.variances / self.shots)
        rows = zip(
            self.shots,
            self.selection.discarded,
            self.wrong_sector,
            self.means,
            errors,
            sampled,
            strict=True,
        )
        for group, (shots, left_out, wrong, mean, error, alone) in enumerate(rows):
            lines.append(
                f"{group:>5} {shots:>9} {left_out:>9} {wrong:>13} {mean:>14.8f} {error:>10.2e} "
                f"{alone:>13.2e}"
            )
        return "\n".join([*lines, repr(self)])

    def __repr__(self) -> str:
        """Say what came out."""
        left_out = int(self.selection.discarded.sum())
        moved = (
            f", {left_out} left out, which moved it by {self.selection.shift:.2g} ± "
            f"{self.selection.shift_error:.1g}"
            if left_out
            else ""
        )
        return (
            f"EnergyEstimate({self.energy:.6f} ± {self.standard_error:.2g} Hartree from "
            f"{self.total_shots} shots of {len(self.means)} groups{moved})"
        )


def estimate_energy(
    plan: MeasurementPlan, measured: Any, *, selection: ShotSelection | None = None
) -> EnergyEstimate:
    r"""Return energy and standard error from the counts of a plan's circuits.

    .. math:: E = E_0 + \sum_g \bar F_g, \qquad \sigma^2 = \sum_g \tilde V_g / m_g, \qquad
              \tilde V_g = \frac{\nu_g V^0_g + (m_g - 1) s_g^2}{\nu_g + m_g - 1}

    over the shots that count. Sample variances s² alone would often miss rare outcomes, and then
    state too small an error; so they are drawn towards the plan's prediction V⁰, which is worth ν
    shots: 8 in groups with everyday outcomes, and as many more as they are rarer
    (`PredictedPrior`). With many shots the data decide. Where a determinant priced the plan, half a
    shot of a random outcome stands in for the prediction (`IgnorantPrior`).

    With post-selection, the m_g are random and the means are those given the right sector; given
    the m_g, each \bar F_g is an average of m_g independent shots, so the formula holds. The shift
    that the selection caused is \bar F_g less the average over all shots; with p the share that
    counts, shot i moves it by

    .. math:: \iota_i = k_i (F_i - \bar F^\text{kept}) / p - (F_i - \bar F^\text{all}), \qquad
              k_i = 1 \text{ if it counts, else } 0,

    to first order, and \sum_i \iota_i^2 / (n (n - 1)) is its squared standard error.

    Args:
        plan: The plan whose circuits were run.
        measured: `Measurements` with at least the plan's shots; or a SamplerV2 result of all PUBs.
            Entries of a result that name their group are put in order; where the sampler drops the
            circuits' metadata they must be in the plan's order, each with the plan's shots, which
            is all that can be checked then.
        selection: Which shots count: `AllShots()` (default) or `PostSelected()`.

    Raises:
        InputError: Results are missing, belong to another plan, or have the wrong bits or too few
            shots; a group has no shots left that count.
    """
    held = measured if isinstance(measured, Measurements) else _collected(plan, measured)
    lacking = held.remaining(plan)
    if lacking.any():
        raise InputError(_incomplete(lacking, plan.shots))
    return evaluate(plan, held, AllShots() if selection is None else selection)


def evaluate(
    plan: MeasurementPlan, measured: Measurements, selection: ShotSelection
) -> EnergyEstimate:
    """Return the estimate from whatever shots there are, at least two that count in every group.

    Raises:
        InputError: The counts belong to another plan, or too few of a group count.
    """
    measured.refuse_foreign(plan)
    found = [_group(plan, measured, number, selection) for number in range(plan.n_groups)]
    means, variances, shifts, shift_errors = np.array([moments for moments, _ in found]).T
    shots, discarded, wrong = np.array([numbers for _, numbers in found]).T
    belief = prior_of(plan)(plan, means, shots / (shots + discarded))
    believed = moderated(belief, variances, shots)
    return EnergyEstimate(
        energy=plan.constant + float(means.sum()),
        standard_error=float(np.sqrt(np.sum(believed / shots))),
        means=means,
        variances=variances,
        wrong_sector=wrong,
        shots=shots,
        selection=SelectionOutcome(
            method=selection.name,
            discarded=discarded,
            shift=float(shifts.sum()),
            shift_error=float(np.sqrt(shift_errors.sum())),
        ),
        believed=believed,
    )


def _group(
    plan: MeasurementPlan, measured: Measurements, number: int, selection: ShotSelection
) -> tuple[tuple[float, float, float, float], tuple[int, int, int]]:
    """Mean, variance, shift, its squared error; shots that count, that do not, that are wrong."""
    bits, counts = measured.of_group(number)
    table = bits.astype(float)
    alpha, beta = table[:, : plan.norb], table[:, plan.norb :]
    right: Mask = (alpha.sum(axis=1) == plan.nelec[0]) & (beta.sum(axis=1) == plan.nelec[1])
    counting = selection(right)
    kept = np.where(counting, counts, 0)
    total, shots = int(counts.sum()), int(kept.sum())
    if shots < LEAST_SHOTS:
        raise InputError(
            f"Group {number} has {shots} of {total} shots that count ({selection.name}), and "
            f"{LEAST_SHOTS} are needed for a mean and its error. Run more shots, or use "
            "AllShots(); where almost none is right, look at the preparation's electrons and the "
            "order of its qubits: alpha orbitals first."
        )
    values = plan.groups[number].values(alpha, beta)
    mean, overall = float(kept @ values) / shots, float(counts @ values) / total
    variance = float(kept @ (values - mean) ** 2) / (shots - 1)
    moved = counting * (values - mean) * (total / shots) - (values - overall)
    shift, shift_error = 0.0, 0.0
    if shots < total:
        shift = mean - overall
        shift_error = float(counts @ moved**2) / total / (total - 1)
    wrong = int(counts[~right].sum())
    return (mean, variance, shift, shift_error), (shots, total - shots, wrong)


def _collected(plan: MeasurementPlan, result: Any) -> Measurements:
    """Return a sampler's result as measurements; without names, it must be in the plan's order."""
    found = outcomes_of(result, 2 * plan.norb)
    empty = Measurements.empty(plan)
    if any(outcomes.group is not None for outcomes in found):
        return empty.add(result)
    if len(found) != plan.n_groups:
        raise InputError(
            f"The plan has {plan.n_groups} groups and the result has {len(found)}; pass the "
            "result of all of plan.pubs(...), in order."
        )
    for position, (outcomes, shots) in enumerate(zip(found, plan.shots, strict=True)):
        if outcomes.counts.sum() != shots:
            raise InputError(
                f"Result {position} has {outcomes.counts.sum()} shots, and the plan asked for "
                f"{shots}. Results must be complete and in the plan's order. Parts are collected "
                "with Measurements.empty(plan).add(result, groups=[...])."
            )
    return empty.add(result, groups=range(plan.n_groups))


def _incomplete(lacking: np.ndarray, shots: np.ndarray) -> str:
    """Say which groups lack how many shots, and how to go on."""
    groups = np.flatnonzero(lacking)
    named = ", ".join(f"{g} lacks {lacking[g]} of {shots[g]}" for g in groups[:NAMED_GROUPS])
    more = f" and {len(groups) - NAMED_GROUPS} more" if len(groups) > NAMED_GROUPS else ""
    return (
        f"The measurement is not complete: {len(groups)} of {len(shots)} groups lack shots (group "
        f"{named}{more}). Collect what there is with measured = Measurements.empty(plan)"
        ".add(result), run measured.remaining_pubs(plan, preparation) and add its result; or take "
        "what there is, at its own precision, with plan.with_shots(measured.shots)."
    )
