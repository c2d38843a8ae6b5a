# SPDX-License-Identifier: Apache-2.0
"""Tensor trains: wavefunctions as chains of small tensors with conserved charges."""

from qlowrank.mps.arithmetic import add_mps, scale_mps
from qlowrank.mps.canonical import canonicalise_mps
from qlowrank.mps.ci import mps_from_ci
from qlowrank.mps.cisd import mps_from_cisd
from qlowrank.mps.compress import compress_mps
from qlowrank.mps.determinants import mps_from_determinants
from qlowrank.mps.entanglement import Entanglement, entanglement
from qlowrank.mps.record import MPS
from qlowrank.mps.vectors import ExactTrain

__all__ = [
    "MPS",
    "Entanglement",
    "ExactTrain",
    "add_mps",
    "canonicalise_mps",
    "compress_mps",
    "entanglement",
    "mps_from_ci",
    "mps_from_cisd",
    "mps_from_determinants",
    "scale_mps",
]
