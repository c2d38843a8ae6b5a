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
    PlainFragments,
)
from qlowrank.measurement.groups import plain_groups
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
    "PlainFragments",
    "Pricing",
    "SimulatedExperiments",
    "allocate_shots",
    "estimate_energy",
    "plain_groups",
    "plan_measurement",
    "simulate_measurement",
]
