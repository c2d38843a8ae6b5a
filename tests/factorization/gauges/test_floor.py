# SPDX-License-Identifier: Apache-2.0
"""Lower bounds of one-norms: never above what anything reaches, and proven by their witnesses."""

import numpy as np
import pytest
from hypothesis import given, settings

from qlowrank.checks import InputError
from qlowrank.factorization import (
    EigenGauge,
    MedianShift,
    double_factorize,
    shift_symmetry,
)
from qlowrank.factorization.gauges import (
    GaugeDescent,
    encode_squares,
    one_norm_floor,
    optimize_gauge,
)
from qlowrank.hamiltonian import from_integrals, from_pyscf
from tests.molecules import mean_field
from tests.strategies import hamiltonians


def squares_norm(eigenvalues):
    """¼ Σ_t (Σ_k |ε_k|)²."""
    return np.sum(np.abs(eigenvalues).sum(axis=1) ** 2) / 4


@settings(max_examples=20)
@given(hamiltonians())
def test_no_gauge_gets_below(arrays):
    hamiltonian = from_integrals(*arrays, tolerance=0.0)
    floor = one_norm_floor(hamiltonian, n_witnesses=3)
    scale = squares_norm(double_factorize(hamiltonian).eigenvalues)
    slack = 1e-12 * scale
    for gauge in (None, EigenGauge()):
        plain = double_factorize(hamiltonian, gauge=gauge)
        shifted = shift_symmetry(plain, method=MedianShift())
        assert squares_norm(plain.eigenvalues) >= floor.plain - slack
        assert squares_norm(shifted.eigenvalues) >= floor.shifted - slack
        assert shifted.one_norm() >= floor.one_norm * (1 - 1e-12) - slack
    assert 0 <= floor.shifted <= floor.plain


@settings(max_examples=20)
@given(hamiltonians())
def test_witnesses_prove_it(arrays):
    """By the dense integrals, which the bound itself never forms."""
    hamiltonian = from_integrals(*arrays, tolerance=0.0)
    floor = one_norm_floor(hamiltonian, n_witnesses=2)
    witnesses = floor.witnesses
    bound = np.einsum("ipq,pqrs,irs->", witnesses, hamiltonian.two_body(), witnesses) / 4
    assert bound == pytest.approx(floor.shifted, rel=1e-10, abs=1e-13)
    squares = np.einsum("ipq,iqr->pr", witnesses, witnesses)
    assert np.linalg.eigvalsh(squares).max(initial=0.0) <= 1
    traces = np.einsum("ipp->i", witnesses)
    np.testing.assert_allclose(traces, 0.0, atol=1e-12)


def test_one_square_of_a_shift_is_bounded_sharply():
    """L = diag(3, 1, −1, −3): the best shift is 0, W = sign(L) is traceless, so ¼ 8² is reached.

    The ascent ends with a Schatten norm of power 256 over 4 equal values: 4^(1/256) − 1 < 0.6 %.
    """
    factor = np.diag([3.0, 1.0, -1.0, -3.0])
    two_body = np.einsum("pq,rs->pqrs", factor, factor)
    hamiltonian = from_integrals(0.0, np.eye(4), two_body, (2, 2), tolerance=0.0)
    floor = one_norm_floor(hamiltonian)
    assert 16 * (1 - 6e-3) <= floor.shifted <= 16 * (1 + 1e-12)


def test_water():
    """Optimised squares lie above the bound, and the norm of all shifted squares as well."""
    hamiltonian = from_pyscf(mean_field("water-631g"))
    result = optimize_gauge(hamiltonian, method=GaugeDescent(max_steps=20))
    floor = one_norm_floor(result.factorization)
    assert 6.2 < floor.shifted < 6.41  # the ascent may end in another maximum
    assert floor.plain == pytest.approx(23.96, abs=0.01)
    assert floor.is_shifted
    assert floor.achieved == pytest.approx(squares_norm(result.factorization.eigenvalues))
    assert 1.0 < floor.ratio < 1.7
    assert floor.one_body == 0.0  # ten electrons in thirteen orbitals: shifts change it
    assert repr(floor).startswith("OneNormFloor(two-body part ")
    encoding = encode_squares(hamiltonian, method=GaugeDescent(max_steps=20))
    sums = np.abs(encoding.eigenvalues).sum(axis=1) + np.abs(encoding.offsets)
    assert np.sum(sums**2) / 4 >= floor.shifted


def test_half_filling_bounds_the_whole():
    hamiltonian = from_integrals(0.0, np.diag([1.0, 3.0]), np.zeros((2,) * 4), (1, 1))
    floor = one_norm_floor(hamiltonian)
    assert floor.one_norm == floor.one_body == 2.0
    assert floor.ratio == 1.0
    empty = from_integrals(0.0, np.zeros((0, 0)), np.zeros((0,) * 4), (0, 0))
    assert one_norm_floor(empty).one_norm == 0.0


def test_bad_input():
    with pytest.raises(InputError, match="takes a Hamiltonian or a DoubleFactorization; got 3"):
        one_norm_floor(3)
    with pytest.raises(InputError, match="n_witnesses must be at least 1"):
        one_norm_floor(from_pyscf(mean_field("h2")), n_witnesses=0)
