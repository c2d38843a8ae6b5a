# SPDX-License-Identifier: Apache-2.0
"""Double factorization: what it rebuilds, and what cutting is proven to cost."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.factorization import (
    CholeskyGauge,
    DoubleFactorization,
    EigenGauge,
    double_factorize,
)
from qlowrank.hamiltonian import from_integrals, from_pyscf
from tests.molecules import fci_energy, fci_spectrum, fock_spectrum, integrals, mean_field
from tests.strategies import hamiltonians

EPS = np.finfo(float).eps
gauges = st.sampled_from([CholeskyGauge(), EigenGauge()])
cuts = st.just(0.0) | st.floats(1e-9, 3.0)


def rebuilt(factorization):
    """(pq|rs) by the definition, from leaves and cores."""
    leaves = factorization.leaves
    norb = factorization.norb
    pairs = np.einsum("tpk,tqk->tpqk", leaves, leaves).reshape(len(leaves), norb**2, norb)
    tensor = np.einsum("tak,tkl,tbl->ab", pairs, factorization.cores, pairs)
    return tensor.reshape((norb,) * 4)


def rounding(two_body):
    """Of a sum of norb⁴ products none of which exceeds the largest element, and of frames."""
    return 20 * len(two_body) ** 4 * EPS * max(np.abs(two_body).max(initial=0.0), 1e-300)


@given(hamiltonians(), gauges)
def test_nothing_is_lost_without_a_tolerance(arrays, gauge):
    hamiltonian = from_integrals(*arrays, tolerance=0.0)
    factorization = double_factorize(hamiltonian, gauge=gauge)
    error = rebuilt(factorization) - arrays[2]
    assert np.abs(error).max() <= factorization.status.max_abs_error + rounding(arrays[2])
    assert factorization.status.max_abs_error <= rounding(arrays[2])
    assert factorization.status.method == gauge.name
    assert factorization.nelec == arrays[3]
    assert factorization.constant == arrays[0]
    np.testing.assert_array_equal(factorization.one_body, hamiltonian.kappa)


@given(hamiltonians(), gauges, cuts, cuts)
def test_bounds_hold_against_the_true_error(arrays, gauge, tolerance, cut):
    """Element, Frobenius and trace norm, of both truncations together."""
    hamiltonian = from_integrals(*arrays, tolerance=tolerance)
    factorization = double_factorize(hamiltonian, tolerance=cut, gauge=gauge)
    status, norb = factorization.status, len(arrays[1])
    allowed = rounding(arrays[2])
    error = (rebuilt(factorization) - arrays[2]).reshape(norb**2, norb**2)
    assert np.abs(error).max() <= status.max_abs_error + allowed
    assert np.linalg.norm(error) <= status.frobenius_error + norb**2 * (
        allowed + hamiltonian.truncation.max_error * (tolerance == 0.0)
    )
    assert np.linalg.norm(error, "nuc") <= status.trace_norm_error + norb**3 * (
        allowed + hamiltonian.truncation.max_error * (tolerance == 0.0)
    )
    further = rebuilt(factorization) - hamiltonian.two_body()
    assert np.abs(further).max() <= cut + allowed
    assert status.max_abs_error <= hamiltonian.max_abs_error_bound + cut + allowed


@settings(max_examples=50)
@given(hamiltonians(largest=3), gauges, cuts, cuts)
def test_energies_move_by_no_more_than_promised(arrays, gauge, tolerance, cut):
    """η times the trace norm, either way, for every state of every sector."""
    hamiltonian = from_integrals(*arrays, tolerance=tolerance)
    factorization = double_factorize(hamiltonian, tolerance=cut, gauge=gauge)
    back = factorization.to_hamiltonian()
    operator = back.constant, back.normal_ordered_one_body(), back.two_body()
    norb = len(arrays[1])
    size = abs(arrays[0]) + np.abs(arrays[1]).sum() + 2 * np.abs(arrays[2]).sum()
    allowed = 20 * norb**2 * EPS * size
    for nelec in [(a, b) for a in range(norb + 1) for b in range(norb + 1)]:
        gap = np.abs(fci_spectrum(*operator, nelec) - fci_spectrum(*arrays[:3], nelec)).max()
        assert gap <= sum(nelec) * back.residual_trace + allowed


@given(hamiltonians(), gauges, cuts)
def test_leaves_are_frames(arrays, gauge, cut):
    factorization = double_factorize(
        from_integrals(*arrays, tolerance=0.0), tolerance=cut, gauge=gauge
    )
    norb, n_leaves = factorization.norb, factorization.n_leaves
    assert factorization.leaves.shape == (n_leaves, norb, norb)
    products = factorization.leaves.transpose(0, 2, 1) @ factorization.leaves
    expected = np.broadcast_to(np.eye(norb), products.shape)
    np.testing.assert_allclose(products, expected, rtol=0, atol=10 * norb * EPS)
    magnitudes = np.abs(factorization.eigenvalues)
    assert np.all(np.diff(magnitudes, axis=1) <= 0.0)  # within a leaf, and zero where cut
    assert np.all(np.diff(magnitudes.max(axis=1)) <= 0.0)  # and from leaf to leaf
    assert np.all(magnitudes.max(axis=1) > 0.0)  # no leaf for nothing
    np.testing.assert_array_equal(
        factorization.inner_ranks, np.count_nonzero(factorization.eigenvalues, axis=1)
    )
    np.testing.assert_array_equal(
        factorization.cores,
        np.einsum("tk,tl->tkl", factorization.eigenvalues, factorization.eigenvalues),
    )


@pytest.mark.parametrize("small", [0.1, 1e-3])
def test_the_element_bound_is_sharp(small):
    """L = u uᵀ + δ v vᵀ with u, v at 45°: cutting δ moves (00|00) by δ/2 + δ²/4.

    The bound is ½ [λ a² + b²/λ], with a = δ/2 of what is cut, b = 1 + δ/2 of S = 2 u uᵀ + δ v vᵀ
    and λ = ‖S‖/δ = sqrt(4 + δ²)/δ: above the truth by about δ³/16.
    """
    frame = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    factor = (frame * [1.0, small]) @ frame.T
    two_body = np.einsum("pq,rs->pqrs", factor, factor)
    hamiltonian = from_integrals(0.0, np.eye(2), two_body, (1, 1), tolerance=0.0)
    balance = np.sqrt(4 + small**2) / small
    bound = (balance * small**2 / 4 + (1 + small / 2) ** 2 / balance) / 2
    assert bound <= small / 2 + small**2 / 4 + small**3 / 8
    for tolerance, kept in ((0.999 * bound, 2), (1.001 * bound, 1)):
        factorization = double_factorize(hamiltonian, tolerance=tolerance)
        assert factorization.inner_ranks.tolist() == [kept]
    assert factorization.status.max_abs_error == pytest.approx(bound, rel=1e-9)
    error = np.abs(rebuilt(factorization) - two_body).max()
    assert error == pytest.approx(small / 2 + small**2 / 4, rel=1e-9)


@given(hamiltonians(), gauges)
def test_looser_is_not_larger(arrays, gauge):
    hamiltonian = from_integrals(*arrays, tolerance=0.0)
    kept = [
        int(double_factorize(hamiltonian, tolerance=cut, gauge=gauge).inner_ranks.sum())
        for cut in (0.0, 1e-6, 1e-3, 1e-1, 1e1, 1e9)
    ]
    assert kept[-1] == 0
    assert kept[0] == max(kept)


@pytest.mark.parametrize("name", ["h2-631g", "heh", "lih", "beh"])
@pytest.mark.parametrize("gauge", [CholeskyGauge(), EigenGauge()])
def test_fci_energies(name, gauge):
    """Through the leaves and back; untruncated, so the energy is the molecule's."""
    hamiltonian = from_pyscf(mean_field(name), tolerance=0.0)
    back = double_factorize(hamiltonian, gauge=gauge).to_hamiltonian()
    energy = fci_energy(back.constant, back.normal_ordered_one_body(), back.two_body(), back.nelec)
    assert abs(energy - fci_energy(*integrals(name))) <= 1e-9
    np.testing.assert_allclose(back.one_body, integrals(name)[1], rtol=0, atol=1e-10)
    assert back.kappa.tobytes() == hamiltonian.kappa.tobytes()
    assert back.source == hamiltonian.source


def test_a_cut_is_worth_its_error():
    """Water: the true error is below the proven bound, and that is within the tolerance."""
    hamiltonian = from_pyscf(mean_field("water-631g"), tolerance=1e-8)
    whole = double_factorize(hamiltonian)
    part = double_factorize(hamiltonian, tolerance=1e-3)
    assert part.inner_ranks.sum() < 0.75 * whole.inner_ranks.sum()
    assert double_factorize(hamiltonian, tolerance=1e-1).n_leaves < whole.n_leaves
    error = np.abs(rebuilt(part) - integrals("water-631g")[2]).max()
    assert 1e-8 < error <= part.status.max_abs_error <= 1e-3 + 1e-8
    assert part.status.max_abs_error < 5 * error  # what is proven is nearly what is true


@settings(max_examples=50)
@given(hamiltonians(largest=3), gauges)
def test_the_one_norm_bounds_the_spectrum(arrays, gauge):
    """A block encoding of H minus a constant has ‖H − c‖ ≤ λ, so the spectrum spans at most 2λ."""
    factorization = double_factorize(from_integrals(*arrays, tolerance=0.0), gauge=gauge)
    spectrum = fock_spectrum(*arrays[:3])
    norm = factorization.one_norm()
    assert spectrum[-1] - spectrum[0] <= 2 * norm * (1 + 1e-10) + rounding(arrays[2])


@pytest.mark.parametrize("gauge", [CholeskyGauge(), EigenGauge()])
@pytest.mark.parametrize("norb", [0, 1, 3])
def test_no_repulsion(norb, gauge):
    """Rank zero: no leaf, and a one-body operator is left."""
    one_body = np.diag(np.arange(1.0, norb + 1))
    hamiltonian = from_integrals(0.5, one_body, np.zeros((norb,) * 4), (norb, 0))
    for cut in (0.0, 0.1):
        factorization = double_factorize(hamiltonian, tolerance=cut, gauge=gauge)
        assert factorization.n_leaves == 0
        assert factorization.leaves.shape == (0, norb, norb)
        assert factorization.cores.shape == (0, norb, norb)
        assert factorization.one_norm() == norb * (norb + 1) / 2
        assert factorization.status.max_abs_error == 0.0
        back = factorization.to_hamiltonian()
        np.testing.assert_array_equal(back.two_body(), np.zeros((norb,) * 4))
        np.testing.assert_array_equal(back.one_body, one_body)


@pytest.mark.parametrize("gauge", [CholeskyGauge(), EigenGauge()])
def test_one_orbital(gauge):
    hamiltonian = from_integrals(0.0, [[-1.0]], [[[[0.25]]]], (1, 1), tolerance=0.0)
    factorization = double_factorize(hamiltonian, gauge=gauge)
    np.testing.assert_array_equal(np.abs(factorization.eigenvalues), [[0.5]])
    np.testing.assert_array_equal(factorization.leaves, [[[1.0]]])
    assert factorization.one_norm() == pytest.approx(abs(-1.125 + 0.25) + 0.25 / 4)


@pytest.mark.parametrize("gauge", [CholeskyGauge(), EigenGauge()])
def test_the_same_bytes_twice(gauge):
    hamiltonian = from_pyscf(mean_field("o2"))
    first, second = (double_factorize(hamiltonian, tolerance=1e-5, gauge=gauge) for _ in range(2))
    for field in fields(DoubleFactorization):
        value, other = getattr(first, field.name), getattr(second, field.name)
        if isinstance(value, np.ndarray):
            assert value.tobytes() == other.tobytes()
        else:
            assert value == other


def test_more_leaves_than_a_batch():
    """78 factors are diagonalised in two batches."""
    hamiltonian = from_pyscf(mean_field("water-631g"), tolerance=1e-9)
    assert hamiltonian.rank > 64
    factorization = double_factorize(hamiltonian)
    np.testing.assert_allclose(rebuilt(factorization), hamiltonian.two_body(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("tolerance", [-1e-9, np.nan, np.inf, "tight"])
def test_bad_tolerances(tolerance):
    with pytest.raises(InputError, match="tolerance must be"):
        double_factorize(from_pyscf(mean_field("h2")), tolerance=tolerance)


@pytest.mark.parametrize("gauge", ["eigen", EigenGauge, 3])
def test_bad_gauges(gauge):
    with pytest.raises(InputError, match=r"gauge must be CholeskyGauge\(\) or EigenGauge\(\); got"):
        double_factorize(from_pyscf(mean_field("h2")), gauge=gauge)


def test_it_says_what_it_is():
    text = repr(double_factorize(from_pyscf(mean_field("h2"))))
    assert text.startswith(
        "DoubleFactorization(H2: 2 orbitals, 3 leaves, method cholesky, one-norm"
    )


def test_records_are_checked_and_read_only():
    factorization = double_factorize(from_pyscf(mean_field("h2")))
    for name in ("one_body", "eigenvalues", "leaves"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(factorization, name)[0] = 1.0
    for change, message in (
        ({"one_body": np.triu(np.ones((2, 2)))}, "one_body must be symmetric"),
        ({"eigenvalues": np.zeros((2, 2))}, r"leaves must have shape \(2, 2, 2\); got \(3, 2, 2\)"),
        ({"eigenvalues": np.zeros((3, 1))}, r"eigenvalues must have shape \(3, 2\)"),
        ({"leaves": np.full((3, 2, 2), np.nan)}, "leaves has 12 entries that are nan"),
        ({"nelec": (3, 0)}, "0 to 2 electrons"),
    ):
        with pytest.raises(InputError, match=message):
            replace(factorization, **change)


def test_arrays_have_units_and_axes():
    factorization = double_factorize(from_pyscf(mean_field("h2")))
    for field in fields(DoubleFactorization):
        value = getattr(factorization, field.name)
        if isinstance(value, np.ndarray):
            assert field.metadata["units"] in {"1", "hartree", "hartree^0.5"}
            assert len(field.metadata["axes"].split(",")) == value.ndim
