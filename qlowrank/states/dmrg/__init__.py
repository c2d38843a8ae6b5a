# SPDX-License-Identifier: Apache-2.0
"""Density-matrix renormalisation by block2, in a process of its own."""

from qlowrank.states.dmrg.method import Block2DMRG
from qlowrank.states.dmrg.read import mps_from_block2
from qlowrank.states.dmrg.record import Convergence, Extrapolation

__all__ = ["Block2DMRG", "Convergence", "Extrapolation", "mps_from_block2"]
