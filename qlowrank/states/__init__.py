# SPDX-License-Identifier: Apache-2.0
"""Wavefunctions as sources of expectation values and variances."""

from qlowrank.states.applied import Fitting
from qlowrank.states.bond_convergence import VarianceConvergence, variances_by_bond
from qlowrank.states.dmrg import Block2DMRG, Convergence, Extrapolation, mps_from_block2
from qlowrank.states.exact import ExactCI
from qlowrank.states.fci import FCIState
from qlowrank.states.ground import ground_state_mps
from qlowrank.states.information_order import InformationOrdered
from qlowrank.states.mps_state import MPSState
from qlowrank.states.reference import CISDState, DeterminantState
from qlowrank.states.sites import (
    GivenOrbitals,
    LocalOrbitals,
    OrderedOrbitals,
    SplitLocalOrbitals,
)
from qlowrank.states.solve import cisd_state, fci_state, hartree_fock_state
from qlowrank.states.state import Moments, State
from qlowrank.states.suited_orbitals import SuitedOrbitals

__all__ = [
    "Block2DMRG",
    "CISDState",
    "Convergence",
    "DeterminantState",
    "ExactCI",
    "Extrapolation",
    "FCIState",
    "Fitting",
    "GivenOrbitals",
    "InformationOrdered",
    "LocalOrbitals",
    "MPSState",
    "Moments",
    "OrderedOrbitals",
    "SplitLocalOrbitals",
    "State",
    "SuitedOrbitals",
    "VarianceConvergence",
    "cisd_state",
    "fci_state",
    "ground_state_mps",
    "hartree_fock_state",
    "mps_from_block2",
    "variances_by_bond",
]
