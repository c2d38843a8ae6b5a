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
        wrong = np.array(self.wrong_sector, dtype=np.int64)
        if wrong.shape != shape:
            raise InputError(f"wrong_sector must have shape {shape}; got {wrong.shape}.")
        wrong.flags.writeable = False
        object.__setattr__(self, "wrong_sector", wrong)


def estimate_energy(plan: MeasurementPlan, result: Any) -> EnergyEstimate:
    r"""Return energy and standard error from a SamplerV2 result for `plan.pubs(...)`.

    .. math:: E = E_0 + \sum_g \bar F_g, \qquad \sigma^2 = \sum_g s_g^2 / m_g

    Args:
        plan: The plan whose PUBs were run.
        result: One PUB result a group, in order, with the classical register `meas`.

    Raises:
        InputError: Results are missing, or have the wrong bits or number of shots.
    """
    try:
        results = list(result)
    except TypeError:
        raise InputError(
            f"Expected the result of a SamplerV2 job, one entry a group; got "
            f"{type(result).__name__}. Pass job.result()."
        ) from None
    if len(results) != plan.n_groups:
        raise InputError(
            f"The plan has {plan.n_groups} groups and the result has {len(results)}; pass the "
            "result of all of plan.pubs(...), in order."
        )
    means, variances, foreign = [], [], []
    for position, (group, pub) in enumerate(zip(plan.groups, results, strict=True)):
        alpha, beta, counts = _outcomes(pub, plan, position)
        values = group.values(alpha, beta)
        mean = float(counts @ values) / counts.sum()
        means.append(mean)
        variances.append(float(counts @ (values - mean) ** 2) / (counts.sum() - 1))
        right = (alpha.sum(axis=1) == plan.nelec[0]) & (beta.sum(axis=1) == plan.nelec[1])
        foreign.append(int(counts[~right].sum()))
    return EnergyEstimate(
        energy=plan.constant + float(np.sum(means)),
        standard_error=float(np.sqrt(np.sum(np.array(variances) / plan.shots))),
        means=np.array(means),
        variances=np.array(variances),
        wrong_sector=np.array(foreign),
    )


def _outcomes(pub: Any, plan: MeasurementPlan, position: int) -> tuple[Array, Array, np.ndarray]:
    """Occupations of the rotated orbitals, alpha and beta, one row an outcome, and their counts."""
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
    shots = bits.size * bits.num_shots
    if shots != plan.shots[position]:
        raise InputError(
            f"Result {position} has {shots} shots, and the plan asked for "
            f"{plan.shots[position]}. Results must be complete and in the plan's order."
        )
    # Millions of shots show few outcomes: count equal rows of bytes before unpacking any.
    n_bytes = bits.array.shape[-1]
    rows = np.ascontiguousarray(bits.array.reshape(-1, n_bytes)).view(f"V{n_bytes}").ravel()
    distinct, counts = np.unique(rows, return_counts=True)
    packed = distinct.view(np.uint8).reshape(-1, n_bytes)
    table = np.unpackbits(packed, axis=1)[:, ::-1].astype(float)  # bit 0 is the last of the row
    return table[:, : plan.norb], table[:, plan.norb : 2 * plan.norb], counts
