# SPDX-License-Identifier: Apache-2.0
"""Orbitals of the sites: localised, ordered, and turned back without a trace."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyscf import lo, scf

from qlowrank.checks import InputError
from qlowrank.hamiltonian import from_pyscf
from qlowrank.mps import entanglement
from qlowrank.states import InformationOrdered, ground_state_mps
from qlowrank.states.sites import (
    GivenOrbitals,
    LocalOrbitals,
    OrderedOrbitals,
    exchange_order,
    fiedler_order,
    in_orbitals,
    most_local,
)
from tests.molecules import molecule


def self_repulsion(factors, orbitals):
    turned = orbitals.T @ factors @ orbitals
    return np.sum(np.einsum("tpp->tp", turned) ** 2)


@given(seed=st.integers(0, 2**32 - 1), norb=st.integers(1, 6), rank=st.integers(0, 5))
def test_localisation_is_stationary_and_orthogonal(seed, norb, rank):
    factors = np.random.default_rng(seed).standard_normal((rank, norb, norb))
    factors += factors.transpose(0, 2, 1)
    orbitals = most_local(factors)
    # Some hundred rotations, each orthogonal to a few roundings.
    np.testing.assert_allclose(orbitals.T @ orbitals, np.eye(norb), atol=1e-12)
    turned = orbitals.T @ factors @ orbitals
    diagonal = np.einsum("tpp->tp", turned)
    gradient = np.einsum("tpq,tp->pq", turned, diagonal)
    # The angle left is at most 1e-7, the second derivative at most a few times ΣL².
    assert np.abs(gradient - gradient.T).max(initial=0) <= 1e-6 * max(1.0, np.sum(factors**2))
    assert self_repulsion(factors, orbitals) >= self_repulsion(factors, np.eye(norb)) - 1e-9


def test_localisation_is_as_good_as_pyscf():
    """Edmiston-Ruedenberg of all orbitals of water, by PySCF from the atomic orbitals."""
    mol = molecule("water")
    mean_field = scf.RHF(mol).run(conv_tol=1e-12)
    hamiltonian = from_pyscf(mean_field, tolerance=1e-9)
    theirs = lo.EdmistonRuedenberg(mol, mean_field.mo_coeff)
    theirs.verbose = 0
    orbitals = theirs.kernel()
    overlap = mean_field.mo_coeff.T @ mean_field.get_ovlp() @ orbitals
    ours = most_local(hamiltonian.factors)
    best = self_repulsion(hamiltonian.factors, overlap)
    assert self_repulsion(hamiltonian.factors, ours) >= best - 1e-6


def test_a_chain_is_put_in_order():
    """A path graph, shuffled: the order of the Fiedler vector is the path."""
    shuffled = np.array([3, 0, 5, 1, 4, 2])
    weights = np.zeros((6, 6))
    for a, b in pairwise(shuffled):
        weights[a, b] = weights[b, a] = 1.0
    order = fiedler_order(weights)
    assert order in (shuffled.tolist(), shuffled[::-1].tolist())


def test_atoms_of_a_chain_stand_in_their_order(chain):
    """Localised orbitals of a hydrogen chain sit on one atom each, in the order of the atoms."""
    hamiltonian, mean_field = chain(6)
    orbitals = LocalOrbitals()(hamiltonian)
    atomic = np.abs(mean_field.mo_coeff @ orbitals)
    places = atomic.argmax(axis=0).tolist()
    assert places in (list(range(6)), list(range(6))[::-1])


@pytest.mark.parametrize(
    "choice",
    [GivenOrbitals(), OrderedOrbitals(), LocalOrbitals(), InformationOrdered(GivenOrbitals(), 8)],
)
def test_choices_are_orthogonal_and_repeatable(choice, chain):
    hamiltonian, _ = chain(4)
    orbitals = choice(hamiltonian)
    np.testing.assert_allclose(orbitals.T @ orbitals, np.eye(4), atol=1e-13)
    np.testing.assert_array_equal(orbitals, choice(hamiltonian))
    turned = in_orbitals(hamiltonian, orbitals)
    back = in_orbitals(turned, orbitals.T)
    np.testing.assert_allclose(back.factors, hamiltonian.factors, atol=1e-12)


def test_given_orbitals_stay():
    assert exchange_order(np.zeros((0, 2, 2))) == [0, 1]
    with pytest.raises(InputError, match="symmetric and not negative"):
        fiedler_order(-np.ones((3, 3)))


def test_information_brings_partners_together(chain):
    """Canonical orbitals in the order of their energies pair the first with the last."""
    hamiltonian, _ = chain(6)
    given, ordered = (
        ground_state_mps(hamiltonian, orbitals=orbitals)
        for orbitals in (GivenOrbitals(), InformationOrdered(GivenOrbitals(), max_bond=20))
    )
    order = np.abs(ordered.orbitals).argmax(axis=0)
    shared = entanglement(given.mps).mutual_information
    assert order.tolist() != list(range(6))
    apart = (np.arange(6)[:, None] - np.arange(6)) ** 2
    assert np.sum(shared[np.ix_(order, order)] * apart) < np.sum(shared * apart)
    found = entanglement(ordered.mps).bond_entropies.sum()
    assert found < entanglement(given.mps).bond_entropies.sum()
    assert ordered.energy == pytest.approx(given.energy, abs=1e-9)
    with pytest.raises(InputError, match="max_bond must be at least 1; got 0"):
        InformationOrdered(max_bond=0)
