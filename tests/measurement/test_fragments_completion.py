# SPDX-License-Identifier: Apache-2.0
"""CISD states completed by products of pair excitations."""

from math import comb

import numpy as np
import pytest
from scipy.linalg import expm

from qlowrank.measurement.fragments.completion import completed
from qlowrank.measurement.fragments.vector import guide
from qlowrank.states import CISDState, DeterminantState, FCIState, cisd_state


def random_state(rng, norb, nelec, size):
    """A CISD state with random coefficients."""
    occupied, virtual = nelec, [norb - n for n in nelec]
    sizes = list(zip(occupied, virtual, strict=True))
    singles = tuple(size * rng.standard_normal(s) for s in sizes)
    same = []
    for o, v in sizes:
        double = size * rng.standard_normal((o, o, v, v))
        double = double - double.transpose(1, 0, 2, 3)
        same.append(double - double.transpose(0, 1, 3, 2))
    opposite = size * rng.standard_normal((*occupied, *virtual))
    determinant = DeterminantState(np.eye(norb), nelec, 0.0)
    return CISDState(determinant, singles, tuple(same), opposite, 0.0)


@pytest.mark.parametrize(("norb", "nelec"), [(3, (1, 1)), (4, (2, 2)), (4, (2, 1)), (5, (2, 3))])
def test_it_is_the_exponential_of_operators_by_openfermion(norb, nelec, rng):
    """Dense matrices over all of Fock space, in OpenFermion's order of modes made to blocks."""
    from openfermion import FermionOperator, get_sparse_operator

    state = random_state(rng, norb, nelec, 0.03)
    c0, operator = state.reference_coefficient, FermionOperator()
    modes = [range(norb), range(norb, 2 * norb)]

    def move(spin, i, a):
        return ((modes[spin][a + nelec[spin]], 1), (modes[spin][i], 0))

    one = FermionOperator()
    for spin in (0, 1):
        for (i, a), value in np.ndenumerate(state.singles[spin]):
            one += FermionOperator(move(spin, i, a), value / c0)
        for (i, j, a, b), value in np.ndenumerate(state.doubles_same[spin]):
            operator += FermionOperator(move(spin, i, a) + move(spin, j, b), value / c0 / 4)
    for (i, j, a, b), value in np.ndenumerate(state.doubles_opposite):
        operator += FermionOperator(move(0, i, a) + move(1, j, b), value / c0)
    operator += one - one * one / 2
    dense = get_sparse_operator(operator, n_qubits=2 * norb).toarray().real
    filled = {*range(nelec[0]), *range(norb, norb + nelec[1])}
    start = int("".join(str(int(k in filled)) for k in range(2 * norb)), 2)
    image = expm(dense)[:, start]

    found = completed(state)

    vector = FCIState(found, norb, nelec, 0.0)
    alpha, beta = (table.astype(int) for table in vector.occupations())
    indices = [[int("".join(map(str, (*a, *b))), 2) for b in beta] for a in alpha]
    expected = image[np.array(indices)] / np.linalg.norm(image)
    # Both create all alpha electrons before all beta; only the order inside a string may differ.
    signs = np.sign(found[0, 0] * expected[0, 0])
    np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=0, atol=1e-13)
    np.testing.assert_allclose(found, signs * expected, rtol=0, atol=1e-13)


def test_two_electrons_lack_nothing(system):
    """CISD is full CI, and the exponential adds nothing."""
    made = system("h2")
    state = cisd_state(made.hamiltonian)

    overlap = np.vdot(guide(state).vector, made.state.vector)

    assert abs(overlap) == pytest.approx(1, abs=1e-9)


def test_pairs_far_apart_are_excited_independently():
    """Two H2 that do not interact: CISD misses double excitations of both, the product has them."""
    from pyscf import gto, scf

    import qlowrank as ql

    atoms = "H 0 0 0; H 0 0 1.1; H 0 0 60; H 0 0 61.1"
    mean_field = scf.RHF(gto.M(atom=atoms, basis="sto-3g", verbose=0)).run(conv_tol=1e-12)
    hamiltonian = ql.from_pyscf(mean_field)
    exact, state = ql.fci_state(hamiltonian), ql.cisd_state(hamiltonian)

    missed = 1 - np.vdot(guide(state).vector, exact.vector) ** 2

    # c_0 and doubles of CISD are off by the weight that it lacks, x² / 2; so is their ratio.
    assert 0 < guide(state).missing < 5e-3
    assert missed < 0.1 * guide(state).missing


@pytest.mark.parametrize("nelec", [(0, 0), (3, 3), (3, 0), (1, 0), (2, 3)])
def test_empty_and_full_shells(nelec, rng):
    state = random_state(rng, 3, nelec, 0.05)

    vector = completed(state)

    assert vector.shape == tuple(comb(3, n) for n in nelec)
    assert np.linalg.norm(vector) == pytest.approx(1)
