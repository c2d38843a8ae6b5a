# SPDX-License-Identifier: Apache-2.0
"""Symmetry shifts: the same operator for its own electrons, another for the rest, a lower norm."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.factorization import (
    MedianShift,
    OneNormShift,
    SymmetryShift,
    TracelessShift,
    double_factorize,
    shift_symmetry,
    unshift,
)
from qlowrank.factorization.shift import ShiftProblem, shift_problem
from qlowrank.hamiltonian import from_integrals, from_pyscf
from tests.molecules import fci_spectrum, integrals, mean_field
from tests.strategies import hamiltonians

EPS = np.finfo(float).eps
methods = st.sampled_from([MedianShift(), TracelessShift(), OneNormShift()])


def operator(factorization):
    """Constant, h and (pq|rs) of the operator that a factorization describes."""
    back = factorization.to_hamiltonian()
    return back.constant, back.normal_ordered_one_body(), back.two_body()


def rounding(factorization, arrays):
    """Of energies: norb⁴ products of integrals that shifts by at most a norm have enlarged."""
    norb, electrons = len(arrays[1]), sum(arrays[3])
    shift = factorization.shift
    moved = (norb + electrons + 1) ** 2 * (
        np.sum(shift.leaf_shifts**2) + np.sum(factorization.eigenvalues**2)
    )
    size = abs(arrays[0]) + np.abs(arrays[1]).sum() + 2 * np.abs(arrays[2]).sum() + moved
    return 20 * norb**2 * EPS * (size + abs(factorization.constant))


@settings(max_examples=40)
@given(hamiltonians(largest=3), methods)
def test_the_sector_keeps_its_spectrum(arrays, method):
    """All energies of all spins of η electrons, n_alpha ≠ n_beta included."""
    plain = double_factorize(from_integrals(*arrays, tolerance=0.0))
    shifted = shift_symmetry(plain, method=method)
    electrons, norb = sum(arrays[3]), len(arrays[1])
    for n_alpha in range(max(0, electrons - norb), min(electrons, norb) + 1):
        nelec = (n_alpha, electrons - n_alpha)
        gap = fci_spectrum(*operator(shifted), nelec) - fci_spectrum(*arrays[:3], nelec)
        assert np.abs(gap).max() <= rounding(shifted, arrays)


def test_other_numbers_of_electrons_do_not():
    hamiltonian = from_pyscf(mean_field("heh"), tolerance=0.0)
    shifted = shift_symmetry(hamiltonian)
    for nelec, same in (((2, 1), True), ((3, 0), True), ((2, 2), False), ((1, 0), False)):
        gap = fci_spectrum(*operator(shifted), nelec) - fci_spectrum(*integrals("heh")[:3], nelec)
        assert bool(np.abs(gap).max() < 1e-9) is same
    assert shifted.to_hamiltonian().source.origin == "PySCF ROHF, shifted: for 3 electrons only"
    assert "for 3 electrons only" in repr(shifted)
    assert repr(shifted.shift).startswith("SymmetryShift(exact for 3 electrons only: ")


@given(hamiltonians(), methods, methods)
def test_it_can_be_undone_and_repeated(arrays, method, again):
    plain = double_factorize(from_integrals(*arrays, tolerance=0.0))
    shifted = shift_symmetry(plain, method=method)
    twice = shift_symmetry(shifted, method=again)
    for result in (shifted, twice):
        back = unshift(result)
        allowed = rounding(result, arrays)
        assert back.shift is None
        np.testing.assert_allclose(back.one_body, plain.one_body, rtol=0, atol=allowed)
        np.testing.assert_allclose(back.constant, plain.constant, rtol=0, atol=allowed)
        np.testing.assert_allclose(
            back.factors(), plain.factors(), rtol=0, atol=np.sqrt(EPS) * np.sqrt(allowed)
        )
    assert unshift(plain) is plain


@given(hamiltonians(), methods)
def test_the_problem_is_the_records_one_norm(arrays, method):
    """λ(c) of the convex problem, and `one_norm()` of the record, by different formulas."""
    plain = double_factorize(from_integrals(*arrays, tolerance=0.0))
    problem = shift_problem(plain)
    shifts = method(problem)
    shifted = shift_symmetry(plain, method=method)
    allowed = rounding(shifted, arrays)
    assert abs(shifted.one_norm() - problem.one_norm(shifts)) <= allowed
    np.testing.assert_array_equal(shifted.shift.leaf_shifts, shifts)
    assert shifted.status.method == f"cholesky, {method.name}"


@given(hamiltonians())
def test_medians_are_best_for_the_squares_and_means_for_frobenius(arrays):
    plain = double_factorize(from_integrals(*arrays, tolerance=0.0))
    rng = np.random.default_rng(0)
    best = shift_symmetry(plain, method=MedianShift()).eigenvalues
    flat = shift_symmetry(plain, method=TracelessShift()).eigenvalues
    for _ in range(5):
        other = plain.eigenvalues - rng.standard_normal((plain.n_leaves, 1))
        squares, least = (np.abs(e).sum(axis=1) for e in (other, best))
        assert np.all(least <= squares * (1 + 20 * EPS))
        frobenius, smallest = (np.sum(e**2, axis=1) for e in (other, flat))
        assert np.all(smallest <= frobenius * (1 + 20 * EPS))
    np.testing.assert_allclose(flat.sum(axis=1), 0.0, atol=20 * EPS * np.abs(flat).sum())


@settings(max_examples=25)
@given(hamiltonians())
def test_all_shifts_together_are_best(arrays):
    """Never worse than medians or means, nor than what a simplex search finds from there."""
    problem = shift_problem(double_factorize(from_integrals(*arrays, tolerance=0.0)))
    norm = problem.one_norm(OneNormShift()(problem))
    assert norm <= problem.one_norm(MedianShift()(problem))
    # the smoothed problem is within its last width, 1e-5 of a mean eigenvalue, of the exact one;
    # 1e-3 leaves room for slow convergence along flat edges
    slack = 1e-3 * norm + 1e-12
    assert norm <= problem.one_norm(TracelessShift()(problem)) + slack
    if 0 < len(problem.eigenvalues) <= 6:
        found = minimize(
            problem.one_norm,
            TracelessShift()(problem),
            method="Nelder-Mead",
            options={"maxfev": 400},
        )
        assert norm <= found.fun + slack


def test_at_half_filling_medians_are_returned():
    problem = ShiftProblem(np.eye(2), np.array([[2.0, 1.0]]), np.diag([2.0, 1.0])[None], 0)
    assert OneNormShift()(problem).tolist() == [1.5]


@pytest.mark.parametrize("method", [MedianShift(), TracelessShift(), OneNormShift()])
def test_one_orbital_and_none(method):
    """One orbital: its only leaf is a multiple of N̂, so nothing is left but a constant."""
    hamiltonian = from_integrals(0.0, [[-1.0]], [[[[0.25]]]], (1, 0), tolerance=0.0)
    shifted = shift_symmetry(hamiltonian, method=method)
    assert shifted.one_norm() == pytest.approx(0.0, abs=4 * EPS)
    assert shifted.constant == pytest.approx(-1.0)
    nothing = from_integrals(0.5, np.zeros((2, 2)), np.zeros((2,) * 4), (1, 0))
    assert shift_symmetry(nothing, method=method).n_leaves == 0
    empty = from_integrals(0.5, np.zeros((0, 0)), np.zeros((0,) * 4), (0, 0))
    assert shift_symmetry(empty, method=method).one_norm() == 0.0


def test_water():
    """The median shift takes more than a quarter of the one-norm of water in 6-31G."""
    plain = double_factorize(from_pyscf(mean_field("water-631g")))
    median = shift_symmetry(plain, method=MedianShift())
    best = shift_symmetry(plain)
    assert plain.one_norm() == pytest.approx(65.21, abs=0.01)
    assert median.one_norm() == pytest.approx(46.72, abs=0.01)
    assert best.one_norm() < median.one_norm()
    assert best.nelec == plain.nelec
    assert np.all(np.diff(np.abs(best.eigenvalues), axis=1) <= 0.0)


def test_the_archive_keeps_and_verifies_it(tmp_path):
    hamiltonian = from_pyscf(mean_field("heh"), tolerance=0.0)
    shifted = shift_symmetry(hamiltonian)
    path = tmp_path / "shifted.h5"
    ql.save(path, hamiltonian, shifted)
    assert ql.verify(path).passed, ql.verify(path).summary()
    back = ql.load(path).factorization
    np.testing.assert_array_equal(back.shift.leaf_shifts, shifted.shift.leaf_shifts)
    assert back.shift.electrons == 3
    wrong = replace(shifted, one_body=shifted.one_body + 1e-6 * np.eye(4))
    ql.save(path, hamiltonian, wrong, overwrite=True)
    assert not ql.verify(path).passed


def test_bad_input():
    factorization = double_factorize(from_pyscf(mean_field("h2")))
    with pytest.raises(InputError, match="takes a Hamiltonian or a DoubleFactorization; got 3"):
        shift_symmetry(3)
    for method in ("median", MedianShift):
        with pytest.raises(InputError, match=r"method must be OneNormShift\(\), MedianShift\(\)"):
            shift_symmetry(factorization, method=method)
    shifted = shift_symmetry(factorization)
    for change, message in (
        ({"nelec": (1, 0)}, "holds for 2 electrons, but nelec puts 1"),
        ({"shift": SymmetryShift(2, np.zeros(1), 0.0)}, "one entry for each of the 3 leaves"),
    ):
        with pytest.raises(InputError, match=message):
            replace(shifted, **change)
    for arguments, message in (
        ((-1, np.zeros(1), 0.0), "electrons must be at least 0"),
        ((1.5, np.zeros(1), 0.0), "electrons must be a whole number"),
        ((1, np.zeros((1, 1)), 0.0), "leaf_shifts must have shape"),
        ((1, np.zeros(1), np.nan), "chemical_potential must be finite"),
    ):
        with pytest.raises(InputError, match=message):
            SymmetryShift(*arguments)
