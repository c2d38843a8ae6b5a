# SPDX-License-Identifier: Apache-2.0
"""Orbitals of a chain of sites, chosen by what they entangle."""

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.mps import entanglement
from qlowrank.states import (
    GivenOrbitals,
    LocalOrbitals,
    OrderedOrbitals,
    SplitLocalOrbitals,
    SuitedOrbitals,
    ground_state_mps,
)
from qlowrank.states.exact import ExactCI
from qlowrank.states.solve import lowest_determinant
from qlowrank.states.suited_orbitals import severed_pairs


@pytest.fixture
def without_interaction():
    """A Hamiltonian whose ground state is a determinant, in orbitals that are not its own."""
    one_body = np.random.default_rng(3).normal(size=(5, 5))
    return ql.from_integrals(0.0, one_body + one_body.T, np.zeros((5, 5, 5, 5)), nelec=(3, 2))


def test_severed_pairs_are_entropies_of_the_determinant(without_interaction):
    """Entropies of full CI, which here is one determinant, are the oracle."""
    state = ground_state_mps(without_interaction, method=ExactCI(), orbitals=GivenOrbitals())
    density = lowest_determinant(without_interaction).spin_densities()
    found = severed_pairs(density, np.eye(5)) * 2 * np.log(2)
    np.testing.assert_allclose(found, entanglement(state.mps).bond_entropies, atol=1e-7)


def test_a_chain_gets_local_orbitals_and_a_triple_bond_does_not(chain):
    hydrogen, _ = chain(6)
    np.testing.assert_array_equal(SuitedOrbitals()(hydrogen), LocalOrbitals()(hydrogen))
    nitrogen = ql.from_example("n2")
    np.testing.assert_array_equal(SuitedOrbitals()(nitrogen), OrderedOrbitals()(nitrogen))


class Played:
    """A trial with energies and statuses made up beforehand."""

    def __init__(self, energies, status="converged"):
        self.energies, self.status, self.asked = iter(energies), status, []

    def __call__(self, hamiltonian, max_bond, progress, sites):
        self.asked.append(sites)
        solution = ExactCI()(ql.from_example("h2"), max_bond, progress)
        found = type(solution.convergence)(
            bond_dimensions=[max_bond],
            energies=[0.0],
            discarded_weights=[0.0],
            sweeps=[1],
            status=self.status,
        )
        return type(solution)(solution.mps, next(self.energies), found)


@pytest.mark.parametrize(("energies", "best"), [((-1, -2), 1), ((-2, -1), 0), ((-1, -1 - 1e-7), 0)])
def test_the_lowest_energy_decides_and_the_first_wins_a_tie(energies, best):
    nitrogen, played = ql.from_example("n2"), Played(energies)
    found = SuitedOrbitals(trial=played)(nitrogen)
    assert len(played.asked) == 2
    np.testing.assert_array_equal(played.asked[0], OrderedOrbitals()(nitrogen))
    np.testing.assert_array_equal(played.asked[1], SplitLocalOrbitals()(nitrogen))
    np.testing.assert_array_equal(found, played.asked[best])


def test_an_interrupt_while_trying_is_not_swallowed():
    played = Played([-1, -2], status="interrupted")
    with pytest.raises(KeyboardInterrupt):
        SuitedOrbitals(trial=played)(ql.from_example("n2"))
    assert len(played.asked) == 1


def test_bad_choices_are_told():
    with pytest.raises(InputError, match="max_bond must be at least 1; got 0"):
        SuitedOrbitals(max_bond=0)
    with pytest.raises(InputError, match="candidates must be at least one choice"):
        SuitedOrbitals(candidates=())


def test_split_orbitals_keep_the_filled_space(without_interaction):
    """The determinant is a product of its sites: no cut severs anything."""
    hamiltonian = ql.from_example("lih")
    orbitals = SplitLocalOrbitals()(hamiltonian)
    determinant = lowest_determinant(hamiltonian)
    pairs = severed_pairs(determinant.spin_densities(), orbitals)
    np.testing.assert_allclose(pairs, 0, atol=1e-9)
    open_shell = SplitLocalOrbitals()(without_interaction)
    np.testing.assert_allclose(open_shell.T @ open_shell, np.eye(5), atol=1e-12)
