# SPDX-License-Identifier: Apache-2.0
"""Hypercontraction for a low one-norm, with the symmetry shift that goes with it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.factorization.compression import errors
from qlowrank.factorization.compression.problem import problem_of
from qlowrank.factorization.hypercontraction.aim import Aim, aim_of
from qlowrank.factorization.hypercontraction.joint import Contraction, JointLandscape
from qlowrank.factorization.hypercontraction.landscape import HypercontractionLandscape
from tests.molecules import fci_energy, integrals, mean_field
from tests.strategies import generators, hamiltonians

EPS = np.finfo(float).eps

SHIFTED = ql.WeightedSum((1.0, ql.SectorError()), (1e-3, ql.OneNorm()))
objectives = st.sampled_from(
    [
        ql.SectorError(),
        ql.WeightedSum((0.5, ql.FrobeniusError()), (1e-2, ql.OneNorm())),
        SHIFTED,
    ]
)


def rebuilt(fit):
    """(pq|rs) by the definition."""
    x = fit.points
    return np.einsum("pi,qi,ij,rj,sj->pqrs", x, x, fit.core, x, x, optimize=True)


def projected(tensor):
    """P V P with P = 1 − e eᵀ over orbital pairs."""
    norb = len(tensor)
    unit = np.eye(norb).ravel() / np.sqrt(norb)
    projector = np.eye(norb**2) - np.outer(unit, unit)
    return (projector @ tensor.reshape(norb**2, norb**2) @ projector).reshape(tensor.shape)


def sector_energies(constant, kappa, tensor, nelec):
    """Spectrum of E0 + κ E + ½ (pq|rs) E_pq E_rs in a sector, by PySCF's full matrix."""
    one_body = kappa + np.einsum("prrq->pq", tensor) / 2
    from tests.molecules import fci_spectrum

    return fci_spectrum(constant, one_body, tensor, nelec)


@pytest.mark.parametrize("in_sector", [True, False])
@settings(max_examples=15)
@given(rng=generators, norb=st.integers(2, 4), n_points=st.integers(1, 7))
def test_values_and_derivatives(in_sector, rng, norb, n_points):
    """Values by the definition; fourth-order differences along a random direction."""
    factors = rng.standard_normal((norb, norb, norb))
    factors += factors.transpose(0, 2, 1)
    one_body = rng.standard_normal((norb, norb))
    problem = problem_of(factors, one_body + one_body.T, (norb - 1, 1))
    problem = problem.sector() if in_sector else problem
    points = rng.standard_normal((norb, n_points))
    core = rng.standard_normal((n_points, n_points))
    place = Contraction(points / np.linalg.norm(points, axis=0), core + core.T)
    landscape = JointLandscape(problem, Aim("both", 0.7, 0.3, in_sector, 1.0))
    start, function, back = landscape.chart(place, 0.0)
    again = back(start)
    condition = 1e2 / 1e-2  # the ridge bounds the coordinates' own
    np.testing.assert_allclose(again.points, place.points, atol=4 * EPS)
    np.testing.assert_allclose(again.core, place.core, atol=1e3 * condition * EPS)

    x = place.points
    fitted = np.einsum("pi,qi,ij,rj,sj->pqrs", x, x, place.core, x, x, optimize=True)
    residual = np.einsum("tpq,trs->pqrs", factors, factors) - fitted
    residual = projected(residual) if in_sector else residual
    expected = np.sum(residual**2) / 2
    assert landscape.error(place) == pytest.approx(expected, rel=1e-9, abs=1e-9)

    direction = rng.standard_normal(len(start))
    direction /= np.linalg.norm(direction)
    values, slope = function(start)[0], function(start)[1] @ direction
    step = 1e-3
    ends = [function(start + k * step * direction)[0] for k in (-2, -1, 1, 2)]
    difference = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
    # coordinates are of length one a Hartree: step⁴ of fifth derivatives of a quartic
    assert abs(difference - slope) <= 1e3 * step**4 * (1 + values) + 1e4 * EPS * values / step


@settings(max_examples=30)
@given(hamiltonians(3), st.integers(1, 6), objectives, st.booleans())
def test_bounds_and_spectra_hold_in_the_sector(arrays, n_points, objective, small):
    """The shifted operator is the molecule's within η times the trace norm, in its sector."""
    norb = len(arrays[1])
    n_points = min(n_points, norb * (norb + 1) // 2)
    hamiltonian = ql.from_integrals(*arrays, tolerance=0.0)
    with pytest.MonkeyPatch.context() as patch:
        if not small:
            patch.setattr(errors, "MOST_PAIRS", -1)
        steps = ql.QuasiNewton(max_steps=8)
        fit = ql.hypercontract(hamiltonian, n_points=n_points, objective=objective, optimizer=steps)
    error = arrays[2] - rebuilt(fit)
    error = (projected(error) if fit.in_sector else error).reshape(norb**2, norb**2)
    peak = np.abs(arrays[2]).max(initial=0.0)
    allowed = 20 * norb**4 * EPS * (peak + np.abs(fit.core).sum())
    lost = 4 * hamiltonian.truncation.max_error  # what a tolerance of 0 calls rounding
    status = fit.status
    assert np.abs(error).max() <= status.max_abs_error + allowed
    assert np.linalg.norm(error) <= status.frobenius_error + norb**2 * (allowed + lost)
    assert np.linalg.norm(error, "nuc") <= status.trace_norm_error + norb**3 * (allowed + lost)
    exact = sector_energies(arrays[0], hamiltonian.kappa, arrays[2], arrays[3])
    found = sector_energies(fit.constant, fit.one_body, rebuilt(fit), arrays[3])
    electrons = max(sum(arrays[3]), 1)
    size = 1e3 * EPS * (np.abs(arrays[1]).sum() + np.abs(fit.core).sum()) * norb**2
    limit = electrons**2 / 2 * (status.trace_norm_error + norb**3 * (allowed + lost)) + size
    assert np.abs(exact - found).max() <= limit
    assert found[-1] - found[0] <= 2 * fit.one_norm() * (1 + 1e-10) + size


def test_the_one_norm_falls_and_the_energy_stays():
    """Water 6-31G, 65 points: plain, for the one-norm, and with the shift."""
    exact = ql.from_pyscf(mean_field("water-631g"), tolerance=1e-8)
    without = ql.WeightedSum((1.0, ql.FrobeniusError()), (1e-4, ql.OneNorm()))
    shifted = ql.WeightedSum((1.0, ql.SectorError()), (1e-4, ql.OneNorm()))
    plain, low, lower = (
        ql.hypercontract(exact, n_points=65, objective=aim) for aim in (None, without, shifted)
    )
    assert low.one_norm() < plain.one_norm() / 2
    assert lower.one_norm() < 0.7 * low.one_norm()
    assert lower.status.frobenius_error < 0.02
    assert lower.optimizer.objective == "1 × sector error + 0.0001 × one-norm"
    assert lower.optimizer.history[-1] < lower.optimizer.history[0]
    assert "for 10 electrons only" in repr(lower)
    toffoli = [ql.resource_estimate(fit).toffoli for fit in (plain, lower)]
    assert toffoli[1] < toffoli[0] / 2
    # (T) knows orbital energies, which the shift changes; the comparison moves it back
    assert abs(ql.coupled_cluster_error(lower, exact).correlation_error) < 2e-3


def test_all_pairs_are_exact_in_the_sector():
    """As many points as pairs: the molecule's energy with its electrons, another with others."""
    hamiltonian = ql.from_pyscf(mean_field("h2-631g"), tolerance=1e-10)
    aim = ql.WeightedSum((1.0, ql.SectorError()), (1e-7, ql.OneNorm()))
    fit = ql.hypercontract(hamiltonian, n_points=10, objective=aim)
    tensor = rebuilt(fit)
    one_body = fit.one_body + np.einsum("prrq->pq", tensor) / 2
    found = fci_energy(fit.constant, one_body, tensor, fit.nelec)
    constant, bare, coulomb, _ = integrals("h2-631g")
    assert abs(found - fci_energy(constant, bare, coulomb, (1, 1))) <= 2 * (
        fit.status.trace_norm_error
    )
    assert fit.status.trace_norm_error < 1e-3
    ion = fci_energy(fit.constant, one_body, tensor, (1, 0))
    assert abs(ion - fci_energy(constant, bare, coulomb, (1, 0))) > 1e-2


def test_the_best_core_of_a_sector_is_no_worse_than_any(rng):
    """Variable projection: no change of the core lowers the error at fixed points."""
    hamiltonian = ql.from_example("lih")
    problem = problem_of(hamiltonian.factors, hamiltonian.kappa, hamiltonian.nelec)
    aim = aim_of(ql.SectorError())
    alone = HypercontractionLandscape(problem, aim)
    points = rng.standard_normal((hamiltonian.norb, 12))
    points /= np.linalg.norm(points, axis=0)
    root = alone.core_root(points)
    core = root @ root.T
    joint = JointLandscape(problem.sector(), replace(aim, norm=1.0))
    best = joint.error(Contraction(points, core))
    assert best == pytest.approx(alone.error(points), rel=1e-6)
    for _ in range(5):
        change = rng.standard_normal(core.shape) * 1e-3
        assert joint.error(Contraction(points, core + change + change.T)) > best


def test_the_same_bytes_twice():
    hamiltonian = ql.from_example("lih")
    steps = ql.QuasiNewton(max_steps=30)
    first, second = (
        ql.hypercontract(hamiltonian, n_points=15, objective=SHIFTED, optimizer=steps)
        for _ in range(2)
    )
    assert first.core.tobytes() == second.core.tobytes()
    assert first.points.tobytes() == second.points.tobytes()
    assert first.optimizer.seed == 0


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (ql.CoreOneNorm(), "'core one-norm', which needs leaves"),
        (ql.WeightedSum((1.0, ql.SectorError()), (1.0, ql.CoreSquares())), "'core squares'"),
        ("one-norm", "is fitted for FrobeniusError"),
        (ql.OneNorm, "is fitted for FrobeniusError"),
        (ql.OneNorm(), "'one-norm' holds no error of the integrals"),
    ],
)
def test_bad_objectives(objective, message):
    with pytest.raises(InputError, match=message):
        ql.hypercontract(ql.from_example("h2"), n_points=2, objective=objective)
