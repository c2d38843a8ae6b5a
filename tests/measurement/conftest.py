# SPDX-License-Identifier: Apache-2.0
"""Molecules with their full CI states and plans, made once for all tests of this room."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from qlowrank.factorization import DoubleFactorization, double_factorize
from qlowrank.hamiltonian import Hamiltonian, from_example, from_pyscf
from qlowrank.integrals.geometry import converge
from qlowrank.measurement import MeasurementPlan, plan_measurement
from qlowrank.states import FCIState, fci_state

PRECISION = 5e-3
"""Hartree; coarse, so that experiments are small."""


@dataclass(frozen=True, eq=False)
class System:
    """A molecule, all the way to its plan."""

    hamiltonian: Hamiltonian
    factorization: DoubleFactorization
    state: FCIState
    plan: MeasurementPlan


@pytest.fixture(scope="session")
def system():
    """A function from a name to a molecule; "h3" is a doublet, (2, 1) electrons in 3 orbitals."""

    @cache
    def make(name):
        if name == "h3":
            atoms = [("H", (0.0, 0.0, z)) for z in (0.0, 0.9, 2.0)]
            hamiltonian = from_pyscf(converge(atoms, basis="sto-3g"))
        else:
            hamiltonian = from_example(name)
        factorization, state = double_factorize(hamiltonian), fci_state(hamiltonian)
        plan = plan_measurement(factorization, state, precision=PRECISION)
        return System(hamiltonian, factorization, state, plan)

    return make


@pytest.fixture(scope="session")
def outcomes():
    """A function that lists values and probabilities of a group's outcomes in a state."""

    def enumerate_outcomes(group, state):
        alpha, beta = state.occupations()
        values = group.values(alpha[:, None, :], beta[None, :, :]).ravel()
        return values, state.distribution(group.frame).ravel()

    return enumerate_outcomes


@pytest.fixture(scope="session")
def block_vector():
    """A function that writes a full CI vector over qubits: alpha orbitals first, qubit 0 lowest.

    PySCF's strings put all alpha creators before all beta ones, as Jordan-Wigner does in block
    order: the amplitudes need no sign, only their place. Bit p of a string is orbital p, so the
    alpha string is the low half of the index and the right half of a bitstring.
    """

    def write(state):
        powers = 2 ** np.arange(state.norb)
        alpha, beta = (occupations @ powers for occupations in state.occupations())
        index = alpha.astype(int)[:, None] + (beta.astype(int)[None, :] << state.norb)
        vector = np.zeros(4**state.norb)
        vector[index] = state.vector
        return vector

    return write
