# SPDX-License-Identifier: Apache-2.0
"""Operator bounds on the residual, against the spectrum of the residual operator itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.hamiltonian.exact import exact_integrals, mean_over_pairs, residual_pairs
from qlowrank.hamiltonian.residual import fill, residual_of, rounding, spread_of_pairs
from qlowrank.integrals.pairs import pack
from tests import molecules
from tests.strategies import generators

EPS = np.finfo(float).eps


def half_squares(residual, nelec):
    """Spectrum of ½ Σ R E E on a sector, by exact diagonalisation of PySCF's CI matrix."""
    ordered = np.einsum("prrq->pq", residual) / 2  # ½ E E = ½ (pq|rs) part + ½ δ E
    return molecules.fci_spectrum(0.0, ordered, residual, nelec)


@st.composite
def residuals(draw):
    """Tensors with the symmetry of integrals and both signs, and a sector."""
    generator, norb = draw(generators), draw(st.integers(1, 4))
    count = draw(st.integers(1, 6))
    matrices = generator.standard_normal((count, norb, norb))
    matrices += matrices.transpose(0, 2, 1)
    signs = generator.choice([-1.0, 1.0], count)
    nelec = draw(st.integers(0, norb)), draw(st.integers(0, norb))
    return np.einsum("t,tpq,trs->pqrs", signs, matrices, matrices), nelec


@settings(max_examples=60)
@given(residuals())
def test_both_sides_of_an_indefinite_residual(case):
    tensor, nelec = case
    spread = spread_of_pairs(pack(np.moveaxis(pack(tensor), -1, 0)), nelec)
    spectrum = half_squares(tensor, nelec)
    slack = 200 * EPS * np.abs(tensor).sum() * (1 + sum(nelec)) ** 2

    assert spectrum[-1] <= spread.above + slack
    assert spectrum[0] >= -spread.below - slack


@pytest.mark.parametrize("name", ["water", "beh", "h3"])
@pytest.mark.parametrize("tolerance", [0.1, 3e-3, 1e-5])
def test_positive_residuals_of_molecules(name, tolerance):
    """Each bound holds for the whole spectrum of ½ R̂, and they are in their proven order."""
    _, _, two_body, nelec = molecules.integrals(name)
    mean_field = molecules.mean_field(name)
    hamiltonian = ql.from_pyscf(mean_field, tolerance=tolerance)
    known = residual_of(hamiltonian)
    spectrum = half_squares(two_body - hamiltonian.two_body(), nelec)
    pairs = residual_pairs(hamiltonian, exact_integrals(mean_field, hamiltonian))
    spread = spread_of_pairs(pairs, nelec)
    slack = known.rounding

    assert known.semidefinite
    assert spectrum[0] >= -slack
    assert spectrum[-1] <= spread.above + slack
    assert spread.below <= slack
    assert spectrum[-1] <= known.upper() + slack
    assert known.upper() <= known.either_way() + slack
    for state in (ql.hartree_fock_state(hamiltonian), ql.fci_state(hamiltonian)):
        density = state.one_body_density()
        mean = np.einsum("pqrs,pq,rs->", two_body - hamiltonian.two_body(), density, density)
        mean += np.einsum(
            "pqrs,pqrs->", two_body - hamiltonian.two_body(), state.one_body_covariance()
        )
        assert -slack <= mean / 2 <= known.upper_for(density) + slack
        assert known.upper_for(density) <= known.upper() + slack


def test_rounding_covers_the_trace():
    """Tr K against what the decomposition says it discarded, on all example molecules."""
    for name in ("water", "o2", "h3", "water-631g"):
        for tolerance in (1e-2, 1e-6, 0.0):
            hamiltonian = ql.from_pyscf(molecules.mean_field(name), tolerance=tolerance)
            gap = residual_of(hamiltonian).exchange.trace() - hamiltonian.residual_trace
            assert abs(gap) <= rounding(hamiltonian)
            assert rounding(hamiltonian) < 1e-9


def test_sectors(rng):
    """The extreme values of a one-body operator, against all ways to fill its orbitals."""
    from itertools import combinations

    values = rng.standard_normal((3, 5))
    for nelec in ((0, 0), (2, 1), (5, 3), (5, 5)):
        low, high = fill(values, nelec)
        for row, least, most in zip(values, low, high, strict=True):
            sums = [
                sum(row[i] for i in a) + sum(row[i] for i in b)
                for a in combinations(range(5), nelec[0])
                for b in combinations(range(5), nelec[1])
            ]
            assert least == pytest.approx(min(sums), abs=20 * EPS)
            assert most == pytest.approx(max(sums), abs=20 * EPS)


def test_what_k_cannot_prove_is_refused():
    hamiltonian = ql.from_example("water", tolerance=1e-3)
    rebuilt = residual_of(ql.double_factorize(hamiltonian, tolerance=1e-3).to_hamiltonian())
    for call in (rebuilt.upper, lambda: rebuilt.upper_for(np.eye(7))):
        with pytest.raises(ql.InputError, match="rebuilt from leaves"):
            call()
    assert rebuilt.either_way() == 10 * rebuilt.trace


def test_contractions_over_pairs(rng):
    tensor = rng.standard_normal((3, 3, 3, 3))
    tensor = tensor + tensor.transpose(1, 0, 2, 3)
    tensor = tensor + tensor.transpose(0, 1, 3, 2)
    other = molecules.integrals("h3")[2]
    packed = pack(np.moveaxis(pack(other), -1, 0))

    assert mean_over_pairs(packed, tensor) == pytest.approx(np.vdot(other, tensor), rel=1e-13)


@pytest.mark.parametrize("name", ["o2", "water-631g"])
def test_coulomb_and_exchange(name, rng):
    """Two doors to the same integrals, against einsum."""
    from qlowrank.integrals.mean_field import read_pyscf

    _, _, two_body, _ = molecules.integrals(name)
    mean_field = molecules.mean_field(name)
    hamiltonian = ql.from_pyscf(mean_field, tolerance=1e-3)
    density = rng.standard_normal((len(two_body),) * 2)
    density += density.T
    coulomb = np.einsum("pqrs,rs->pq", two_body, density)
    exchange = np.einsum("pqrs,qr->ps", two_body, density)
    for exact in (mean_field, read_pyscf(mean_field)):
        door = exact_integrals(exact, hamiltonian)
        np.testing.assert_allclose(door.coulomb(density), coulomb, atol=1e-10)
        np.testing.assert_allclose(door.exchange(density), exchange, atol=1e-10)
