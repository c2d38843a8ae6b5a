# SPDX-License-Identifier: Apache-2.0
"""Hypercontraction against dense least squares, and what it promises about its errors."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.factorization.compression import errors
from qlowrank.factorization.compression.problem import problem_of
from qlowrank.factorization.hypercontraction import (
    GridPoints,
    Hypercontraction,
    LeafPoints,
    RandomPoints,
    hypercontract,
    landscape,
)
from qlowrank.factorization.hypercontraction.landscape import HypercontractionLandscape
from qlowrank.factorization.hypercontraction.points import chosen_points
from qlowrank.factorization.quasi_newton import QuasiNewton
from qlowrank.hamiltonian import from_integrals, from_pyscf
from tests.molecules import fci_energy, fock_spectrum, integrals, mean_field
from tests.strategies import generators, hamiltonians

EPS = np.finfo(float).eps


def rebuilt(fit):
    """(pq|rs) by the definition."""
    x = fit.points
    return np.einsum("pi,qi,ij,rj,sj->pqrs", x, x, fit.core, x, x, optimize=True)


def landscape_of(hamiltonian):
    return HypercontractionLandscape(
        problem_of(hamiltonian.factors, hamiltonian.kappa, hamiltonian.nelec)
    )


@st.composite
def cases(draw, largest=4):
    arrays = draw(hamiltonians(largest))
    norb = len(arrays[1])
    return arrays, draw(st.integers(1, norb * (norb + 1) // 2))


@given(cases(), generators)
def test_the_core_is_the_dense_least_squares_one(case, rng):
    """All of ζ by `lstsq` over the squares, none of our formulas; where the fit is determined.

    The ridge moves the residual by its share of the conditioning of the squares.
    """
    arrays, n_points = case
    norb = len(arrays[1])
    x = rng.standard_normal((norb, n_points))
    x /= np.linalg.norm(x, axis=0)
    squares = np.einsum("pi,qi->pqi", x, x).reshape(norb**2, n_points)
    condition = np.linalg.cond(squares) ** 2
    if condition > 1e4:
        return
    matrix = arrays[2].reshape(norb**2, norb**2)
    half = np.linalg.lstsq(squares, matrix, rcond=None)[0]
    core = np.linalg.lstsq(squares, half.T, rcond=None)[0]
    expected = np.sum((matrix - squares @ core @ squares.T) ** 2) / 2
    ours = landscape_of(from_integrals(*arrays, tolerance=0.0))
    scale = np.sum(matrix**2)
    allowed = (10 * landscape.RIDGE + 1e3 * norb**4 * EPS) * condition * scale
    assert abs(ours.error(x) - expected) <= allowed + 1e-12
    root = ours.core_root(x)
    np.testing.assert_allclose(root @ root.T, core, atol=1e3 * allowed + 1e-9)


@settings(max_examples=40)
@given(cases(), generators)
def test_derivatives(case, rng):
    """Central differences of fourth order along a random direction."""
    arrays, n_points = case
    ours = landscape_of(from_integrals(*arrays, tolerance=0.0))
    x = rng.standard_normal((len(arrays[1]), n_points))
    x /= np.linalg.norm(x, axis=0)
    if np.linalg.cond(np.einsum("pi,qi->pqi", x, x).reshape(-1, n_points)) > 30:
        return  # third derivatives grow with the condition of the squares
    start, function, back = ours.chart(x, 0.0)
    np.testing.assert_allclose(back(start), x, atol=4 * EPS)
    direction = rng.standard_normal(len(start))
    direction /= np.linalg.norm(direction) or 1.0
    moved = np.linalg.norm(back(1e-9 * direction) - x) / 1e-9
    step = 1e-3 / max(moved, 1e-6)  # so that points move by a thousandth
    values = [function(k * step * direction)[0] for k in (-2, -1, 1, 2)]
    difference = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
    slope = function(start)[1] @ direction
    scale = np.sum(arrays[2] ** 2) + 1e-12
    # fourth order in a thousandth, times derivatives that grow with the condition, 30 squared
    assert abs(difference - slope) * step <= 1e-3 * 1e-6 * scale + 1e4 * EPS * scale


@settings(max_examples=40)
@given(cases(), st.sampled_from([0.0, 1e-2]), st.booleans())
def test_bounds_hold_against_the_true_error(case, tolerance, small):
    arrays, n_points = case
    norb = len(arrays[1])
    hamiltonian = from_integrals(*arrays, tolerance=tolerance)
    with pytest.MonkeyPatch.context() as patch:
        if not small:
            patch.setattr(errors, "MOST_PAIRS", -1)
        fit = hypercontract(hamiltonian, n_points=n_points, optimizer=QuasiNewton(max_steps=8))
    error = (rebuilt(fit) - arrays[2]).reshape(norb**2, norb**2)
    peak = np.abs(arrays[2]).max(initial=0.0)
    # sums of n_points² terms, each at most the largest core entry
    allowed = 20 * norb**4 * EPS * (peak + np.abs(fit.core).sum())
    lost = hamiltonian.truncation.max_error * (tolerance == 0.0)  # what 0 calls rounding
    status = fit.status
    assert np.abs(error).max() <= status.max_abs_error + allowed
    assert np.linalg.norm(error) <= status.frobenius_error + norb**2 * (allowed + lost)
    assert np.linalg.norm(error, "nuc") <= status.trace_norm_error + norb**3 * (allowed + lost)
    assert np.linalg.eigvalsh(fit.core)[0] >= -allowed
    np.testing.assert_allclose(np.linalg.norm(fit.points, axis=0), 1.0, atol=4 * norb * EPS)
    np.testing.assert_allclose(fit.two_body(), rebuilt(fit), atol=allowed)


@settings(max_examples=30)
@given(cases(largest=3))
def test_the_one_norm_bounds_the_spectrum(case):
    """A block encoding of H minus a constant has ‖H − c‖ ≤ λ, so the spectrum spans at most 2λ."""
    arrays, n_points = case
    fit = hypercontract(
        from_integrals(*arrays, tolerance=0.0),
        n_points=n_points,
        optimizer=QuasiNewton(max_steps=5),
    )
    tensor = rebuilt(fit)
    one_body = fit.one_body + np.einsum("prrq->pq", tensor) / 2
    spectrum = fock_spectrum(fit.constant, one_body, tensor)
    allowed = 1e3 * EPS * (np.abs(arrays[1]).sum() + np.abs(fit.core).sum())
    assert spectrum[-1] - spectrum[0] <= 2 * fit.one_norm() * (1 + 1e-10) + allowed
    # the second part of the norm: Σ ζ_PQ = Σ_pr (pp|rr) for unit columns
    assert np.abs(fit.core).sum() / 2 >= np.einsum("pprr->", tensor) / 2 - allowed


def test_all_pairs_are_exact():
    """As many points as pairs span every symmetric matrix: the molecule's own energy."""
    hamiltonian = from_pyscf(mean_field("h2-631g"), tolerance=1e-10)
    back = hypercontract(hamiltonian, n_points=10).to_hamiltonian()
    energy = fci_energy(back.constant, back.normal_ordered_one_body(), back.two_body(), back.nelec)
    assert abs(energy - fci_energy(*integrals("h2-631g"))) <= 1e-6
    assert back.kappa.tobytes() == hamiltonian.kappa.tobytes()


def chain(length):
    """Hydrogen atoms 1 Å apart, minimal basis."""
    from pyscf import gto, scf

    atoms = "; ".join(f"H 0 0 {k}" for k in range(length))
    return scf.RHF(gto.M(atom=atoms, basis="sto-3g", verbose=0)).run(conv_tol=1e-10)


def test_a_chain_of_hydrogen_needs_four_points_an_orbital():
    """H14, 56 points: relative error 1.4e-4 or better from the grid alone, much better after."""
    mf = chain(14)
    hamiltonian = from_pyscf(mf, tolerance=1e-8)
    whole = np.sqrt(np.sum(landscape_of(hamiltonian).problem.weights ** 2))
    grid = GridPoints(mf.mol, mf.mo_coeff, level=0)
    start = landscape_of(hamiltonian).error(grid(hamiltonian, 56))
    fit = hypercontract(hamiltonian, n_points=56, points=grid)
    assert np.sqrt(2 * start) <= 1.4e-4 * whole
    assert fit.status.frobenius_error <= 1e-5 * whole
    leaves = hypercontract(hamiltonian, n_points=56)
    assert leaves.status.frobenius_error <= 1e-3 * whole


def test_water():
    """6-31G, 52 points: relative error 2.8e-3 after optimisation, from integrals alone."""
    hamiltonian = from_pyscf(mean_field("water-631g"), tolerance=1e-8)
    fit = hypercontract(hamiltonian, n_points=52)
    error = np.linalg.norm(rebuilt(fit) - integrals("water-631g")[2])
    assert error <= 4e-3 * np.linalg.norm(integrals("water-631g")[2])
    assert error == pytest.approx(fit.status.frobenius_error, rel=1e-2)
    history = fit.optimizer.history
    assert history[-1] == pytest.approx(error**2 / 2, rel=1e-2)  # of the cut problem
    assert fit.optimizer.n_steps == len(history) - 1 == 300


@given(generators, st.integers(2, 4), st.integers(0, 12), st.integers(1, 10))
def test_points_are_pivots_of_the_squares(rng, norb, count, n_points):
    """Every chosen square lies farthest from the span of those before it."""
    candidates = rng.standard_normal((norb, count)) * rng.uniform(0.1, 2, count)
    chosen = chosen_points(candidates, n_points, np.random.default_rng(0))
    assert chosen.shape == (norb, n_points)
    np.testing.assert_allclose(np.linalg.norm(chosen, axis=0), 1.0, atol=1e-14 * 4)
    squares = np.einsum("pi,qi->pqi", candidates, candidates).reshape(norb**2, count)
    span = np.zeros((norb**2, 0))
    for k in range(min(n_points, count, norb * (norb + 1) // 2)):
        rest = squares - span @ (span.T @ squares)
        distances = np.linalg.norm(rest, axis=0)
        ours = np.outer(chosen[:, k], chosen[:, k]).ravel()
        overlaps = np.abs(ours @ squares) / np.linalg.norm(squares, axis=0)
        picked = int(np.argmax(overlaps))
        if distances.max() < 1e-5:
            break
        assert distances[picked] >= distances.max() * (1 - 1e-6)
        span = np.linalg.qr(np.concatenate([span, squares[:, [picked]]], axis=1))[0]


@pytest.mark.parametrize("method", [LeafPoints(), LeafPoints(seed=2), RandomPoints(seed=3)])
def test_the_same_bytes_twice(method):
    hamiltonian = from_pyscf(mean_field("o2"))
    first, second = (
        hypercontract(hamiltonian, n_points=20, points=method, optimizer=QuasiNewton(max_steps=25))
        for _ in range(2)
    )
    assert first.points.tobytes() == second.points.tobytes()
    assert first.core.tobytes() == second.core.tobytes()
    assert first.optimizer.seed == method.seed


def test_no_repulsion():
    hamiltonian = from_integrals(0.5, np.diag([1.0, 2.0]), np.zeros((2,) * 4), (1, 0))
    fit = hypercontract(hamiltonian, n_points=2)
    np.testing.assert_array_equal(fit.core, np.zeros((2, 2)))
    assert fit.one_norm() == 3.0
    assert fit.optimizer.converged
    assert fit.to_hamiltonian().rank == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_points": 0}, "n_points must be from 1 to 3, the number of orbital pairs"),
        ({"n_points": 4}, "n_points must be from 1 to 3.*Got 4"),
        ({"n_points": "many"}, "n_points must be a whole number"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(InputError, match=message):
        hypercontract(from_pyscf(mean_field("h2")), **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LeafPoints(seed=-1), "seed must be at least 0"),
        (lambda: RandomPoints(seed=-1), "seed must be at least 0"),
        (lambda: GridPoints(None, None, level=10), "level must be from 0 to 9"),
        (lambda: hypercontract("h2", n_points=1), "takes a Hamiltonian; got a str"),
    ],
)
def test_bad_methods(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_grid_points_need_the_orbitals_of_the_hamiltonian():
    mf = mean_field("h2-631g")
    with pytest.raises(InputError, match=r"orbitals must have shape \(4, 4\); got \(4, 2\)"):
        hypercontract(from_pyscf(mf), n_points=3, points=GridPoints(mf.mol, mf.mo_coeff[:, :2]))


def test_records_are_checked_and_read_only():
    fit = hypercontract(from_pyscf(mean_field("h2")), n_points=3)
    for name in ("one_body", "points", "core"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(fit, name)[0] = 1.0
    for change, message in (
        ({"core": np.triu(np.ones((3, 3)))}, "core must be symmetric"),
        ({"points": np.ones((2, 2))}, r"points must have shape \(2, 3\)"),
        ({"points": np.ones((2, 3))}, "points must be unit columns; a norm misses 1 by 4.1e-01"),
        ({"nelec": (3, 0)}, "0 to 2 electrons"),
    ):
        with pytest.raises(InputError, match=message):
            replace(fit, **change)
    indefinite = replace(fit, core=np.diag([1.0, -0.25, -0.5]))
    with pytest.raises(
        InputError, match=r"lowest eigenvalue is -5.00e-01 Hartree, and all negative.*-7.50e-01"
    ):
        indefinite.to_hamiltonian()
    with pytest.raises(InputError, match=r"needs .* of memory"):
        fit.two_body(max_memory=100)
    assert repr(fit).startswith("Hypercontraction(H2: 2 orbitals, 3 points, one-norm")


def test_arrays_have_units_and_axes():
    fit = hypercontract(from_pyscf(mean_field("h2")), n_points=3)
    for field in fields(Hypercontraction):
        value = getattr(fit, field.name)
        if isinstance(value, np.ndarray):
            assert field.metadata["units"] in {"1", "hartree"}
            assert len(field.metadata["axes"].split(",")) == value.ndim
