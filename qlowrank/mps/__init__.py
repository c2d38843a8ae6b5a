# SPDX-License-Identifier: Apache-2.0
"""Tensor trains: wavefunctions as chains of small tensors with conserved charges."""

from qlowrank.mps.active_space import ActiveSpace, suggest_active_space
from qlowrank.mps.arithmetic import add_mps, scale_mps
from qlowrank.mps.canonical import canonicalise_mps
from qlowrank.mps.ci import mps_from_ci
from qlowrank.mps.cisd import mps_from_cisd
from qlowrank.mps.compress import compress_mps
from qlowrank.mps.configurations import (
    Determinants,
    determinants_above,
    largest_determinants,
    sample_determinants,
)
from qlowrank.mps.determinants import mps_from_determinants
from qlowrank.mps.entanglement import Entanglement, entanglement
from qlowrank.mps.expectations import (
    one_body_expectation,
    spin_densities,
    square_expectation,
    two_body_expectation,
)
from qlowrank.mps.record import MPS
from qlowrank.mps.spin_sites import split_orbitals
from qlowrank.mps.vectors import ExactTrain, RandomizedTrain

__all__ = [
    "MPS",
    "ActiveSpace",
    "Determinants",
    "Entanglement",
    "ExactTrain",
    "RandomizedTrain",
    "add_mps",
    "canonicalise_mps",
    "compress_mps",
    "determinants_above",
    "entanglement",
    "largest_determinants",
    "mps_from_ci",
    "mps_from_cisd",
    "mps_from_determinants",
    "one_body_expectation",
    "sample_determinants",
    "scale_mps",
    "spin_densities",
    "split_orbitals",
    "square_expectation",
    "suggest_active_space",
    "two_body_expectation",
]
