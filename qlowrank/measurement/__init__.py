# SPDX-License-Identifier: Apache-2.0
"""Measurement: groups, their variances, shots, and energies from counts."""

from qlowrank.measurement.allocation import allocate_shots
from qlowrank.measurement.estimate import EnergyEstimate, estimate_energy
from qlowrank.measurement.fragments import (
    FluidFragments,
    FragmentMethod,
    Fragments,
    FragmentStatus,
    MeanFieldFragments,
    OptimizedFragments,
    PlainFragments,
    ResplitFragments,
)
from qlowrank.measurement.groups import plain_groups
from qlowrank.measurement.pauli import PauliSum, pauli_terms
from qlowrank.measurement.pauli_groups import (
    PauliGroups,
    group_fully_commuting,
    group_qubit_wise,
)
from qlowrank.measurement.pauli_variances import PauliBaseline, pauli_group_variances
from qlowrank.measurement.plan import MeasurementPlan, Pricing, plan_measurement
from qlowrank.measurement.simulate import SimulatedExperiments, simulate_measurement

__all__ = [
    "EnergyEstimate",
    "FluidFragments",
    "FragmentMethod",
    "FragmentStatus",
    "Fragments",
    "MeanFieldFragments",
    "MeasurementPlan",
    "OptimizedFragments",
    "PauliBaseline",
    "PauliGroups",
    "PauliSum",
    "PlainFragments",
    "Pricing",
    "ResplitFragments",
    "SimulatedExperiments",
    "allocate_shots",
    "estimate_energy",
    "group_fully_commuting",
    "group_qubit_wise",
    "pauli_group_variances",
    "pauli_terms",
    "plain_groups",
    "plan_measurement",
    "simulate_measurement",
]
