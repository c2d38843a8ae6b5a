# SPDX-License-Identifier: Apache-2.0
"""One precision for truncation and shots together: how many leaves to drop, and what it buys."""

from dataclasses import replace

import numpy as np

from qlowrank import checks
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.lowrank import Progress
from qlowrank.measurement.fragments import FragmentMethod
from qlowrank.measurement.plan import CHEMICAL_PRECISION, MeasurementPlan, plan_measurement
from qlowrank.measurement.pricing import Bias
from qlowrank.measurement.truncation import (
    LeafLosses,
    SectorBias,
    Truncation,
    without_leaves,
)
from qlowrank.states.state import State

SPARE = 0.01
"""A plan with fewer circuits is preferred where it needs at most this share more shots."""


def plan_with_budget(
    factorization: DoubleFactorization,
    state: State,
    *,
    precision: float = CHEMICAL_PRECISION,
    truncation: Truncation | None = None,
    fragments: FragmentMethod | None = None,
    floor: float = 0.0,
    progress: Progress | None = None,
) -> MeasurementPlan:
    r"""Plan a measurement whose bias and standard error together reach a precision.

    .. math:: \epsilon^2 = b^2 + \sigma^2, \qquad
              M(b) = \frac{\big(\sum_g \sqrt{\mathrm{Var}\,F_g}\big)^2}{\epsilon^2 - b^2}

    Leaves are dropped in the order of their bias, smallest first, each leaving its one-body part
    and a constant behind; b is what the factorization inherits plus the sum over the dropped. For
    each of `truncation.shares`, as many leaves are dropped as keep b within that part of what the
    precision leaves, and the plan is made. The one with the fewest shots is returned, or one with
    fewer circuits that needs at most 1 % more.

    Args:
        factorization: All leaves.
        state: Prices the groups.
        precision: ε, Hartree.
        truncation: How the bias is bounded: `SectorBias()` (default), proven for every state of
            the sector, or `StateBias()`, taken from the pricing state.
        fragments: How groups are chosen, anew for every truncation; plain by default.
        floor: As in `plan_measurement`.
        progress: Called as the plans are made.

    Returns:
        The plan; its `bias` says how many leaves are dropped, the bias, and where that holds. It is
        compared with the whole factorization when an archive that holds both is verified.

    Raises:
        InputError: The factorization's own bias is not below the precision: no number of shots
            reaches it; or as in `plan_measurement`.

    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.states import fci_state
    >>> hamiltonian = from_example("lih")
    >>> factorization, state = double_factorize(hamiltonian), fci_state(hamiltonian)
    >>> plan = plan_with_budget(factorization, state, precision=0.02)
    >>> plan.n_groups, plan.bias.dropped, bool(plan.predicted_error <= 0.02)
    (19, 3, True)
    """
    target = checks.positive("precision", precision)
    method = SectorBias() if truncation is None else truncation
    losses = method(factorization, state)
    order = np.argsort(losses.bounds, kind="stable")
    biases = losses.inherited + np.concatenate([[0.0], np.cumsum(losses.bounds[order])])
    Bias(float(biases[0])).left_of(target)
    plans = []
    numbers = _numbers(biases, target, method)
    for done, number in enumerate(numbers, 1):
        bias = Bias(float(biases[number]), losses.scope, number)
        part = _truncated(factorization, losses, order[:number])
        whole = plan_measurement(
            part, state, precision=bias.left_of(target), fragments=fragments, floor=floor
        )
        plans.append(replace(whole, precision=target, bias=bias))
        if progress is not None:
            progress("truncations", done, len(numbers))
    fewest = min(plan.total_shots for plan in plans)
    near = [plan for plan in plans if plan.total_shots <= (1 + SPARE) * fewest]
    return min(near, key=lambda plan: (plan.n_groups, plan.total_shots))


def _numbers(biases: np.ndarray, precision: float, method: Truncation) -> list[int]:
    """How many leaves to drop for each share of what the precision leaves, ascending."""
    room = precision - biases[0]
    limits = [biases[0] + share * room for share in method.shares]
    return sorted({int(np.searchsorted(biases, limit, side="right")) - 1 for limit in limits})


def _truncated(
    factorization: DoubleFactorization, losses: LeafLosses, dropped: np.ndarray
) -> DoubleFactorization:
    """Leave out leaves, or return the factorization as it is where there are none."""
    return without_leaves(factorization, losses, dropped) if len(dropped) else factorization
