# SPDX-License-Identifier: Apache-2.0
"""Measurement: groups, their variances, shots, and energies from counts."""

from qlowrank.measurement.allocation import allocate_shots
from qlowrank.measurement.budget import plan_with_budget
from qlowrank.measurement.comparison import Comparison, ComparisonRow, compare_measurements
from qlowrank.measurement.estimate import EnergyEstimate, SelectionOutcome, estimate_energy
from qlowrank.measurement.fragments import (
    FluidFragments,
    FragmentMethod,
    Fragments,
    FragmentStatus,
    MeanFieldFragments,
    MixedFragments,
    OptimizedFragments,
    PlainFragments,
    ResplitFragments,
)
from qlowrank.measurement.groups import plain_groups
from qlowrank.measurement.measurements import Measurements
from qlowrank.measurement.pauli import PauliSum, pauli_terms
from qlowrank.measurement.pauli_groups import (
    PauliGroups,
    group_fully_commuting,
    group_qubit_wise,
)
from qlowrank.measurement.pauli_readout import PauliReadout, pauli_readout
from qlowrank.measurement.pauli_simulate import simulate_pauli_measurement
from qlowrank.measurement.pauli_variances import PauliBaseline, pauli_group_variances
from qlowrank.measurement.plan import MeasurementPlan, plan_measurement
from qlowrank.measurement.preparation import prepare_mps
from qlowrank.measurement.pricing import Bias, Pricing
from qlowrank.measurement.prior import Belief, IgnorantPrior, PredictedPrior, VariancePrior
from qlowrank.measurement.replan import replan
from qlowrank.measurement.sampling import simulate_counts
from qlowrank.measurement.selection import AllShots, PostSelected, ShotSelection
from qlowrank.measurement.simulate import SimulatedExperiments, simulate_measurement
from qlowrank.measurement.truncation import LeafLosses, SectorBias, StateBias, Truncation

__all__ = [
    "AllShots",
    "Belief",
    "Bias",
    "Comparison",
    "ComparisonRow",
    "EnergyEstimate",
    "FluidFragments",
    "FragmentMethod",
    "FragmentStatus",
    "Fragments",
    "IgnorantPrior",
    "LeafLosses",
    "MeanFieldFragments",
    "MeasurementPlan",
    "Measurements",
    "MixedFragments",
    "OptimizedFragments",
    "PauliBaseline",
    "PauliGroups",
    "PauliReadout",
    "PauliSum",
    "PlainFragments",
    "PostSelected",
    "PredictedPrior",
    "Pricing",
    "ResplitFragments",
    "SectorBias",
    "SelectionOutcome",
    "ShotSelection",
    "SimulatedExperiments",
    "StateBias",
    "Truncation",
    "VariancePrior",
    "allocate_shots",
    "compare_measurements",
    "estimate_energy",
    "group_fully_commuting",
    "group_qubit_wise",
    "pauli_group_variances",
    "pauli_readout",
    "pauli_terms",
    "plain_groups",
    "plan_measurement",
    "plan_with_budget",
    "prepare_mps",
    "replan",
    "simulate_counts",
    "simulate_measurement",
    "simulate_pauli_measurement",
]
