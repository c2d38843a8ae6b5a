# SPDX-License-Identifier: Apache-2.0
"""Wavefunctions as sources of expectation values and variances."""

from qlowrank.states.fci import FCIState
from qlowrank.states.reference import CISDState, DeterminantState
from qlowrank.states.solve import cisd_state, fci_state, hartree_fock_state
from qlowrank.states.state import Moments, State

__all__ = [
    "CISDState",
    "DeterminantState",
    "FCIState",
    "Moments",
    "State",
    "cisd_state",
    "fci_state",
    "hartree_fock_state",
]
