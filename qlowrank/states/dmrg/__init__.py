# SPDX-License-Identifier: Apache-2.0
"""Density-matrix renormalisation by block2, in a process of its own."""

from qlowrank.states.dmrg.method import Block2DMRG
from qlowrank.states.dmrg.record import Convergence, Extrapolation

__all__ = ["Block2DMRG", "Convergence", "Extrapolation"]
