# SPDX-License-Identifier: Apache-2.0
"""How many shots each group gets."""

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError

LEAST_SHOTS = 2
"""Every group is read at least twice, so that its variance can be estimated."""

MOST_SHOTS = 2**53
"""Beyond this a number of shots is no longer exact in double precision."""


def allocate_shots(variances: Array, precision: float) -> np.ndarray:
    r"""Return the integer shots that reach a standard error with the fewest in all.

    .. math:: m_g = \Big\lceil \sqrt{V_g} \, \sum_h \sqrt{V_h} \,/\, \epsilon^2 \Big\rceil
              \quad\Rightarrow\quad \sum_g V_g / m_g \le \epsilon^2

    which is Lagrange's optimum, at most one shot a group above it.

    Args:
        variances: V, shape (n_groups,), Hartree².
        precision: ε, the standard error asked for, Hartree.

    Raises:
        InputError: Negative or non-finite variances, a precision that is not positive, or one
            that no countable number of shots can reach.

    >>> allocate_shots(np.array([1.0, 4.0]), precision=0.1)
    array([300, 600])
    """
    epsilon = checks.positive("precision", precision)
    spread = np.sqrt(checks.readonly("variances", np.maximum(variances, 0), np.shape(variances)))
    ideal = spread * spread.sum() / epsilon**2
    if ideal.sum() > MOST_SHOTS:
        raise InputError(
            f"A precision of {epsilon:g} Hartree needs {ideal.sum():.1e} shots, more than can be "
            "counted. Ask for a larger standard error."
        )
    whole = np.ceil(ideal * (1 - 1e-12)).astype(np.int64)
    return np.maximum(whole, LEAST_SHOTS)
