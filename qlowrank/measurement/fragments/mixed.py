# SPDX-License-Identifier: Apache-2.0
"""Fragments of mixed factors: frames chosen for a state, at any number of orbitals."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.gauge import with_positive_peak
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.lowrank import Progress
from qlowrank.measurement.fragments.record import Fragments, FragmentStatus
from qlowrank.measurement.fragments.shifted import FluidFragments
from qlowrank.states.reference import CISDState
from qlowrank.states.state import State

STIR = 0.05
"""Standard deviation of the angles, radians, by which factors are mixed to begin with."""

ROUNDING = 0.03
"""Width at which the square roots are rounded, in units of their mean at the start."""

GAIN = 1e-4
"""Relative gain of a step below which the descent ends."""


@dataclass(frozen=True, slots=True)
class MixedFragments:
    r"""Mix the factors so that squares vary least, then move one-body parts as in `FluidFragments`.

    .. math:: \min_Q \sum_t \sqrt{\mathrm{Var}\,\tfrac12 (\hat L'_t - \langle\hat L'_t\rangle)^2}

    With an orthogonal Q, :math:`L'_t = \sum_s Q_{ts} L_s` are the same integrals in other frames:
    the groups stay squares, as many as before, and exact whatever Q is. Variances and their slopes
    in a CISD state are exact at polynomial cost, so this goes where free cores do not fit any more;
    where they do, `OptimizedFragments` needs far fewer shots. The problem is not convex.
    """

    max_steps: int = 30
    """Steps of L-BFGS; each computes the variances of all leaves once or twice."""
    seed: int = 0
    """Of the generator that stirs the factors."""

    def __post_init__(self) -> None:
        if checks.whole("max_steps", self.max_steps) < 1:
            raise InputError(f"max_steps must be at least 1; got {self.max_steps}.")

    def __call__(
        self, factorization: DoubleFactorization, state: State, progress: Progress | None = None
    ) -> Fragments:
        """Return the fragments found.

        Args:
            factorization: Leaves to start from.
            state: A CISD state.
            progress: Called once an evaluation, then by the fluid problem.

        Raises:
            InputError: Another kind of state.

        >>> from qlowrank.factorization import double_factorize
        >>> from qlowrank.hamiltonian.read import from_example
        >>> from qlowrank.states import cisd_state
        >>> hamiltonian = from_example("h2")
        >>> fragments = MixedFragments()(double_factorize(hamiltonian), cisd_state(hamiltonian))
        >>> len(fragments.groups), fragments.status.method
        (4, 'mixed')
        """
        if not isinstance(state, CISDState):
            raise InputError(
                f"Factors are mixed for a CISD state; got the state {state.label}. Use "
                "ql.cisd_state, or OptimizedFragments where a CI vector fits."
            )
        if factorization.n_leaves < 2:  # nothing to mix
            found = FluidFragments()(factorization, state, progress)
            return replace(found, status=replace(found.status, method="mixed"))
        factors, converged, steps = self._mixed(factorization.factors(), state, progress)
        values, frames = np.linalg.eigh(factors)
        leaves = np.array([with_positive_peak(frame) for frame in frames])
        mixed = replace(factorization, eigenvalues=values, leaves=leaves)
        found = FluidFragments()(mixed, state, progress)
        status = FragmentStatus(
            method="mixed",
            converged=converged and found.status.converged,
            iterations=steps,
            message=f"{steps} steps of mixing; then fluid, {found.status.message}",
        )
        return replace(found, status=status)

    def _mixed(
        self, factors: Array, state: CISDState, progress: Progress | None
    ) -> tuple[Array, bool, int]:
        """Return mixed factors, whether the gain had become small, and the steps taken."""
        from scipy.optimize import minimize

        size = len(factors)
        upper = np.triu_indices(size, 1)
        angles = STIR * np.random.default_rng(self.seed).standard_normal((size, size))
        start = contract("ts,spq->tpq", _cayley((angles - angles.T) / 2)[1], factors)
        evaluate = _evaluator(start, state, progress, 2 * self.max_steps)

        def objective(x: Array) -> tuple[float, Array]:
            generator = np.zeros((size, size))
            generator[upper] = x
            inverse, rotation = _cayley(generator - generator.T)
            value, towards = evaluate(rotation)
            slope = inverse.T @ towards @ (rotation + np.eye(size)).T / 2
            return value, (slope - slope.T)[upper]

        options = {"maxiter": self.max_steps, "maxfun": 2 * self.max_steps, "ftol": GAIN}
        zero = np.zeros(len(upper[0]))
        result = minimize(objective, zero, jac=True, method="L-BFGS-B", options=options)
        generator = np.zeros((size, size))
        generator[upper] = result.x
        rotation = _cayley(generator - generator.T)[1]
        return contract("ts,spq->tpq", rotation, start), bool(result.success), int(result.nit)


def _evaluator(
    factors: Array, state: CISDState, progress: Progress | None, most: int
) -> Callable[[Array], tuple[float, Array]]:
    """Return the function from a mixing to the rounded objective and its slope."""
    first = [state.square_slope(factor)[0] for factor in factors]
    width = ROUNDING * float(np.sqrt(first).mean()) or 1.0
    calls = 0

    def evaluate(rotation: Array) -> tuple[float, Array]:
        nonlocal calls
        calls += 1
        value, slopes = 0.0, np.empty(factors.shape)
        for t, factor in enumerate(contract("ts,spq->tpq", rotation, factors)):
            variance, slope = state.square_slope(factor)
            deviation = float(np.sqrt(variance + width**2))
            value += deviation
            slopes[t] = slope / (2 * deviation)
        if progress is not None:
            progress("mixing factors", min(calls, most), most)
        return value, contract("tpq,spq->ts", slopes, factors)

    return evaluate


def _cayley(generator: Array) -> tuple[Array, Array]:
    """Return (1 − X/2)⁻¹ and (1 − X/2)⁻¹ (1 + X/2)."""
    one = np.eye(len(generator))
    inverse = np.asarray(np.linalg.inv(one - generator / 2))
    return inverse, inverse @ (one + generator / 2)
