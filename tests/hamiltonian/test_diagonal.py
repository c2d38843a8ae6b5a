# SPDX-License-Identifier: Apache-2.0
"""Operators that are diagonal in rotated occupations: values, and the same as squares."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.hamiltonian import DiagonalOperator
from tests.strategies import generators

EPS = np.finfo(float).eps


@st.composite
def operators(draw, largest=4):
    """Any frame and cores: generic, of rank one, zero, or differing between the spins."""
    generator, norb = draw(generators), draw(st.integers(0, largest))
    linear = generator.standard_normal(norb)
    same, opposite = generator.standard_normal((2, norb, norb))
    kind = draw(st.sampled_from(["generic", "square", "one-body"]))
    if kind == "square":
        same = opposite = np.outer(linear, linear)
    elif kind == "one-body":
        same = opposite = np.zeros((norb, norb))
    return DiagonalOperator(
        frame=np.linalg.qr(generator.standard_normal((norb, norb)))[0],
        linear=linear,
        same_spin=(same + same.T) / 2,
        opposite_spin=opposite,
    )


def occupations(norb):
    """Every alpha and beta occupation, shape (4**norb, norb) each."""
    bits = np.array(list(product([0.0, 1.0], repeat=2 * norb))).reshape(4**norb, 2, norb)
    return bits[:, 0], bits[:, 1]


def size_of(operator):
    """The largest value that any partial sum can reach."""
    cores = np.abs(operator.same_spin).sum() + np.abs(operator.opposite_spin).sum()
    return 2 * np.abs(operator.linear).sum() + cores


def value_by_loops(operator, alpha, beta):
    """The formula of the docstring, term by term."""
    total = 0.0
    for k in range(operator.norb):
        for spin in (alpha, beta):
            total += operator.linear[k] * spin[k]
        for m in range(operator.norb):
            for spin in (alpha, beta):
                total += operator.same_spin[k, m] * spin[k] * spin[m] / 2
            total += operator.opposite_spin[k, m] * alpha[k] * beta[m]
    return total


@given(operators(largest=3))
def test_values_are_those_of_the_formula(operator):
    alpha, beta = occupations(operator.norb)
    expected = [value_by_loops(operator, a, b) for a, b in zip(alpha, beta, strict=True)]
    allowed = 4 * (operator.norb + 1) ** 2 * EPS * size_of(operator)
    np.testing.assert_allclose(operator.values(alpha, beta), expected, rtol=0, atol=allowed)


@given(operators())
def test_values_keep_the_shape_of_the_occupations(operator):
    alpha, beta = occupations(operator.norb)
    values = operator.values(alpha, beta)
    assert values.shape == (4**operator.norb,)
    stacked = operator.values(alpha[None, :, None], beta[None, :, None])
    allowed = 4 * (operator.norb + 1) ** 2 * EPS * size_of(operator)
    np.testing.assert_allclose(stacked, values[None, :, None], rtol=0, atol=allowed)
    assert operator.values(alpha[0], beta[0]).shape == ()


@pytest.mark.parametrize("dtype", [bool, np.uint8, int])
@given(operators())
def test_values_of_bits(dtype, operator):
    """Measured bits come as truth values or small integers: 1 + 1 must not be 1."""
    alpha, beta = occupations(operator.norb)
    np.testing.assert_array_equal(
        operator.values(alpha.astype(dtype), beta.astype(dtype)), operator.values(alpha, beta)
    )


@given(operators(), st.integers(0, 15))
def test_values_depend_on_needed_orbitals_only(operator, silenced):
    """Orbitals of the bit mask `silenced` get no coefficient, and all others have one."""
    loud = ((silenced >> np.arange(operator.norb)) & 1) == 0
    quiet = DiagonalOperator(
        frame=operator.frame,
        linear=operator.linear * loud,
        same_spin=operator.same_spin * np.outer(loud, loud),
        opposite_spin=operator.opposite_spin * np.outer(loud, loud),
    )
    np.testing.assert_array_equal(quiet.needed, loud)
    alpha, beta = occupations(operator.norb)
    allowed = 4 * (operator.norb + 1) ** 2 * EPS * size_of(operator)
    np.testing.assert_allclose(
        quiet.values(alpha, beta), quiet.values(alpha * loud, beta * loud), rtol=0, atol=allowed
    )


@given(operators())
def test_squares_are_the_same_operator(operator):
    """Σ_k a_k n_k + ½ Σ_m w_m (Σ_k v_mk n_k)², for every occupation."""
    squares = operator.squares()
    alpha, beta = occupations(operator.norb)
    occupied = np.stack([alpha, beta], axis=1)
    linear = np.einsum("sk,nsk->n", squares.linear, occupied)
    amplitudes = np.einsum("msk,nsk->nm", squares.directions, occupied)
    rebuilt = linear + amplitudes**2 @ squares.weights / 2
    allowed = 100 * (operator.norb + 1) ** 2 * EPS * size_of(operator)
    np.testing.assert_allclose(rebuilt, operator.values(alpha, beta), rtol=0, atol=allowed)


@given(operators())
def test_squares_are_few_and_orthonormal(operator):
    squares = operator.squares()
    flat = squares.directions.reshape(len(squares.weights), 2 * operator.norb)
    assert len(flat) <= 2 * operator.norb
    allowed = 10 * (operator.norb + 1) * EPS
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), rtol=0, atol=allowed)
    if not operator.same_spin.any():
        assert len(flat) == 0


def test_a_square_of_double_factorization_is_one_square(rng):
    eigenvalues = rng.standard_normal(5)
    core = np.outer(eigenvalues, eigenvalues)
    squares = DiagonalOperator(np.eye(5), np.zeros(5), core, core).squares()
    assert squares.weights == pytest.approx([2 * eigenvalues @ eigenvalues])
    both = np.concatenate([eigenvalues, eigenvalues]) / np.sqrt(2 * eigenvalues @ eigenvalues)
    assert np.abs(squares.directions.ravel() @ both) == pytest.approx(1.0)


@given(operators())
def test_matrices_are_in_the_unrotated_orbitals(operator):
    """Each is diagonal in the frame, with the values of the squares on the diagonal."""
    squares = operator.squares()
    linear, directions = squares.matrices()
    frame = operator.frame
    allowed = 10 * (operator.norb + 1) * EPS * (1 + np.abs(operator.linear).sum())
    for matrices, values in ((linear, squares.linear), (directions, squares.directions)):
        rotated = np.einsum("pk,...pq,ql->...kl", frame, matrices, frame)
        expected = values[..., None] * np.eye(operator.norb)
        np.testing.assert_allclose(rotated, expected, rtol=0, atol=allowed)


def test_arrays_are_read_only():
    operator = DiagonalOperator(np.eye(2), np.ones(2), np.eye(2), np.eye(2))
    for name in ("frame", "linear", "same_spin", "opposite_spin"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(operator, name)[0] = 2.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frame": np.eye(3)}, r"frame must have shape \(2, 2\); got \(3, 3\)"),
        ({"frame": 1.1 * np.eye(2)}, r"frame must be orthogonal; UᵀU misses the identity by 2\.1e"),
        ({"frame": np.full((2, 2), np.nan)}, "frame has 4 entries that are nan"),
        ({"linear": np.ones((2, 1))}, r"linear must have shape \(2,\)"),
        ({"same_spin": np.array([[0.0, 1.0], [0.0, 0.0]])}, "same_spin must be symmetric"),
        ({"opposite_spin": np.ones(2)}, r"opposite_spin must have shape \(2, 2\); got \(2,\)"),
    ],
)
def test_bad_operators(change, message):
    good = {
        "frame": np.eye(2),
        "linear": np.ones(2),
        "same_spin": np.eye(2),
        "opposite_spin": np.array([[0.0, 1.0], [0.0, 0.0]]),
    }
    assert DiagonalOperator(**good).norb == 2
    with pytest.raises(InputError, match=message):
        DiagonalOperator(**(good | change))
