# SPDX-License-Identifier: Apache-2.0
"""One-norms against the unitaries they are sums over, and against each other."""

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.checks import InputError
from qlowrank.hamiltonian.record import packed_two_body
from qlowrank.resources import (
    cores_norm,
    double_factorized_norm,
    hypercontracted_norm,
    majorana_one_body,
    single_factorized_norm,
    sparse_norm,
)

EPS = np.finfo(float).eps


@pytest.fixture(scope="module")
def water():
    return ql.from_example("water")


def test_majorana_one_body(water):
    """From the dense tensor: h − ½ Σ_r (pr|rq) + Σ_r (pq|rr)."""
    coulomb = water.two_body()
    dense = (
        water.normal_ordered_one_body()
        - np.einsum("prrq->pq", coulomb) / 2
        + np.einsum("pqrr->pq", coulomb)
    )
    # Sums of rank · norb terms of at most the largest integral, some 30 Hartree.
    bound = 30 * water.rank * water.norb * EPS
    np.testing.assert_allclose(majorana_one_body(water), dense, rtol=0, atol=bound)


def test_double_is_the_factorization_s_own(water):
    factorization = ql.double_factorize(water)
    norm = double_factorized_norm(majorana_one_body(water), factorization.eigenvalues)
    assert norm == pytest.approx(factorization.one_norm(), rel=1e-12)


def test_dense_sums(water):
    """Sparse and single factorization, from dense tensors, term by term."""
    one_body, coulomb = majorana_one_body(water), water.two_body()
    sparse = np.abs(one_body).sum() + np.abs(coulomb).sum() / 2
    assert sparse_norm(one_body, packed_two_body(water)) == pytest.approx(sparse, rel=1e-12)
    squares = sum(np.abs(factor).sum() ** 2 for factor in water.factors) / 4
    single = np.abs(one_body).sum() + squares
    assert single_factorized_norm(one_body, water.factors) == pytest.approx(single, rel=1e-12)


def test_plain_cores_from_the_pauli_expansion(rng):
    """One leaf in its own frame: ½ Σ Z n n in Z operators, constants and one-body part apart.

    n_k = Σ_σ (1 − z_kσ)/2, so ½ Z_kl n_k n_l has the two-body terms ⅛ Z_kl z_kσ z_lτ, of which
    those with kσ = lτ are constants.
    """
    norb = 4
    core = rng.standard_normal((norb, norb))
    core = core + core.T
    spins = np.kron(np.ones((2, 2)), core) / 8
    expected = np.abs(spins - np.diag(np.diag(spins))).sum()
    assert cores_norm(np.zeros((norb, norb)), [core]) == pytest.approx(expected, rel=1e-14)


def test_qubitized_squares_cost_half_of_plain_ones(rng):
    """¼(Σ|ε|)² against ½(Σ|ε|)² − ¼Σε²."""
    eigenvalues = rng.standard_normal((3, 5))
    cores = np.einsum("tk,tl->tkl", eigenvalues, eigenvalues)
    nothing = np.zeros((5, 5))
    squared = double_factorized_norm(nothing, eigenvalues)
    plain = cores_norm(nothing, cores)
    assert plain == pytest.approx(2 * squared - np.sum(eigenvalues**2) / 4, rel=1e-13)


def test_hypercontraction_knows_no_scale(rng):
    """χ → sχ, ζ → s⁻²ζs⁻² leaves everything as it is."""
    points, core = rng.standard_normal((6, 4)), rng.standard_normal((6, 6))
    scale = rng.uniform(0.5, 2.0, 6)
    first = hypercontracted_norm(np.eye(4), points, core)
    second = hypercontracted_norm(
        np.eye(4), scale[:, None] * points, core / np.outer(scale**2, scale**2)
    )
    assert first == pytest.approx(second, rel=1e-13)


def test_a_leaf_as_a_hypercontraction_is_plain(rng):
    """Orthonormal points with a core: ½ Σ|Z|, the constants not taken away."""
    frame = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    core = rng.standard_normal((4, 4))
    core = core + core.T
    thc = hypercontracted_norm(np.zeros((4, 4)), frame.T, core)
    plain = cores_norm(np.zeros((4, 4)), [core])
    assert thc == pytest.approx(plain + np.abs(np.diag(core)).sum() / 4, rel=1e-13)


@pytest.mark.parametrize(
    ("norm", "message"),
    [
        (lambda: double_factorized_norm(np.eye(2), [1.0, 2.0]), r"eigenvalues must be a stack"),
        (
            lambda: double_factorized_norm(np.eye(2), [[1.0]]),
            r"eigenvalues must have shape \(1, 2\)",
        ),
        (lambda: double_factorized_norm([[0, 1], [2, 0]], [[1, 1]]), "one_body must be symmetric"),
        (lambda: single_factorized_norm(np.eye(2), np.eye(2)), r"factors must be a stack"),
        (lambda: sparse_norm(np.eye(2), np.eye(4)), r"packed must have shape \(3, 3\)"),
        (lambda: hypercontracted_norm(np.eye(2), np.eye(2), np.eye(3)), "core must have shape"),
        (lambda: cores_norm(1.0, [[[1.0]]]), "one_body must have shape"),
    ],
)
def test_bad_arrays_are_refused(norm, message):
    with pytest.raises(InputError, match=message):
        norm()
