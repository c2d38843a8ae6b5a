# SPDX-License-Identifier: Apache-2.0
"""Ways to split a Hamiltonian into groups of commuting operators."""

from qlowrank.measurement.fragments.mixed import MixedFragments
from qlowrank.measurement.fragments.optimized import OptimizedFragments
from qlowrank.measurement.fragments.record import FragmentMethod, Fragments, FragmentStatus
from qlowrank.measurement.fragments.resplit import ResplitFragments
from qlowrank.measurement.fragments.shifted import (
    FluidFragments,
    MeanFieldFragments,
    PlainFragments,
)

__all__ = [
    "FluidFragments",
    "FragmentMethod",
    "FragmentStatus",
    "Fragments",
    "MeanFieldFragments",
    "MixedFragments",
    "OptimizedFragments",
    "PlainFragments",
    "ResplitFragments",
]
