# SPDX-License-Identifier: Apache-2.0
"""Circuits of matrix product states: the right vector on the right qubits, and the right energy."""

import numpy as np
import pytest
from pyscf.fci import addons, cistring
from qiskit.primitives import StatevectorSampler
from qiskit.quantum_info import Statevector

import qlowrank as ql
from qlowrank.circuits.chain import DisentanglingLayers, ExactSequence
from qlowrank.factorization import double_factorize
from qlowrank.hamiltonian import from_example, from_integrals
from qlowrank.measurement import MeanFieldFragments, plan_measurement, prepare_mps
from qlowrank.states import GivenOrbitals, LocalOrbitals, ground_state_mps

ROUNDING = 1e-7
"""Some ten gates; Qiskit takes a two-qubit gate for a simpler one at an infidelity of 1e-9."""


def block_vector(state):
    """The state on qubits in block order, alpha in the low bits, through PySCF's CI vector."""
    vector = addons.transform_ci(state.mps.to_ci(), state.nelec, np.array(state.orbitals.T))
    alpha, beta = (cistring.make_strings(range(state.norb), n) for n in state.nelec)
    found = np.zeros(4**state.norb)
    found[np.add.outer(alpha, beta << state.norb).ravel()] = vector.ravel()
    return found


@pytest.mark.parametrize("nelec", [(1, 1), (2, 1), (1, 2), (2, 2), (3, 1)])
@pytest.mark.parametrize("orbitals", [GivenOrbitals(), LocalOrbitals()])
def test_the_vector_is_the_state_in_block_order(rng, nelec, orbitals):
    """A random Hamiltonian with all coefficients; signs matter where both spins are there."""
    factors = rng.standard_normal((6, 3, 3))
    factors += factors.transpose(0, 2, 1)
    one_body = rng.standard_normal((3, 3))
    two_body = np.einsum("tpq,trs->pqrs", factors, factors) / 50
    hamiltonian = from_integrals(0.0, one_body + one_body.T, two_body, nelec)
    state = ground_state_mps(hamiltonian, orbitals=orbitals)
    found = prepare_mps(state, ExactSequence())
    overlap = np.vdot(Statevector(found.circuit).data, block_vector(state))
    assert found.fidelity == pytest.approx(1.0, abs=1e-12)
    assert abs(overlap) == pytest.approx(1.0, abs=ROUNDING)


def test_fidelity_of_layers_is_that_of_the_statevector():
    state = ground_state_mps(from_example("lih"), orbitals=GivenOrbitals())
    found = prepare_mps(state, DisentanglingLayers(n_layers=2, sweeps=10))
    overlap = np.vdot(Statevector(found.circuit).data, block_vector(state))
    assert found.fidelity == pytest.approx(abs(overlap) ** 2, abs=ROUNDING)
    assert found.fidelity > 0.99  # the determinant alone has 0.98
    assert found.two_qubit_count <= 2 * 2 * 11


@pytest.mark.parametrize("orbitals", [GivenOrbitals(), LocalOrbitals()])
def test_sampling_gives_the_energy(orbitals):
    """Prepare, rotate, measure: within five standard errors, as all but one in 10^6 runs are."""
    hamiltonian = from_example("h2")
    state = ground_state_mps(hamiltonian, orbitals=orbitals)
    plan = plan_measurement(
        double_factorize(hamiltonian), state, precision=5e-3, fragments=MeanFieldFragments()
    )
    preparation = prepare_mps(state, ExactSequence())
    result = StatevectorSampler(seed=5).run(plan.pubs(preparation.circuit)).result()
    estimate = plan.estimate(result)
    assert abs(estimate.energy - state.energy) < 5 * estimate.standard_error
    assert estimate.standard_error == pytest.approx(plan.predicted_standard_error, rel=0.2)


def test_a_chain_by_itself():
    """CISD amplitudes, without a CI vector on the way; an open shell; and what is refused."""
    cisd = ql.cisd_state(from_example("h2", basis="6-31g"))
    amplitudes = (cisd.reference_coefficient, cisd.singles, cisd.doubles_same)
    chain = ql.mps_from_cisd(*amplitudes, cisd.doubles_opposite)
    prepared = prepare_mps(chain, ExactSequence(max_bond=3))
    found = Statevector(prepared.circuit).data
    alpha, beta = np.divmod(np.arange(16), 4)
    vector = chain.to_ci()[alpha, beta]
    overlap = np.vdot(found[(1 << alpha) + (1 << (beta + 4))], vector)
    assert prepared.fidelity == pytest.approx(abs(overlap) ** 2, abs=ROUNDING)

    open_shell = ql.mps_from_determinants([0b011, 0b101], [0b001, 0b010], [0.6, -0.8], 3)
    found = Statevector(prepare_mps(open_shell).circuit).data
    assert abs(0.6 * found[0b001_011] - 0.8 * found[0b010_101]) == pytest.approx(1.0, abs=ROUNDING)

    with pytest.raises(ql.InputError, match="nelec needs sites that count alpha and beta"):
        prepare_mps(ql.MPS.from_vector(np.ones(4), 2))
    with pytest.raises(ql.InputError, match="must not be zero"):
        prepare_mps(ql.scale_mps(open_shell, 0.0))
