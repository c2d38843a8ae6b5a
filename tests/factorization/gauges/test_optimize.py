# SPDX-License-Identifier: Apache-2.0
"""Optimised gauges: the same operator for its electrons, a lower norm, and what the norm means."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from qlowrank.checks import InputError
from qlowrank.factorization import MedianShift, double_factorize, shift_symmetry, unshift
from qlowrank.factorization.gauges import GaugeDescent, encode_squares, optimize_gauge
from qlowrank.factorization.gauges.descent import _Chart
from qlowrank.factorization.gauges.optimize import _landscape
from qlowrank.hamiltonian import from_integrals, from_pyscf
from tests.molecules import fci_spectrum, fock_spectrum, mean_field
from tests.strategies import hamiltonians

EPS = np.finfo(float).eps
QUICK = GaugeDescent(max_steps=8)


def operator(result):
    """Constant, h and (pq|rs) of the operator that a factorization or an encoding describes."""
    back = result.to_hamiltonian()
    return back.constant, back.normal_ordered_one_body(), back.two_body()


def rounding(result, arrays):
    """Of energies: norb⁴ products of integrals, and of shifts η c L and η² c² of leaves."""
    norb, electrons = len(arrays[1]), sum(arrays[3])
    size = abs(arrays[0]) + np.abs(arrays[1]).sum() + 2 * np.abs(arrays[2]).sum()
    moved = (norb + electrons + 1) ** 2 * np.sum(result.eigenvalues**2)
    return 100 * norb**2 * EPS * (size + moved + abs(result.constant))


def sectors(arrays):
    """Every way to split η electrons over the spins."""
    electrons, norb = sum(arrays[3]), len(arrays[1])
    low, high = max(0, electrons - norb), min(electrons, norb)
    return [(alpha, electrons - alpha) for alpha in range(low, high + 1)]


@pytest.mark.parametrize(
    ("n_projected", "with_shifts", "with_offsets"),
    [(0, False, False), (0, True, False), (0, True, True), (2, True, True)],
)
@pytest.mark.parametrize("name", ["h2-631g", "heh"])
def test_gradients(name, n_projected, with_shifts, with_offsets, rng):
    """Against central differences; h = 1e-5 leaves h² times a third derivative, of order one."""
    landscape = _landscape(
        from_pyscf(mean_field(name)), 2, with_shifts=with_shifts, with_offsets=with_offsets
    )
    chart = _Chart(landscape, GaugeDescent().start(landscape, n_projected), 0.1)
    point = 0.1 * rng.standard_normal(len(chart.scales))
    _, gradient = chart(point)
    for direction in rng.standard_normal((6, len(point))):
        step = 1e-5 * direction / np.linalg.norm(direction)
        slope = (chart(point + step)[0] - chart(point - step)[0]) / 2e-5
        expected = gradient @ direction / np.linalg.norm(direction)
        assert slope == pytest.approx(expected, abs=1e-7 * np.linalg.norm(gradient) + 1e-8)


@settings(max_examples=15)
@given(hamiltonians(largest=3))
def test_a_gauge_keeps_the_sector_and_lowers_the_norm(arrays):
    hamiltonian = from_integrals(*arrays, tolerance=0.0)
    result = optimize_gauge(hamiltonian, method=QUICK)
    start = shift_symmetry(hamiltonian, method=MedianShift())
    assert result.factorization.one_norm() <= start.one_norm() * (1 + 1e-12)
    for nelec in sectors(arrays):
        gap = fci_spectrum(*operator(result.factorization), nelec)
        gap -= fci_spectrum(*arrays[:3], nelec)
        assert np.abs(gap).max() <= rounding(result.factorization, arrays)
    two_body = unshift(result.factorization).to_hamiltonian().two_body()
    allowed = 1e3 * len(arrays[1]) ** 4 * EPS * np.abs(arrays[2]).max(initial=1e-300)
    np.testing.assert_allclose(two_body, arrays[2], rtol=0, atol=allowed)


@settings(max_examples=10)
@given(hamiltonians(largest=3))
def test_without_shift_the_operator_is_the_same_everywhere(arrays):
    hamiltonian = from_integrals(*arrays, tolerance=0.0)
    result = optimize_gauge(hamiltonian, shift=False, method=QUICK).factorization
    plain = double_factorize(hamiltonian)
    assert result.shift is None
    assert result.one_norm() <= plain.one_norm() * (1 + 1e-12)
    np.testing.assert_array_equal(result.one_body, plain.one_body)
    allowed = 1e3 * len(arrays[1]) ** 4 * EPS * np.abs(arrays[2]).max(initial=1e-300)
    np.testing.assert_allclose(result.to_hamiltonian().two_body(), arrays[2], rtol=0, atol=allowed)


@settings(max_examples=15)
@given(hamiltonians(largest=3))
def test_offsets_are_the_eigenvalues_of_an_empty_orbital(arrays):
    """The double factorization of one more orbital has the same norm, and leaves it empty."""
    hamiltonian = from_integrals(*arrays, tolerance=0.0)
    if hamiltonian.rank == 0:
        return
    encoding = encode_squares(hamiltonian, method=QUICK)
    larger = encoding.with_empty_orbital()
    norb = encoding.norb
    assert larger.norb == norb + 1
    size = rounding(encoding, arrays)
    assert larger.one_norm() == pytest.approx(encoding.one_norm(), rel=1e-12, abs=size)
    inner, outer = operator(encoding), operator(larger)
    assert outer[0] == inner[0]
    np.testing.assert_allclose(outer[1][:norb, :norb], inner[1], rtol=0, atol=size)
    assert not outer[1][norb, :norb].any()
    two_body = outer[2]
    np.testing.assert_allclose(two_body[:norb, :norb, :norb, :norb], inner[2], rtol=0, atol=size)
    assert not two_body[norb, :norb].any()  # no term changes its occupation
    back = operator(unshift(larger))
    gap = fci_spectrum(back[0], back[1][:norb, :norb], back[2][:norb, :norb, :norb, :norb], (1, 0))
    gap -= fci_spectrum(*arrays[:3], (1, 0))
    assert np.abs(gap).max() <= size  # without its shift, for other numbers of electrons too


@settings(max_examples=15)
@given(hamiltonians(largest=3))
def test_an_encoding_keeps_the_sector_and_bounds_the_spectrum(arrays):
    """λ bounds half the spread of all energies, in Fock space, as a block encoding must."""
    hamiltonian = from_integrals(*arrays, tolerance=0.0)
    if hamiltonian.rank == 0:
        return
    encoding = encode_squares(hamiltonian, n_projected=2, method=QUICK)
    for nelec in sectors(arrays):
        gap = fci_spectrum(*operator(encoding), nelec) - fci_spectrum(*arrays[:3], nelec)
        assert np.abs(gap).max() <= rounding(encoding, arrays)
    if len(arrays[1]) < 3:  # 16 sectors, each diagonalised in full
        spectrum = fock_spectrum(*operator(encoding))
        spread = spectrum[-1] - spectrum[0]
        assert spread <= 2 * encoding.one_norm() + rounding(encoding, arrays)
    least = min(encoding.optimizer.one_norms)
    assert encoding.one_norm() <= least + rounding(encoding, arrays)


def fermions(modes):
    """Annihilators as dense matrices, by Jordan and Wigner."""
    lower, sign = np.array([[0.0, 1.0], [0.0, 0.0]]), np.diag([1.0, -1.0])
    result = []
    for mode in range(modes):
        matrix = np.eye(1)
        for other in range(modes):
            matrix = np.kron(
                matrix, lower if other == mode else sign if other < mode else np.eye(2)
            )
        result.append(matrix)
    return result


def test_the_form_of_the_encoding_is_the_operator():
    """T', squares and projection from Majorana operators; κ and factors from excitations."""
    hamiltonian = from_pyscf(mean_field("h2"), tolerance=0.0)
    encoding = encode_squares(hamiltonian, n_projected=1, method=GaugeDescent(max_steps=20))
    lowers = [fermions(4)[:2], fermions(4)[2:]]
    size = 16

    def majorana(matrix):
        """i/2 Σ M_pq γ_p γ'_q for both spins, which is −½ Σ ε Z in the frame of M."""
        total = np.zeros((size, size), complex)
        for spin in lowers:
            first, second = [a + a.T for a in spin], [-1j * (a - a.T) for a in spin]
            for p, q in np.ndindex(2, 2):
                total += 0.5j * matrix[p, q] * first[p] @ second[q]
        return total

    def excitation(matrix):
        """Σ M_pq E_pq."""
        return sum(matrix[p, q] * s[p].T @ s[q] for s in lowers for p, q in np.ndindex(2, 2))

    leaves = np.einsum("tpk,tk,tqk->tpq", encoding.leaves, encoding.eigenvalues, encoding.leaves)
    squares = [
        b * np.eye(size) - majorana(leaf) for leaf, b in zip(leaves, encoding.offsets, strict=True)
    ]
    index = np.eye(len(leaves)) - encoding.projected.T @ encoding.projected
    form = majorana(encoding.majorana_one_body())
    for row, left in zip(index, squares, strict=True):
        form += sum(g * left @ right for g, right in zip(row, squares, strict=True)) / 2
    exact = excitation(encoding.one_body)
    for factor in encoding.factors():
        exact = exact + excitation(factor) @ excitation(factor) / 2
    rest = exact - form  # a constant, the same on all states
    np.testing.assert_allclose(rest, rest[0, 0] * np.eye(size), atol=1e-12)
    for square, values, offset in zip(squares, encoding.eigenvalues, encoding.offsets, strict=True):
        assert np.linalg.norm(square, 2) <= np.abs(values).sum() + abs(offset) + 1e-12


def test_water():
    """6-31G: gauge against median shift, and offsets and projection against the gauge."""
    hamiltonian = from_pyscf(mean_field("water-631g"))
    median = shift_symmetry(hamiltonian, method=MedianShift())
    result = optimize_gauge(hamiltonian, method=GaugeDescent(max_steps=80))
    encoding = encode_squares(hamiltonian, method=GaugeDescent(max_steps=80))
    assert median.one_norm() == pytest.approx(46.72, abs=0.01)
    assert encoding.one_norm() < 40.0 < result.factorization.one_norm() < 41.0
    status = result.optimizer
    assert status.one_norms[0] > status.one_norms[-1]
    assert status.one_norms[-1] == pytest.approx(result.factorization.one_norm(), rel=1e-3)
    assert len(status.widths) == len(status.one_norms) - 1 == 4
    assert not status.converged
    assert "not converged" in repr(status)
    assert result.factorization.status.method == "gauge, one-norm shift"
    assert "for 10 electrons only" in repr(encoding)
    assert encoding.to_hamiltonian().source.origin.endswith("for 10 electrons only")


def test_the_same_bytes_twice_and_another_seed():
    hamiltonian = from_pyscf(mean_field("heh"))
    first, second = (encode_squares(hamiltonian, n_projected=2, method=QUICK) for _ in range(2))
    other = encode_squares(hamiltonian, n_projected=2, method=replace(QUICK, seed=1))
    for name in ("eigenvalues", "leaves", "offsets", "projected", "one_body"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    assert other.eigenvalues.tobytes() != first.eigenvalues.tobytes()


def test_progress_is_told():
    calls = []
    optimize_gauge(
        from_pyscf(mean_field("heh")), method=QUICK, progress=lambda *call: calls.append(call)
    )
    done = [call[1] for call in calls]
    assert done == sorted(done)
    assert {call[::2] for call in calls} == {("lowering the one-norm", 32)}


def test_one_orbital_and_no_squares():
    one = from_integrals(0.0, [[-1.0]], [[[[0.25]]]], (1, 0), tolerance=0.0)
    assert optimize_gauge(one, method=QUICK).factorization.one_norm() == pytest.approx(0.0)
    assert encode_squares(one, n_projected=0, method=QUICK).one_norm() == pytest.approx(
        0.0, abs=1e-6
    )
    nothing = from_integrals(0.5, np.diag([1.0, 2.0]), np.zeros((2,) * 4), (1, 0))
    result = optimize_gauge(nothing)
    assert result.factorization.one_norm() == pytest.approx(1.0)
    assert result.optimizer.converged
    with pytest.raises(InputError, match="no squares to encode"):
        encode_squares(nothing)


def test_bad_input():
    hamiltonian = from_pyscf(mean_field("h2"))
    with pytest.raises(InputError, match="optimised from a Hamiltonian; got 3"):
        optimize_gauge(3)
    with pytest.raises(InputError, match="n_projected must be at least 0"):
        encode_squares(hamiltonian, n_projected=-1)
    for arguments, message in (
        ({"max_steps": 0}, "max_steps must be at least 1"),
        ({"tolerance": 0.0}, "tolerance must be above 0"),
        ({"seed": -1}, "seed must be at least 0"),
    ):
        with pytest.raises(InputError, match=message):
            GaugeDescent(**arguments)
    encoding = encode_squares(hamiltonian, n_projected=1, method=QUICK)
    with pytest.raises(InputError, match="projected must have orthonormal rows"):
        replace(encoding, projected=2 * encoding.projected)
    with pytest.raises(InputError, match="offsets must have shape"):
        replace(encoding, offsets=np.zeros(1))
