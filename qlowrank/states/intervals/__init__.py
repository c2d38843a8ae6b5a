# SPDX-License-Identifier: Apache-2.0
"""Certified energy intervals: solvers, what is known of them, and the ends they prove."""

from qlowrank.states.intervals.interval import energy_interval
from qlowrank.states.intervals.record import End, EnergyInterval
from qlowrank.states.intervals.solved import (
    Claim,
    CorrelatedState,
    Solved,
    Solver,
    VariationalState,
)
from qlowrank.states.intervals.solvers import CISD, FCI, CoupledCluster, HartreeFock

__all__ = [
    "CISD",
    "FCI",
    "Claim",
    "CorrelatedState",
    "CoupledCluster",
    "End",
    "EnergyInterval",
    "HartreeFock",
    "Solved",
    "Solver",
    "VariationalState",
    "energy_interval",
]
