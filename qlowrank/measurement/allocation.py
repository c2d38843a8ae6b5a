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


def allocate_shots(
    variances: Array,
    precision: float,
    *,
    floor: float = 0.0,
    spent: np.ndarray | None = None,
) -> np.ndarray:
    r"""Return the integer shots that reach a standard error with the fewest in all.

    .. math:: m_g = \Big\lceil \sqrt{V_g} \, \sum_h \sqrt{V_h} \,/\, \epsilon^2 \Big\rceil
              \quad\Rightarrow\quad \sum_g V_g / m_g \le \epsilon^2

    which is Lagrange's optimum, at most one shot a group above it, or `LEAST_SHOTS` where the
    optimum is less. A floor φ spreads that share of the shots evenly,
    :math:`m_g \propto (1 - \varphi) \sqrt{V_g} / \sum_h \sqrt{V_h} + \varphi / G`: where variances
    come from an approximate state, a group that it believes to be quiet still gets its shots, and
    the precision costs at most 1 / (1 − φ) times as many.

    Shots :math:`a_g` that are spent already count, and cannot be had back: the optimum under
    :math:`m_g \ge a_g` is :math:`m_g = \max(a_g, \lambda w_g)` with the shares w as before and the
    λ that reaches the precision (Karush, Kuhn and Tucker's conditions).

    Args:
        variances: V, shape (n_groups,), Hartree².
        precision: ε, the standard error asked for, Hartree.
        floor: φ, from 0 to less than 1.
        spent: a, integers of shape (n_groups,), part of what is returned; None: nothing.

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
    if not 0 <= floor < 1:
        raise InputError(f"floor must be at least 0 and less than 1; got {floor}.")
    had = checks.counts("spent", np.zeros(len(given)) if spent is None else spent, given.shape)
    spread = np.sqrt(given)
    even = float(spread.mean()) if len(spread) else 0.0
    shares = (1 - floor) * spread + floor * even  # of sum Σ sqrt(V)
    unit = float(np.sum(np.divide(given, shares, out=np.zeros(len(given)), where=shares > 0)))
    if unit / epsilon * (float(spread.sum()) / epsilon) > MOST_SHOTS:
        raise InputError(
            f"A precision of {epsilon:g} Hartree needs "
            f"{unit / epsilon * (float(spread.sum()) / epsilon):.1e} shots, more than can be "
            "counted. Ask for a larger standard error."
        )
    ideal = _beyond(had, given, shares, epsilon)
    for slack in (-ROUNDING, 0.0, ROUNDING):  # a whole number should not be rounded up by noise
        shots = np.maximum(np.ceil(ideal * (1 + slack)).astype(np.int64), LEAST_SHOTS)
        shots = np.maximum(shots, had)
        if np.sqrt(np.sum(given / shots)) <= epsilon:
            break
    return shots


def _beyond(had: np.ndarray, variances: Array, shares: Array, epsilon: float) -> Array:
    """Return λw for the groups that need more than they had, 0 for the others.

    A group that had more than its part leaves more of ε² to the others, whose λ falls; so groups
    only ever leave the set of those that need more, and it settles.
    """
    lacking = np.ones(len(variances), dtype=bool)
    while lacking.any():
        left = 1 - float(np.sum(variances[~lacking] / had[~lacking] / epsilon / epsilon))
        used = lacking & (shares > 0)
        ratios = np.divide(variances, shares, out=np.zeros(len(variances)), where=used)
        unit = float(np.sum(ratios))
        if unit == 0:
            break
        ideal = np.where(lacking, shares / epsilon * (unit / epsilon / left), 0.0)
        enough = lacking & (had > ideal)
        if not enough.any():
            return ideal
        lacking &= ~enough
    return np.zeros(len(variances))
