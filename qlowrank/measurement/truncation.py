# SPDX-License-Identifier: Apache-2.0
"""What it costs not to measure a leaf: bounds of its deviation, in the sector or in a state."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.record import DoubleFactorization, FactorizationStatus
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.states.state import State

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8)
"""Parts of the precision that a bias may take, each tried."""


@dataclass(frozen=True, eq=False)
class LeafLosses:
    r"""For each leaf, what takes its place when it is not measured, and how far that is off.

    .. math:: \tfrac12 \hat L_t^2 \;\to\; m_t \hat L_t - \tfrac12 m_t^2 + c_t, \qquad
              \text{off by } \tfrac12 (\hat L_t - m_t)^2 - c_t
    """

    centres: Array
    """m, shape (n_leaves,), Hartree^½."""
    corrections: Array
    """c, shape (n_leaves,), Hartree."""
    bounds: Array
    """Largest distance of ½(L̂ − m)² from c that is reckoned with, shape (n_leaves,), Hartree."""
    scope: str
    """Where the bounds hold: "sector", or the label of a state."""
    inherited: float
    """Bias of the factorization before any leaf is dropped, Hartree."""

    def __post_init__(self) -> None:
        for name in ("centres", "corrections", "bounds"):
            shape = (len(self.bounds),)
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))


class Truncation(Protocol):
    """A frozen object that says what the leaves' absence may cost."""

    @property
    def shares(self) -> Sequence[float]:
        """Parts of the precision that the bias may take, each tried."""
        ...

    def __call__(self, factorization: DoubleFactorization, state: State) -> LeafLosses:
        """Return the loss of every leaf."""
        ...


@dataclass(frozen=True, slots=True)
class SectorBias:
    r"""Bias proven for every state with the right numbers of electrons.

    In the sector, :math:`\hat L_t` takes values from :math:`a_t` to :math:`b_t`, the sums of its
    n_alpha and n_beta smallest and largest eigenvalues. About the middle,
    :math:`0 \le \tfrac12 (\hat L_t - m_t)^2 \le (b_t - a_t)^2 / 8`; half of that goes into the
    constant, and the other half is the bound, up or down.
    """

    inherited: float | None = None
    """Bias of the factorization itself, Hartree; None for its proven bound, electrons times
    `status.trace_norm_error`. A certified energy interval may know better."""
    shares: tuple[float, ...] = SHARES
    """Parts of the precision that the bias may take, from 0 to less than 1, each tried."""

    def __post_init__(self) -> None:
        _refuse_bad_shares(self.shares)

    def __call__(self, factorization: DoubleFactorization, state: State) -> LeafLosses:  # noqa: ARG002
        """Return the loss of every leaf; the state is not looked at."""
        ascending = np.sort(factorization.eigenvalues, axis=1)
        norb = factorization.norb
        lowest = sum(ascending[:, :n].sum(axis=1) for n in factorization.nelec)
        highest = sum(ascending[:, norb - n :].sum(axis=1) for n in factorization.nelec)
        bounds = (highest - lowest) ** 2 / 16
        return LeafLosses(
            centres=(highest + lowest) / 2,
            corrections=bounds,
            bounds=bounds,
            scope="sector",
            inherited=_inherited(self.inherited, factorization),
        )


@dataclass(frozen=True, slots=True)
class StateBias:
    r"""Bias taken from the pricing state: exact there, believed near it, proven nowhere else.

    About its mean in the pricing state, the part of a leaf that is dropped,
    :math:`\tfrac12 (\hat L_t - m_t)^2`, has the mean :math:`\tfrac12 \mathrm{Var}\,\hat L_t`. This
    goes into the constant, so that in the pricing state nothing is off, and is counted as bias in
    full. In a state where the dropped parts together have the mean d, and b here, the energy is off
    by d − b. As d is never negative, that is within the bias as long as d is at most twice b.
    """

    inherited: float | None = None
    """Bias of the factorization itself, Hartree; None for its proven bound, electrons times
    `status.trace_norm_error`. A certified energy interval may know better."""
    shares: tuple[float, ...] = SHARES
    """Parts of the precision that the bias may take, from 0 to less than 1, each tried."""

    def __post_init__(self) -> None:
        _refuse_bad_shares(self.shares)

    def __call__(self, factorization: DoubleFactorization, state: State) -> LeafLosses:
        """Return the loss of every leaf in the state."""
        nothing = np.zeros((factorization.norb, factorization.norb))
        moments = [
            state.moments(DiagonalOperator(leaf, values, nothing, nothing))
            for leaf, values in zip(factorization.leaves, factorization.eigenvalues, strict=True)
        ]
        bounds = np.array([moment.variance / 2 for moment in moments])
        return LeafLosses(
            centres=np.array([moment.mean for moment in moments]),
            corrections=bounds,
            bounds=bounds,
            scope=state.label,
            inherited=_inherited(self.inherited, factorization),
        )


def without_leaves(
    factorization: DoubleFactorization, losses: LeafLosses, dropped: np.ndarray
) -> DoubleFactorization:
    """Return the factorization with some leaves replaced by what stands in for them.

    Args:
        factorization: All leaves.
        losses: What takes their places.
        dropped: Numbers of the leaves to drop.

    Returns:
        The other leaves, with kappa + Σ m L and the constant − ½ Σ m² + Σ c. The bounds of its
        status are those of the integrals: they count the dropped squares in full.
    """
    kept = np.setdiff1d(np.arange(factorization.n_leaves), dropped)
    frames, values = factorization.leaves[dropped], factorization.eigenvalues[dropped]
    factors = contract("tpk,tk,tqk->tpq", frames, values, frames)
    centres, status = losses.centres[dropped], factorization.status
    constant = float(np.sum(losses.corrections[dropped] - centres**2 / 2))
    lost = float(np.sum(values**2))
    element = float(np.einsum("tpq,tpq->pq", factors, factors).max(initial=0.0))
    return replace(
        factorization,
        constants=replace(factorization.constants, other=factorization.constants.other + constant),
        one_body=factorization.one_body + contract("t,tpq->pq", centres, factors),
        eigenvalues=factorization.eigenvalues[kept],
        leaves=factorization.leaves[kept],
        status=FactorizationStatus(
            method=status.method,
            max_abs_error=status.max_abs_error + element,
            frobenius_error=status.frobenius_error + lost,
            trace_norm_error=status.trace_norm_error + lost,
        ),
    )


def _inherited(stated: float | None, factorization: DoubleFactorization) -> float:
    """Bias that comes with the factorization, Hartree."""
    if stated is None:
        return sum(factorization.nelec) * factorization.status.trace_norm_error
    if not checks.finite("inherited", stated) >= 0:
        raise InputError(f"inherited must be at least 0 Hartree; got {stated:g}.")
    return float(stated)


def _refuse_bad_shares(shares: Sequence[float]) -> None:
    """Refuse parts of the precision that leave nothing for the shots, or none at all."""
    if not shares or not all(0 <= share < 1 for share in shares):
        raise InputError(
            f"shares must be numbers from 0 to less than 1, one at least; got {shares}."
        )
