# SPDX-License-Identifier: Apache-2.0
"""How many shots each group gets."""

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError

LEAST_SHOTS = 2
"""Every group is read at least twice, so that its variance can be estimated."""

MOST_SHOTS = 2**53
"""Beyond this a number of shots is no longer exact in double precision."""


ROUNDING = 1e-12
"""Relative error that double precision may leave in a number of shots."""


def allocate_shots(variances: Array, precision: float) -> np.ndarray:
    r"""Return the integer shots that reach a standard error with the fewest in all.

    .. math:: m_g = \Big\lceil \sqrt{V_g} \, \sum_h \sqrt{V_h} \,/\, \epsilon^2 \Big\rceil
              \quad\Rightarrow\quad \sum_g V_g / m_g \le \epsilon^2

    which is Lagrange's optimum, at most one shot a group above it, or `LEAST_SHOTS` where the
    optimum is less.

    Args:
        variances: V, shape (n_groups,), Hartree².
        precision: ε, the standard error asked for, Hartree.

    Returns:
        Shape (n_groups,), integers.

    Raises:
        InputError: Negative or non-finite variances, a precision that is not positive, or one
            that no countable number of shots can reach.

    >>> allocate_shots(np.array([1.0, 4.0]), precision=0.1)
    array([300, 600])
    """
    epsilon = checks.positive("precision", precision)
    given = checks.readonly("variances", variances, (np.size(variances),))
    if (given < 0).any():
        raise InputError(f"variances must be at least 0 Hartree²; got {given.min():g}.")
    spread = np.sqrt(given)
    root = float(spread.sum()) / epsilon
    if root * root > MOST_SHOTS:
        raise InputError(
            f"A precision of {epsilon:g} Hartree needs {root * root:.1e} shots, more than can be "
            "counted. Ask for a larger standard error."
        )
    ideal = spread / epsilon * root
    for slack in (-ROUNDING, 0.0, ROUNDING):  # a whole number should not be rounded up by noise
        shots = np.maximum(np.ceil(ideal * (1 + slack)).astype(np.int64), LEAST_SHOTS)
        if np.sqrt(np.sum(given / shots)) <= epsilon:
            break
    return shots
