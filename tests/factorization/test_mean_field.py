# SPDX-License-Identifier: Apache-2.0
"""Approximated integrals with the exact mean field: Fock matrix and energy, by dense sums."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

import qlowrank as ql
from qlowrank.checks import InputError
from tests.strategies import hamiltonians

EPS = np.finfo(float).eps


def dense(record):
    """Constant, h and (pq|rs) of a factorization's own operator."""
    if hasattr(record, "two_body"):
        two_body = record.two_body()
    else:
        two_body = record.to_hamiltonian().two_body()
    return record.constant, record.one_body + np.einsum("prrq->pq", two_body) / 2, two_body


def mean_field_of(constant, one_body, two_body, densities):
    """Energy and the mean of both spins' Fock matrices."""
    density = densities.sum(axis=0)
    coulomb = np.einsum("pqrs,rs->pq", two_body, density)
    exchange = [np.einsum("psrq,rs->pq", two_body, each) for each in densities]
    energy = constant + np.vdot(one_body + coulomb / 2, density)
    energy -= sum(np.vdot(a, b) for a, b in zip(exchange, densities, strict=True)) / 2
    return energy, one_body + coulomb - (exchange[0] + exchange[1]) / 2


def orthogonal(norb):
    """Any orthogonal matrix, the same one for each size."""
    matrix = np.random.default_rng(norb).standard_normal((norb, norb))
    return np.linalg.qr(matrix)[0] if norb else matrix


def densities_in(orbitals, nelec):
    """Densities of both spins with the first orbitals filled."""
    return np.array([orbitals[:, :n] @ orbitals[:, :n].T for n in nelec])


@settings(max_examples=30, deadline=None)
@given(hamiltonians(largest=4))
def test_energy_and_fock_matrix_are_exact(arrays):
    exact = ql.from_integrals(*arrays, tolerance=0.0)
    norb, nelec = exact.norb, exact.nelec
    densities = densities_in(orthogonal(norb), nelec)
    records = [ql.double_factorize(exact, tolerance=0.1)]
    if norb and exact.rank:
        optimizer = ql.QuasiNewton(max_steps=3)
        explicit = ql.double_factorize(exact)
        records += [
            ql.compress(explicit, n_leaves=1, optimizer=optimizer),
            ql.hypercontract(exact, n_points=1, optimizer=optimizer),
        ]
    wanted = mean_field_of(
        exact.constant, exact.normal_ordered_one_body(), exact.two_body(), densities
    )
    size = np.abs(arrays[2]).sum() + np.abs(arrays[1]).sum() + abs(arrays[0]) + 1
    for record in records:
        kept = ql.keep_mean_field(record, exact, densities)
        size += np.abs(dense(record)[2]).sum()
        found = mean_field_of(*dense(kept), densities)
        allowed = 100 * (norb + 1) ** 2 * EPS * size * (1 + sum(nelec)) ** 2
        assert found[0] == pytest.approx(wanted[0], abs=allowed)
        np.testing.assert_allclose(found[1], wanted[1], rtol=0, atol=allowed)
        assert type(kept) is type(record)


@settings(max_examples=20, deadline=None)
@given(hamiltonians(largest=3))
def test_fits_in_a_sector_keep_their_shift(arrays):
    """Energies of determinants of the sector, and how they change with their orbitals.

    The Fock matrix itself knows the shift; its commutator with a closed shell's density does not.
    """
    norb, nelec = len(arrays[1]), arrays[3]
    exact = ql.from_integrals(*arrays, tolerance=0.0)
    if not exact.rank:
        return
    orbitals = orthogonal(norb)
    densities = densities_in(orbitals, nelec)
    steps = ql.QuasiNewton(max_steps=3)
    joint = ql.WeightedSum((1.0, ql.SectorError()), (0.1, ql.OneNorm()))
    records = [
        ql.compress(
            ql.double_factorize(exact), n_leaves=1, objective=ql.SectorError(), optimizer=steps
        ),
        ql.hypercontract(exact, n_points=norb, objective=joint, optimizer=steps),
    ]
    wanted = mean_field_of(
        exact.constant, exact.normal_ordered_one_body(), exact.two_body(), densities
    )
    size = np.abs(arrays[2]).sum() + np.abs(arrays[1]).sum() + abs(arrays[0]) + 1
    for record in records:
        kept = ql.keep_mean_field(record, exact, densities)
        size += np.abs(dense(record)[2]).sum()
        found = mean_field_of(*dense(kept), densities)
        allowed = 1e3 * (norb + 1) ** 2 * EPS * size * (1 + sum(nelec)) ** 2
        assert found[0] == pytest.approx(wanted[0], abs=allowed)
        if nelec[0] == nelec[1]:
            turns = [fock @ densities[0] - densities[0] @ fock for fock in (found[1], wanted[1])]
            np.testing.assert_allclose(*turns, rtol=0, atol=allowed)


def test_correlation_is_all_that_is_left():
    """Water with a shifted hypercontraction: CCSD(T) to a tenth of a mHartree."""
    exact = ql.from_example("water", tolerance=1e-10)
    determinant = ql.hartree_fock_state(exact)
    aim = ql.WeightedSum((1.0, ql.SectorError()), (1e-4, ql.OneNorm()))
    fit = ql.hypercontract(exact, n_points=21, objective=aim)
    better = ql.keep_mean_field(fit, exact, determinant.spin_densities())
    before, after = (ql.coupled_cluster_error(each, exact) for each in (fit, better))
    assert after.mean_field == pytest.approx(after.exact_mean_field, abs=1e-8)
    assert abs(after.error) < 2e-4 < abs(before.error)
    assert better.one_norm() == pytest.approx(fit.one_norm(), rel=1e-2)


def test_bad_input():
    exact = ql.from_example("lih")
    densities = ql.hartree_fock_state(exact).spin_densities()
    plain = ql.double_factorize(exact)
    with pytest.raises(InputError, match="must be a factorization; got a Hamiltonian"):
        ql.keep_mean_field(exact, exact, densities)
    with pytest.raises(InputError, match=r"Undo that with ql\.unshift"):
        ql.keep_mean_field(ql.shift_symmetry(plain), exact, densities)
    with pytest.raises(InputError, match="record has 6 orbitals and exact has 2"):
        ql.keep_mean_field(plain, ql.from_example("h2"), densities)
    with pytest.raises(InputError, match="must be two matrices; got 1"):
        ql.keep_mean_field(plain, exact, densities[:1])
    fit = ql.compress(plain, n_leaves=3, objective=ql.SectorError())
    other = ql.compress(plain, n_leaves=2, objective=ql.SectorError())
    moved = replace(fit, one_body=other.one_body)
    with pytest.raises(InputError, match="belongs to another operator, or has its mean field"):
        ql.keep_mean_field(moved, exact, densities)
    again = ql.keep_mean_field(fit, exact, densities)
    assert again.status.method == f"{fit.status.method}, mean field kept"
    with pytest.raises(InputError, match="has its mean field already"):
        ql.keep_mean_field(again, exact, densities)


def test_archives_keep_the_fit_itself(tmp_path):
    """What was moved could not be told from an error there."""
    exact = ql.from_example("h2")
    fit = ql.compress(ql.double_factorize(exact), n_leaves=2)
    densities = ql.hartree_fock_state(exact).spin_densities()
    with pytest.raises(ql.InputError, match="Save the fit itself, and call"):
        ql.save(tmp_path / "a.h5", exact, ql.keep_mean_field(fit, exact, densities))
    assert not list(tmp_path.iterdir())
    ql.save(tmp_path / "a.h5", exact, fit)
    assert ql.verify(tmp_path / "a.h5").passed
