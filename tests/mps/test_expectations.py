# SPDX-License-Identifier: Apache-2.0
"""Density matrices and expectation values against PySCF; spin orbitals as sites."""

import re

import numpy as np
import pytest

import qlowrank as ql


@pytest.mark.parametrize(("norb", "nelec"), [(6, (3, 2)), (5, (1, 4)), (1, (1, 0)), (4, (0, 2))])
def test_against_pyscf(norb, nelec, random_ci, rng):
    """Normalised, whatever the norm of the chain; sums of order norb² of numbers of order one."""
    from pyscf.fci import direct_spin1

    ci = random_ci(norb, nelec)
    mps = ql.mps_from_ci(3.0 * ci, norb, nelec)
    matrix = rng.standard_normal((norb, norb))
    matrix = matrix + matrix.T
    expected = direct_spin1.make_rdm1s(ci, norb, nelec)
    image = direct_spin1.contract_1e(matrix, ci, norb, nelec)

    np.testing.assert_allclose(ql.spin_densities(mps), expected, atol=1e-13)
    mean = ql.one_body_expectation(mps, matrix)
    assert mean == pytest.approx(np.sum(matrix * np.sum(expected, axis=0)), abs=1e-12)
    square = ql.square_expectation(mps, matrix)
    assert square == pytest.approx(np.vdot(image, image) / 2, rel=1e-12, abs=1e-12)


def test_squares_add_up_to_the_energy():
    hamiltonian = ql.from_example("lih", tolerance=1e-10)
    state = ql.fci_state(hamiltonian)
    mps = ql.mps_from_ci(state.vector, state.norb, state.nelec)

    energy = hamiltonian.constant + ql.one_body_expectation(mps, hamiltonian.kappa)
    energy += sum(ql.square_expectation(mps, factor) for factor in hamiltonian.factors)

    assert energy == pytest.approx(state.energy, abs=1e-8)


@pytest.mark.parametrize(("norb", "nelec"), [(4, (3, 2)), (3, (1, 2)), (1, (1, 1)), (3, (0, 2))])
def test_two_body_operators_against_pyscf(norb, nelec, random_ci, rng):
    """Any integrals with the eight symmetries, not only positive ones; order norb⁴ numbers."""
    from pyscf.fci import direct_spin1

    ci = random_ci(norb, nelec)
    integrals = rng.standard_normal((norb,) * 4)
    integrals = integrals + integrals.transpose(1, 0, 2, 3)
    integrals = integrals + integrals.transpose(0, 1, 3, 2)
    integrals = integrals + integrals.transpose(2, 3, 0, 1)

    found = ql.two_body_expectation(ql.mps_from_ci(2.0 * ci, norb, nelec), integrals)

    density = direct_spin1.make_rdm12(ci, norb, nelec)[1]
    expected = np.einsum("pqrs,pqrs->", integrals, density) / 2
    assert found == pytest.approx(expected, abs=1e-11 * np.abs(integrals).sum())


@pytest.mark.parametrize(("norb", "nelec"), [(5, (3, 2)), (4, (0, 3)), (1, (1, 1))])
def test_spin_orbitals_as_sites(norb, nelec, random_ci):
    """The same vector; its cuts between orbitals carry the same entropies."""
    mps = ql.mps_from_ci(random_ci(norb, nelec), norb, nelec)

    split = ql.split_orbitals(mps)

    axes = [2 * p + spin for p in range(norb) for spin in (1, 0)]
    vector = split.to_vector().reshape((2, 2) * norb).transpose(axes).ravel()
    np.testing.assert_allclose(vector, mps.to_vector(), atol=1e-14)
    assert split.nelec == nelec
    found, expected = ql.entanglement(split), ql.entanglement(mps)
    np.testing.assert_allclose(found.bond_entropies[1::2], expected.bond_entropies, atol=1e-12)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda mps, bits: ql.spin_densities(bits), "need one site per spatial orbital."),
        (lambda mps, bits: ql.split_orbitals(bits), "split_orbitals needs one site per spatial"),
        (
            lambda mps, bits: ql.spin_densities(ql.scale_mps(mps, 0)),
            "The MPS is zero; it has no ex",
        ),
        (lambda mps, bits: ql.square_expectation(mps, np.eye(3)), "matrix must have shape (2, 2)"),
        (
            lambda mps, bits: ql.two_body_expectation(mps, np.zeros((3,) * 4)),
            "two_body must have shape (2, 2, 2, 2)",
        ),
        (
            lambda mps, bits: ql.two_body_expectation(mps, np.arange(16.0).reshape((2,) * 4)),
            "two_body must have the eightfold symmetry",
        ),
        (
            lambda mps, bits: ql.one_body_expectation(mps, [[0, 1], [0, 0]]),
            "matrix must be symmetric; it differs from its transpose by up to 1.00e+00.",
        ),
    ],
)
def test_bad_input(act, message):
    mps = ql.mps_from_determinants([1], [1], [1.0], 2)
    with pytest.raises(ql.InputError, match=re.escape(message)):
        act(mps, ql.MPS.from_vector(np.ones(4), 2))
