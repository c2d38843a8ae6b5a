# SPDX-License-Identifier: Apache-2.0
"""Full CI states: moments and distributions, against OpenFermion's sparse matrices."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openfermion import FermionOperator, get_sparse_operator

from qlowrank.checks import InputError
from qlowrank.states import FCIState

EPS = np.finfo(float).eps

sectors = st.integers(1, 4).flatmap(
    lambda norb: st.tuples(st.just(norb), st.integers(0, norb), st.integers(0, norb))
)


def random_state(rng, norb, nelec):
    vector = rng.standard_normal((comb(norb, nelec[0]), comb(norb, nelec[1])))
    return FCIState(vector=vector / np.linalg.norm(vector), norb=norb, nelec=nelec, energy=0.0)


def occupation_matrices(frame):
    """ñ_kσ as matrices over Fock space, shape (2, norb): alpha, beta."""
    norb = len(frame)
    matrices = []
    for spin in (0, 1):
        for column in frame.T:
            operator = FermionOperator()
            for p, q in np.ndindex(norb, norb):
                operator += FermionOperator(
                    ((2 * p + spin, 1), (2 * q + spin, 0)), column[p] * column[q]
                )
            matrices.append(get_sparse_operator(operator, n_qubits=2 * norb))
    return np.array(matrices, dtype=object).reshape(2, norb)


def fock_vector(state):
    """The state in OpenFermion's order of modes, α0 β0 α1 β1 …, the first the highest bit.

    PySCF's strings are all alpha creators before all beta ones. To interleave them, each beta
    electron of orbital p passes the alpha electrons of the orbitals q > p.
    """
    norb = state.norb
    vector = np.zeros(4**norb)
    for alpha, row in zip(state.occupations()[0].astype(int), state.vector, strict=True):
        for beta, coefficient in zip(state.occupations()[1].astype(int), row, strict=True):
            passed = sum(beta[p] * alpha[p + 1 :].sum() for p in range(norb))
            bits = np.stack([alpha, beta], axis=1).ravel()
            vector[int("".join(map(str, bits)), 2)] = coefficient * (-1) ** passed
    return vector


@settings(max_examples=10)
@given(sector=sectors, seed=st.integers(0, 2**32 - 1))
def test_moments_are_those_of_sparse_matrices(random_operator, rounding, sector, seed):
    """F as a matrix of all of Fock space, for cores that differ between the spins."""
    norb, *nelec = sector
    rng = np.random.default_rng(seed)
    state, operator = random_state(rng, norb, tuple(nelec)), random_operator(rng, norb)
    alpha, beta = occupation_matrices(operator.frame)
    vector = fock_vector(state)
    image = np.zeros(4**norb, dtype=complex)
    for k in range(norb):
        image += operator.linear[k] * ((alpha[k] + beta[k]) @ vector)
        for m in range(norb):
            image += operator.same_spin[k, m] / 2 * (alpha[k] @ (alpha[m] @ vector))
            image += operator.same_spin[k, m] / 2 * (beta[k] @ (beta[m] @ vector))
            image += operator.opposite_spin[k, m] * (alpha[k] @ (beta[m] @ vector))
    mean = np.vdot(vector, image).real
    variance = np.linalg.norm(image - mean * vector) ** 2

    moments = state.moments(operator)

    bounds = rounding(operator, nelec)
    assert abs(moments.mean - mean) <= 2 * bounds[0]
    assert abs(moments.variance - variance) <= 2 * bounds[1]


@settings(max_examples=20)
@given(sector=sectors, seed=st.integers(0, 2**32 - 1))
def test_distribution_has_the_moments(random_operator, rounding, sector, seed):
    """Probabilities of the frame's occupations, in the order `occupations` says."""
    norb, *nelec = sector
    rng = np.random.default_rng(seed)
    state, operator = random_state(rng, norb, tuple(nelec)), random_operator(rng, norb)
    alpha, beta = state.occupations()
    values = operator.values(alpha[:, None, :], beta[None, :, :])

    weights = state.distribution(operator.frame)

    assert weights.shape == values.shape == state.vector.shape
    assert (alpha.sum(axis=1) == nelec[0]).all()
    assert (beta.sum(axis=1) == nelec[1]).all()
    # Minors of norb x norb matrices, summed over the vector.
    assert weights.sum() == pytest.approx(1, abs=16 * norb**2 * EPS)
    mean = np.sum(weights * values)
    variance = np.sum(weights * (values - mean) ** 2)
    moments, bounds = state.moments(operator), rounding(operator, nelec)
    assert abs(moments.mean - mean) <= 2 * bounds[0]
    assert abs(moments.variance - variance) <= 2 * bounds[1]


def test_record(rng):
    state = random_state(rng, 3, (2, 1))
    assert state.label == "fci"
    assert not state.vector.flags.writeable


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vector": np.full((3, 3), 0.5)}, "norm 1; got 1.50000000. Divide by its norm"),
        ({"vector": np.ones((3, 1))}, r"vector must have shape \(3, 3\); got \(3, 1\)"),
        ({"vector": np.eye(3) * 1j}, "vector must be real; got complex"),
        ({"vector": np.full((3, 3), np.nan)}, "vector has 9 entries that are nan"),
        ({"nelec": (4, 1)}, "0 to 3 electrons of each spin into 3 orbitals"),
        ({"nelec": 3}, "nelec must be two integers"),
    ],
)
def test_bad_vectors_are_refused(change, message):
    good = {"vector": np.eye(3) / np.sqrt(3), "norb": 3, "nelec": (2, 1), "energy": 0.0}
    with pytest.raises(InputError, match=message):
        FCIState(**{**good, **change})
