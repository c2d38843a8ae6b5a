# SPDX-License-Identifier: Apache-2.0
"""Product formulas as schedules: which layer of a Hamiltonian evolves, and for how long."""

from collections.abc import Iterator

from qlowrank import checks
from qlowrank.checks import InputError

Schedule = list[tuple[int, float]]
"""(layer, time) in the order in which they act."""


def product_formula(n_layers: int, *, time: float, steps: int = 1, order: int = 2) -> Schedule:
    r"""Schedule of a product formula; equal layers that follow one another are one.

    .. math::
        S_1(t) = e^{-iH_L t} \cdots e^{-iH_1 t} e^{-iH_0 t}, \qquad
        S_2(t) = e^{-iH_0 t/2} \cdots e^{-iH_L t} \cdots e^{-iH_0 t/2}

    and Suzuki's recursion :math:`S_{2k}(t) = S_{2k-2}(pt)^2\, S_{2k-2}((1 - 4p)t)\,
    S_{2k-2}(pt)^2` with :math:`p = 1/(4 - 4^{1/(2k-1)})` above. The error of one step is of order
    t^(order + 1).

    Args:
        n_layers: Layers of the Hamiltonian, zero or more.
        time: Time in all; negative runs backwards.
        steps: Equal steps, one or more.
        order: 1 or an even number.

    Raises:
        InputError: A time that is not finite, no steps, or an order that is neither 1 nor even.

    Source:
        M. Suzuki, J. Math. Phys. 32, 400 (1991).

    >>> product_formula(3, time=1.0)
    [(0, 0.5), (1, 0.5), (2, 1.0), (1, 0.5), (0, 0.5)]
    >>> product_formula(2, time=1.0, steps=2)
    [(0, 0.25), (1, 0.5), (0, 0.5), (1, 0.5), (0, 0.25)]
    """
    time, steps, order = (
        checks.finite("time", time),
        checks.whole("steps", steps),
        checks.whole("order", order),
    )
    if steps < 1:
        raise InputError(f"steps must be at least 1; got {steps}.")
    if order != 1 and (order < 2 or order % 2):
        raise InputError(f"order must be 1 or an even number; got {order}.")
    merged: Schedule = []
    for _ in range(steps):
        for layer, duration in _one_step(n_layers, time / steps, order):
            before = merged.pop()[1] if merged and merged[-1][0] == layer else 0.0
            merged.append((layer, before + duration))
    return merged


def _one_step(n_layers: int, time: float, order: int) -> Iterator[tuple[int, float]]:
    """Yield one step, equal neighbours not yet merged."""
    if order == 1:
        yield from ((layer, time) for layer in range(n_layers))
    elif order == 2:
        yield from ((layer, time / 2) for layer in range(n_layers))
        yield from ((layer, time / 2) for layer in reversed(range(n_layers)))
    else:
        share = 1 / (4 - 4 ** (1 / (order - 1)))
        for part in (share, share, 1 - 4 * share, share, share):
            yield from _one_step(n_layers, part * time, order - 2)
