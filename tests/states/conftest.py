# SPDX-License-Identifier: Apache-2.0
"""Random Hamiltonians, operators and CISD states, and their dense counterparts."""

from dataclasses import replace
from itertools import combinations, product
from math import comb

import numpy as np
import pytest

from qlowrank.hamiltonian import DiagonalOperator, from_integrals
from qlowrank.states import CISDState, DeterminantState, FCIState

EPS = np.finfo(float).eps


def orthogonal(rng, norb):
    return np.linalg.qr(rng.standard_normal((norb, norb)))[0]


@pytest.fixture(scope="session")
def random_orbitals():
    """A function that draws an orthogonal matrix."""
    return orthogonal


@pytest.fixture(scope="session")
def random_hamiltonian():
    """A function that draws a Hamiltonian with positive semidefinite repulsion, norb ≥ 1.

    With `parity`, odd and even orbitals differ in a symmetry that every term conserves.
    """

    def draw(rng, norb, nelec, *, parity=False):
        factors = rng.standard_normal((norb * (norb + 1) // 2, norb, norb))
        factors += factors.transpose(0, 2, 1)
        one_body = rng.standard_normal((norb, norb))
        one_body += one_body.T
        if parity:
            same = (np.arange(norb)[:, None] - np.arange(norb)) % 2 == 0
            one_body *= same / 2
            factors[::2] *= ~same
            factors[1::2] *= same
        two_body = np.einsum("tpq,trs->pqrs", factors, factors) / (40 * norb)
        return from_integrals(0.3, one_body, two_body, nelec)

    return draw


@pytest.fixture(scope="session")
def chain():
    """A function that makes a chain of hydrogen atoms, 1 Å apart, and its mean field."""
    from pyscf import gto, scf

    from qlowrank.hamiltonian import from_pyscf
    from tests.molecules import converged

    def make(atoms):
        places = [("H", (0, 0, float(k))) for k in range(atoms)]
        mean_field = converged(scf.RHF(gto.M(atom=places, basis="sto-6g", verbose=0)))
        return from_pyscf(mean_field), mean_field

    return make


@pytest.fixture(scope="session")
def rotated():
    """A function that writes a Hamiltonian in other orbitals."""

    def rotate(hamiltonian, orbitals):
        return replace(
            hamiltonian,
            one_body=orbitals.T @ hamiltonian.one_body @ orbitals,
            kappa=orbitals.T @ hamiltonian.kappa @ orbitals,
            factors=orbitals.T @ hamiltonian.factors @ orbitals,
        )

    return rotate


@pytest.fixture(scope="session")
def random_operator():
    """A function that draws an operator whose same- and opposite-spin cores differ."""

    def draw(rng, norb):
        same = rng.standard_normal((norb, norb))
        return DiagonalOperator(
            frame=orthogonal(rng, norb),
            linear=rng.standard_normal(norb),
            same_spin=same + same.T,
            opposite_spin=rng.standard_normal((norb, norb)),
        )

    return draw


@pytest.fixture(scope="session")
def random_leaf():
    """A function that draws the square of a one-body operator, as double factorization makes."""

    def draw(rng, norb):
        eigenvalues = rng.standard_normal(norb)
        core = np.outer(eigenvalues, eigenvalues)
        return DiagonalOperator(
            frame=orthogonal(rng, norb),
            linear=np.zeros(norb),
            same_spin=core,
            opposite_spin=core,
        )

    return draw


@pytest.fixture(scope="session")
def random_cisd():
    """A function that draws a CISD state in random orbitals, `excited` of its weight excited."""

    def draw(rng, norb, nelec, excited):
        virtual = [norb - n for n in nelec]
        singles = [rng.standard_normal((o, v)) for o, v in zip(nelec, virtual, strict=True)]
        same = []
        for o, v in zip(nelec, virtual, strict=True):
            c = rng.standard_normal((o, o, v, v))
            c = c - c.transpose(1, 0, 2, 3)
            same.append(c - c.transpose(0, 1, 3, 2))
        opposite = rng.standard_normal((*nelec, *virtual))
        weight = sum(np.sum(c**2) for c in (*singles, opposite))
        weight += sum(np.sum(c**2) / 4 for c in same)
        scale = np.sqrt(excited / weight) if weight else 0.0
        return CISDState(
            determinant=DeterminantState(orbitals=orthogonal(rng, norb), nelec=nelec, energy=0.0),
            singles=tuple(scale * c for c in singles),
            doubles_same=tuple(scale * c for c in same),
            doubles_opposite=scale * opposite,
            energy=0.0,
        )

    return draw


@pytest.fixture(scope="session")
def dense():
    """A function that writes a determinant or CISD state as a full CI vector.

    Excitations are applied one by one with PySCF's creators and annihilators; the vector is then
    carried from the reference's orbitals into the Hamiltonian's.
    """
    from pyscf.fci import addons

    def embed(state):
        norb, nelec = state.norb, state.nelec
        reference = np.zeros((comb(norb, nelec[0]), comb(norb, nelec[1])))
        reference[0, 0] = 1.0
        vector, determinant = reference, state
        if isinstance(state, CISDState):
            determinant = state.determinant
            vector = state.reference_coefficient * reference
            for coefficient, moves in excitations(state):
                moved = reference
                for spin, source, target in reversed(moves):
                    moved = excite(moved, norb, nelec, spin, source, target + nelec[spin])
                vector = vector + coefficient * moved
        vector = addons.transform_ci(vector, nelec, np.array(determinant.orbitals).T)
        return FCIState(vector=vector, norb=norb, nelec=nelec, energy=state.energy)

    return embed


def excitations(state):
    """Yield coefficients, and (spin, occupied, virtual) of every electron that moves."""
    occupied, virtual = state.nelec, [state.norb - n for n in state.nelec]
    for s in (0, 1):
        for i, a in product(range(occupied[s]), range(virtual[s])):
            yield state.singles[s][i, a], [(s, i, a)]
        pairs = combinations(range(occupied[s]), 2), combinations(range(virtual[s]), 2)
        for (i, j), (a, b) in product(*pairs):
            yield state.doubles_same[s][i, j, a, b], [(s, i, a), (s, j, b)]
    for i, j, a, b in product(*map(range, (*occupied, *virtual))):
        yield state.doubles_opposite[i, j, a, b], [(0, i, a), (1, j, b)]


def excite(vector, norb, nelec, spin, source, target):
    """Apply a†_target a_source of one spin to a full CI vector."""
    from pyscf.fci import addons

    n_alpha, n_beta = nelec
    if spin == 0:
        fewer = addons.des_a(vector, norb, nelec, source)
        return addons.cre_a(fewer, norb, (n_alpha - 1, n_beta), target)
    fewer = addons.des_b(vector, norb, nelec, source)
    return addons.cre_b(fewer, norb, (n_alpha, n_beta - 1), target)


@pytest.fixture(scope="session")
def rounding():
    """A function that bounds what rounding may do to mean and variance of an operator.

    Largest value S of any term times eps for the mean, S² eps for the variance, times the
    dimension of the matrices multiplied, times 4! for the fourth Taylor coefficient.
    """

    def bound(operator, nelec):
        squares = operator.squares()  # directions have norm one: no value of a form exceeds η
        electrons = max(sum(nelec), 1)
        size = np.linalg.norm(squares.linear) * electrons
        size += np.abs(squares.weights).sum() * electrons**2 / 2
        return 24 * operator.norb * EPS * size, 24 * operator.norb * EPS * size**2

    return bound
