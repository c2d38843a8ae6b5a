# SPDX-License-Identifier: Apache-2.0
"""From measured bitstrings to an energy with its standard error."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.measurement.plan import MeasurementPlan


@dataclass(frozen=True, eq=False)
class EnergyEstimate:
    """An energy as measured, with what each group contributed."""

    energy: float = field(metadata={"units": "hartree"})
    """Constant plus the groups' sample means, Hartree."""
    standard_error: float = field(metadata={"units": "hartree"})
    """sqrt(Σ_g s_g² / m_g) with the groups' sample variances s_g², Hartree."""
    means: Array = field(metadata={"units": "hartree", "axes": "group"})
    """Sample means, shape (n_groups,), Hartree."""
    variances: Array = field(metadata={"units": "hartree^2", "axes": "group"})
    """Unbiased sample variances, shape (n_groups,), Hartree²."""
    wrong_sector: np.ndarray = field(metadata={"units": "1", "axes": "group"})
    """Shots of each group whose particle numbers are not the plan's; they are counted in."""

    def __post_init__(self) -> None:
        shape = np.shape(self.means)
        for name in ("means", "variances"):
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))


def estimate_energy(plan: MeasurementPlan, result: Any) -> EnergyEstimate:
    """Return energy and standard error from a SamplerV2 result for `plan.pubs(...)`.

    Args:
        plan: The plan whose PUBs were run.
        result: One PUB result a group, in order, with the classical register `meas`.

    Raises:
        InputError: Results are missing, or have the wrong bits or fewer than two shots.
    """
    results = list(result)
    if len(results) != plan.n_groups:
        raise InputError(
            f"The plan has {plan.n_groups} groups and the result has {len(results)}; pass the "
            "result of all of plan.pubs(...), in order."
        )
    means, variances, counts, foreign = [], [], [], []
    for position, (group, pub) in enumerate(zip(plan.groups, results, strict=True)):
        alpha, beta = _occupations(pub, plan, position)
        values = group.values(alpha, beta)
        means.append(float(values.mean()))
        variances.append(float(values.var(ddof=1)))
        counts.append(len(values))
        right = (alpha.sum(axis=1) == plan.nelec[0]) & (beta.sum(axis=1) == plan.nelec[1])
        foreign.append(int(np.sum(~right)))
    return EnergyEstimate(
        energy=plan.constant + float(np.sum(means)),
        standard_error=float(np.sqrt(np.sum(np.array(variances) / np.array(counts)))),
        means=np.array(means),
        variances=np.array(variances),
        wrong_sector=np.array(foreign),
    )


def _occupations(pub: Any, plan: MeasurementPlan, position: int) -> tuple[Array, Array]:
    """Occupations of the rotated orbitals, one row a shot, alpha and beta."""
    bits = getattr(getattr(pub, "data", None), "meas", None)
    if bits is None:
        raise InputError(
            f"Result {position} has no classical register 'meas'; run the circuits of "
            "plan.pubs(...) on a SamplerV2."
        )
    if bits.num_bits != 2 * plan.norb:
        raise InputError(
            f"Result {position} has {bits.num_bits} bits; {2 * plan.norb} were measured."
        )
    if bits.num_shots != plan.shots[position]:
        raise InputError(
            f"Result {position} has {bits.num_shots} shots, and the plan asked for "
            f"{plan.shots[position]}. Results must be complete and in the plan's order."
        )
    table = bits.to_bool_array(order="little").reshape(-1, 2 * plan.norb).astype(float)
    return table[:, : plan.norb], table[:, plan.norb :]
