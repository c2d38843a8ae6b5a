# SPDX-License-Identifier: Apache-2.0
"""One run of SciPy's L-BFGS, as all optimisers of this room use it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qlowrank.checks import Array

Function = Callable[[Array], tuple[float, Array]]
"""Value and gradient."""


@dataclass(frozen=True, eq=False, slots=True)
class Descent:
    """Where a run ended."""

    place: Array
    """The last coordinates, of the lowest value."""
    gradient_norm: float
    """There."""
    settled: bool
    """Whether the last step gained less than was asked for; else a limit was reached, or the line
    search found nothing lower."""


def descend(
    function: Function,
    start: Array,
    *,
    max_steps: int,
    memory: int,
    evaluations: int,
    tolerance: float = 0.0,
    note: Callable[[float], None],
) -> Descent:
    """Minimise a function from a start.

    Args:
        function: Returns value and gradient.
        start: Coordinates, shape (n,).
        max_steps: Most steps.
        memory: Steps that the method remembers.
        evaluations: Most evaluations, for each step of `max_steps`.
        tolerance: The run ends when a step gains less than this share of the value.
        note: Called with the value after every step.

    >>> values = []
    >>> found = descend(
    ...     lambda x: (float(x @ x), 2 * x), np.ones(3), max_steps=9, memory=5, evaluations=3,
    ...     note=values.append,
    ... )
    >>> bool(abs(found.place).max() < 1e-6), values[-1] < 1e-12
    (True, True)
    """
    from scipy.optimize import OptimizeResult, minimize

    def callback(intermediate_result: OptimizeResult) -> None:
        note(float(intermediate_result.fun))

    result = minimize(
        function,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=callback,
        options={
            "maxiter": max_steps,
            "maxfun": evaluations * max_steps,
            "maxcor": memory,
            "ftol": tolerance,
            "gtol": 0.0,
        },
    )
    settled = str(result.message).startswith("CONVERGENCE")
    return Descent(np.asarray(result.x), float(np.linalg.norm(result.jac)), settled)
