# SPDX-License-Identifier: Apache-2.0
"""Fitted squares of low rank: slopes, errors and energies against slow independent ones."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.factorization.gauges import low_rank
from qlowrank.factorization.gauges.low_rank import LowRankLandscape, LowRankPoint
from qlowrank.factorization.gauges.pair_energy import PairEnergy


@pytest.fixture(scope="module")
def water():
    hamiltonian = ql.from_example("water")
    state = ql.hartree_fock_state(hamiltonian)
    return hamiltonian, state, ql.encode_squares(hamiltonian, method=ql.GaugeDescent(60))


@pytest.fixture(scope="module")
def fit(water):
    hamiltonian, state, start = water
    return ql.fit_squares(start, hamiltonian, state, cut=1e-3)


def random_problem(seed, with_response=False):
    """A landscape of random integrals and a random point; 2 of 4 orbitals are filled."""
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((5, 4, 4))
    factors = factors + factors.transpose(0, 2, 1)
    kappa = rng.standard_normal((4, 4))
    orbitals, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    squares = factors[:2] - np.eye(4)
    response = np.einsum("tpq,trs->pqrs", squares, squares) if with_response else None
    landscape = LowRankLandscape(
        factors,
        kappa + kappa.T,
        2 * orbitals[:, :2] @ orbitals[:, :2].T,
        electrons=5,  # so that shifts reach the one-body part
        signs=np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0]),
        leaf_of=np.array([0, 0, 1, 2, 2, 2]),
        weight=0.7,
        pair_energy=0.3,
        response=response,
    )
    values = (rng.standard_normal(shape) for shape in ((6, 4), 3, 3))
    return factors, orbitals, landscape, LowRankPoint(*values, potential=0.2), rng


@pytest.mark.parametrize("with_response", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_slopes_are_differences(seed, with_response, monkeypatch):
    monkeypatch.setattr(low_rank, "ENERGY_WEIGHT", 1e-6)  # no larger than other terms
    *_, landscape, point, rng = random_problem(seed, with_response)
    _, slope = landscape.smoothed(point, 0.1)
    for name in ("vectors", "shifts", "offsets", "potential"):
        way = np.asarray(rng.standard_normal(np.shape(getattr(point, name))))
        step = 1e-5
        ends = [
            landscape.smoothed(
                replace(point, **{name: getattr(point, name) + sign * step * way}), 0.1
            )[0]
            for sign in (1, -1)
        ]
        expected = float(np.sum(getattr(slope, name) * way))
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(expected, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("with_response", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_slope_of_the_predicted_energy_is_its_difference(seed, with_response):
    *_, landscape, point, rng = random_problem(seed, with_response)
    leaves = landscape.leaves(point)
    way = rng.standard_normal(leaves.shape)
    way = way + way.transpose(0, 2, 1)
    ends = [landscape.energy(leaves + step * way)[0] for step in (1e-5, -1e-5)]
    expected = 2 * float(np.sum(landscape.energy(leaves)[1] * way))
    assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_error_is_that_of_dense_tensors(seed):
    factors, orbitals, landscape, point, _ = random_problem(seed)
    leaves = landscape.leaves(point)
    exact = np.einsum("tpq,trs->pqrs", factors, factors)
    gap = exact - np.einsum("tpq,trs->pqrs", leaves, leaves)
    assert landscape.frobenius_error(leaves) == pytest.approx(np.linalg.norm(gap), rel=1e-12)
    gap = np.einsum("pqrs,pi,qj,rk,sl->ijkl", gap, orbitals, orbitals, orbitals, orbitals)
    filled = np.array([True, True, False, False])
    counts = np.where(filled[:, None] != filled, 1.0, low_rank.QUIET)
    expected = np.sum(counts[:, :, None, None] * counts * gap**2)
    assert landscape.error(leaves)[0] == pytest.approx(expected, rel=1e-12)


def test_pair_energy_is_that_of_second_order():
    """With (ia|jb) times 1 + x at fixed orbital energies, E2 grows by 2 x + x² of itself."""
    from pyscf import gto, mp, scf

    mol = gto.M(atom="H 0 0 0; F 0 0 0.9", basis="sto-3g", verbose=0)
    field = scf.RHF(mol).run(conv_tol=1e-12)
    hamiltonian = ql.from_pyscf(field, tolerance=1e-10)
    energy = mp.MP2(field).run().e_corr
    density = ql.hartree_fock_state(hamiltonian).spin_densities().sum(axis=0)
    larger = np.sqrt(1.1) * hamiltonian.factors
    change, _ = PairEnergy(hamiltonian.factors, hamiltonian.kappa, density)(larger)
    assert change == pytest.approx((0.2 + 0.01) * energy, rel=1e-6)
    response = ql.coupled_cluster_reference(hamiltonian).response
    steered = PairEnergy(hamiltonian.factors, hamiltonian.kappa, density, response)
    linear = 0.1 * np.einsum("pqrs,tpq,trs->", response, hamiltonian.factors, hamiltonian.factors)
    assert steered(larger)[0] == pytest.approx(linear + 0.01 * energy, rel=1e-6)


def test_one_norm_falls_with_few_eigenvectors(water, fit):
    _, _, start = water
    assert fit.encoding.one_norm() < start.one_norm()
    kept = np.count_nonzero(fit.encoding.eigenvalues)
    assert kept < np.count_nonzero(start.eigenvalues)
    larger = fit.encoding.with_empty_orbital()
    assert larger.one_norm() == pytest.approx(fit.encoding.one_norm(), abs=1e-9)
    assert ql.resource_estimate(larger).walk.n_eigenvectors == kept + np.count_nonzero(
        fit.encoding.offsets
    )


def test_mean_field_is_kept_and_correlation_nearly(water, fit):
    """Perturbation theory holds the energy roughly, the response of coupled cluster well."""
    hamiltonian, _, start = water
    reference = ql.coupled_cluster_reference(hamiltonian)
    steered = ql.fit_squares(start, hamiltonian, reference, cut=1e-3)
    for record, largest in ((fit, 1e-3), (steered, 1e-4)):
        error = reference.error(record.factorization)
        assert error.mean_field == pytest.approx(error.exact_mean_field, abs=1e-8)
        assert abs(error.error) < largest
        assert abs(record.pair_energy_change) < 1e-5


def test_loss_is_that_of_the_record(water, fit):
    hamiltonian, _, _ = water
    own = fit.factorization.factors()
    exact = np.einsum("tpq,trs->pqrs", hamiltonian.factors, hamiltonian.factors)
    gap = exact - np.einsum("tpq,trs->pqrs", own, own)
    assert np.linalg.norm(gap) == pytest.approx(fit.frobenius_error, rel=1e-6)
    assert np.linalg.norm(gap) <= fit.factorization.status.frobenius_error


def test_shifts_and_offsets_change_no_energy(fit):
    plain = ql.fci_state(fit.factorization.to_hamiltonian()).energy
    assert ql.fci_state(fit.encoding.to_hamiltonian()).energy == pytest.approx(plain, abs=1e-7)


def test_more_weight_less_error(water, fit):
    hamiltonian, state, start = water
    other = ql.fit_squares(start, hamiltonian, state, cut=1e-3, weight=3000)
    assert other.frobenius_error < fit.frobenius_error
    assert other.encoding.one_norm() > fit.encoding.one_norm()


def test_pair_energy_can_be_asked_for(water):
    hamiltonian, state, start = water
    fit = ql.fit_squares(start, hamiltonian, state, cut=1e-3, pair_energy=1e-3)
    plain = ql.fit_squares(start, hamiltonian, state, cut=1e-3)
    assert abs(plain.pair_energy_change) < 1e-5
    assert fit.pair_energy_change == pytest.approx(1e-3, abs=2e-4)


def test_history_and_progress(water):
    hamiltonian, state, start = water
    seen = []
    fit = ql.fit_squares(
        start, hamiltonian, state, max_steps=5, progress=lambda *step: seen.append(step)
    )
    status = fit.optimizer
    assert status.n_steps == len(seen) == 10
    assert not status.converged
    assert "limit" in status.message
    assert np.all(np.diff(status.history[:5]) <= 0)
    assert "eigenvectors" in repr(fit)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"weight": 0.0}, "weight"),
        ({"cut": -1.0}, "cut"),
        ({"cut": 1e9}, "leaves no eigenvalue"),
        ({"max_steps": 0}, "max_steps"),
        ({"pair_energy": np.nan}, "pair_energy"),
    ],
)
def test_bad_numbers(water, change, match):
    hamiltonian, state, start = water
    with pytest.raises(InputError, match=match):
        ql.fit_squares(start, hamiltonian, state, **change)


@dataclass(frozen=True)
class Densities:
    """A reference that is nothing but densities."""

    densities: np.ndarray

    def spin_densities(self):
        return self.densities


def test_bad_records(water):
    hamiltonian, state, start = water
    with pytest.raises(InputError, match="closed-shell"):
        ql.fit_squares(start, hamiltonian, Densities(0.5 * state.spin_densities()))
    with pytest.raises(InputError, match="SquareEncoding"):
        ql.fit_squares(ql.double_factorize(hamiltonian), hamiltonian, state)
    with pytest.raises(InputError, match="7 orbitals"):
        ql.fit_squares(start, ql.from_example("h2"), state)
    projected = ql.encode_squares(hamiltonian, n_projected=1, method=ql.GaugeDescent(2))
    with pytest.raises(InputError, match="projection"):
        ql.fit_squares(projected, hamiltonian, state)
    with pytest.raises(InputError, match="spin_densities must have shape"):
        ql.fit_squares(start, hamiltonian, Densities(state.spin_densities()[0]))
    with pytest.raises(InputError, match=r"must have spin_densities\(\)"):
        ql.fit_squares(start, hamiltonian, state.spin_densities())
