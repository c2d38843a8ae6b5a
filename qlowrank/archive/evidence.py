# SPDX-License-Identifier: Apache-2.0
"""The records of one archive, side by side, for checks that compare them."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from qlowrank.archive.kinds import STATES
from qlowrank.factorization.compression.record import CompressedFactorization
from qlowrank.factorization.double import double_factorize
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank import Progress
from qlowrank.measurement.estimate import EnergyEstimate
from qlowrank.measurement.measurements import Measurements
from qlowrank.measurement.plan import MeasurementPlan
from qlowrank.measurement.simulate import SimulatedExperiments
from qlowrank.states.mps_state import MPSState
from qlowrank.states.state import Moments, State

EPS = float(np.finfo(float).eps)
"""Relative spacing of double precision."""

ENERGY_TOLERANCE = 1e-8
"""Hartree; the agreement that every rebuilt energy must reach, as on import."""


MOMENT_ROUNDING = 1000 * EPS
"""How far moments may move, relative to the group's largest value (to its square, for variances),
when another machine sums in another order: a few roundings for each of a few hundred terms. Other
processors' kernels were seen to move them by up to 10 eps."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the checks have to go by."""

    records: dict[str, Any]
    """Records by kind, those that could be read."""
    progress: Progress | None = None
    """Called as moments are recomputed."""
    _moments: dict[tuple[int, bytes], Moments] = field(default_factory=dict, repr=False)

    @property
    def hamiltonian(self) -> Hamiltonian | None:
        """The Hamiltonian, if it is held."""
        return self.records.get("hamiltonian")

    @property
    def factorization(self) -> DoubleFactorization | None:
        """The factorization, if it is held."""
        return self.records.get("factorization")

    @property
    def compressed(self) -> CompressedFactorization | None:
        """The compressed factorization, if it is held."""
        return self.records.get("compressed")

    @property
    def measured(self) -> DoubleFactorization | CompressedFactorization | None:
        """What a plan in this file measures: the leaves that are held, explicit ones first."""
        return self.factorization or self.compressed

    @property
    def plan(self) -> MeasurementPlan | None:
        """The plan, if it is held."""
        return self.records.get("plan")

    @property
    def measurements(self) -> Measurements | None:
        """The counts, if they are held."""
        return self.records.get("measurements")

    @property
    def estimate(self) -> EnergyEstimate | None:
        """The estimate, if it is held."""
        return self.records.get("estimate")

    @property
    def experiments(self) -> SimulatedExperiments | None:
        """The simulated experiments, if they are held."""
        return self.records.get("experiments")

    @property
    def states(self) -> dict[str, State]:
        """The states that are held, by kind."""
        return {kind: self.records[kind] for kind in STATES if kind in self.records}

    @cached_property
    def squares(self) -> DoubleFactorization | None:
        """Squares to recompute energies from, the Hamiltonian's to `ENERGY_TOLERANCE` if it can be.

        The factorization's where it cut next to nothing (its moments serve the plan too), else the
        Hamiltonian's own, diagonalised anew; the factorization's too where there is no Hamiltonian.
        """
        if self.hamiltonian is None or self.factorization is None:
            whole = None if self.hamiltonian is None else double_factorize(self.hamiltonian)
            return self.factorization or whole
        if self.cut * sum(self.hamiltonian.nelec) <= ENERGY_TOLERANCE:
            return self.factorization
        return double_factorize(self.hamiltonian)

    @property
    def lost(self) -> float:
        """Bound the trace norm between `squares` and what the states were made for, Hartree."""
        return self.cut if self.squares is self.factorization else 0.0

    @property
    def cut(self) -> float:
        """Trace norm of what the factorization cut, or of all it lost where no more is known."""
        return self._lost_by(self.factorization)

    @property
    def unmeasured(self) -> float:
        """The same of what the plan measures."""
        return self._lost_by(self.measured)

    def _lost_by(self, leaves: DoubleFactorization | CompressedFactorization | None) -> float:
        """Bound the trace norm between the Hamiltonian and leaves, Hartree."""
        if leaves is None:
            return 0.0
        known = 0.0 if self.hamiltonian is None else self.hamiltonian.residual_trace
        return max(leaves.status.trace_norm_error - known, 0.0)

    def moments(self, state: State, operator: DiagonalOperator) -> Moments:
        """Return mean and variance, computed once for each state and operator."""
        key = _key(state, operator)
        if key not in self._moments:
            self._moments[key] = state.moments(operator)
            if self.progress is not None:
                self.progress("moments recomputed", len(self._moments), None)
        return self._moments[key]

    def mean(self, state: State, operator: DiagonalOperator) -> float:
        """Return the mean alone: in an MPS it takes no fit, which a variance does."""
        if not isinstance(state, MPSState) or _key(state, operator) in self._moments:
            return self.moments(state, operator).mean
        return state.mean(operator)


def _key(state: State, operator: DiagonalOperator) -> tuple[int, bytes]:
    """Tell states and operators apart; states live as long as the evidence."""
    summary = hashlib.sha256()
    for array in (operator.frame, operator.linear, operator.same_spin, operator.opposite_spin):
        summary.update(array.tobytes())
    return id(state), summary.digest()


def largest_value(operator: DiagonalOperator) -> float:
    """Bound |F| over all occupations, Hartree: rounding errors of its moments scale with it."""
    return float(
        2 * np.abs(operator.linear).sum()
        + np.abs(operator.same_spin).sum()
        + np.abs(operator.opposite_spin).sum()
    )
