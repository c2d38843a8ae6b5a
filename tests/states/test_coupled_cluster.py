# SPDX-License-Identifier: Apache-2.0
"""The response of coupled cluster against differences of energies."""

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.states.correlation import operator_of, solved
from tests.molecules import mean_field


@pytest.fixture(scope="module", params=["h2-631g", "turned"])
def exact(request):
    """Two electrons, and four in orbitals that are none of the mean field's."""
    if request.param == "h2-631g":
        return ql.from_pyscf(mean_field("h2-631g"), tolerance=1e-12)
    lih = ql.from_example("lih")
    turn, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((lih.norb, lih.norb)))
    one = turn.T @ lih.one_body @ turn
    two = np.einsum("pqrs,pi,qj,rk,sl->ijkl", lih.two_body(), turn, turn, turn, turn, optimize=True)
    return ql.from_integrals(lih.constant, one, two, lih.nelec, tolerance=1e-12)


def test_response_is_the_derivative_of_the_energy(exact):
    """(pq|rs) moves along a random square, and h so that the Fock matrix stays.

    Amplitudes converge to 1e-6, the energy to the square of that and 1e-9: a step of 1e-3 leaves
    1e-6 and the third derivative.
    """
    reference = ql.coupled_cluster_reference(exact)
    rng = np.random.default_rng(1)
    square = rng.standard_normal((exact.norb, exact.norb))
    square = (square + square.T) / 4
    density = reference.spin_densities().sum(axis=0)
    move = np.einsum("pq,rs->pqrs", square, square)
    mean = np.einsum("pqrs,rs->pq", move - move.transpose(0, 3, 2, 1) / 2, density)
    constant, one, two = operator_of(exact)
    step, energies = 1e-3, []
    for way in (step, -step):
        moved = constant, one - way * mean, two + way * move
        _, solver = solved(exact, reference.determinant, *moved)
        energies.append(solver.e_corr)
    expected = np.sum(reference.response * move)
    assert (energies[0] - energies[1]) / (2 * step) == pytest.approx(expected, abs=2e-5)


def test_response_has_the_symmetry_of_integrals(exact):
    response = ql.coupled_cluster_reference(exact).response
    for axes in ((1, 0, 2, 3), (0, 1, 3, 2), (2, 3, 0, 1)):
        np.testing.assert_allclose(response.transpose(axes), response, atol=1e-14)


def test_it_measures_what_a_comparison_does(exact):
    reference = ql.coupled_cluster_reference(exact)
    for record in (ql.truncate(exact, ql.ErrorRule(1e-2)), ql.hypercontract(exact, n_points=5)):
        found, other = reference.error(record), ql.coupled_cluster_error(record, exact)
        assert found.error == pytest.approx(other.error, abs=1e-12)
        assert found.exact_correlation == reference.correlation
    assert "CCSD(T) energy" in repr(reference)
    with pytest.raises(InputError, match="Undo that first"):
        reference.error(ql.shift_symmetry(ql.double_factorize(exact)))


def test_what_it_refuses():
    with pytest.raises(InputError, match="closed shell"):
        ql.coupled_cluster_reference(ql.from_example("o2"))
    with pytest.raises(InputError, match="must be a Hamiltonian"):
        ql.coupled_cluster_reference(3)
    lih = ql.from_example("lih")
    with pytest.raises(InputError, match="Choose a smaller active space"):
        ql.coupled_cluster_reference(lih, max_memory=10.0)
    empty = ql.from_integrals(0.0, lih.one_body, lih.two_body(), (0, 0), tolerance=1e-12)
    with pytest.raises(InputError, match="nothing to correlate"):
        ql.coupled_cluster_reference(empty)
