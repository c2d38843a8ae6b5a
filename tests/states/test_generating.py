# SPDX-License-Identifier: Apache-2.0
"""Moments from the generating function, against sums over all occupations."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlowrank.states.generating import Amplitudes, central_moments, generating_function

EPS = np.finfo(float).eps


def enumerated(frame, values, nelec):
    """Mean and central moments of a determinant, its occupations' probabilities from minors."""
    outcomes = []
    for spin, n in enumerate(nelec):
        chosen = [list(c) for c in combinations(range(len(frame)), n)]
        weights = np.array([np.linalg.det(frame[:n, c]) ** 2 for c in chosen])
        outcomes.append((np.array([values[spin][c].sum() for c in chosen]), weights))
    (first, p), (second, q) = outcomes
    sums, weights = first[:, None] + second, np.outer(p / p.sum(), q / q.sum())
    mean = np.sum(weights * sums)
    return np.array([mean, 0.0, *(np.sum(weights * (sums - mean) ** k) for k in (2, 3, 4))])


def largest_deviation(values, nelec):
    """More than any deviation of Σ v n from its mean."""
    return sum(n * np.ptp(v) for v, n in zip(values, nelec, strict=True))


@st.composite
def problems(draw):
    norb = draw(st.integers(1, 5))
    nelec = draw(st.integers(0, norb)), draw(st.integers(0, norb))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frame = np.linalg.qr(rng.standard_normal((norb, norb)))[0]
    kind = draw(st.sampled_from(["generic", "integers", "nearly equal", "one spin", "large"]))
    values = rng.standard_normal((2, norb))
    if kind == "integers":
        values = np.round(values)  # many zeros, much degeneracy
    elif kind == "nearly equal":
        values = 1 + 1e-7 * values
    elif kind == "one spin":
        values[1] = -3.0
    elif kind == "large":
        values *= 1e6
    return frame, values, nelec


@given(problems())
def test_moments_of_a_determinant(problem):
    """Empty, full and half-filled shells, equal and unequal values alike."""
    frame, values, nelec = problem
    expected = enumerated(frame, values, nelec)

    moments = central_moments(frame, values, nelec, None)

    # k! eps per moment in units of the largest deviation, times the size of the matrices; and the
    # values themselves are known to eps times their magnitude.
    norb, order = len(frame), np.arange(5)
    unit = largest_deviation(values, nelec)
    noise = 4 * EPS * np.abs(values).max() * max(sum(nelec), 1)
    tolerance = 8 * norb**2 * EPS * np.array([1, 1, 2, 6, 24]) * unit**order
    tolerance += noise * np.array([norb, 1, *(k * (unit + noise) ** (k - 1) for k in (2, 3, 4))])
    assert (np.abs(moments - expected) <= tolerance).all()


@pytest.mark.parametrize(
    ("nelec", "values"),
    [
        ((0, 0), [[1.0, 2.0, 3.0]] * 2),
        ((3, 3), [[5.0, -5.0, 1.0], [0.0, 9.0, -2.0]]),
        ((3, 0), [[1.0, -2.0, 7.0]] * 2),
        ((2, 1), [[0.7] * 3, [-1.4] * 3]),
        ((1, 2), [[0.0] * 3] * 2),
        ((2, 1), [[5e-324] * 3] * 2),
    ],
)
def test_what_cannot_vary_has_no_moments(nelec, values, random_orbitals, rng):
    """Full shells once sent the circle's radius to 1e16 and the exponential to infinity."""
    frame, values = random_orbitals(rng, 3), np.array(values)
    mean = sum(n * np.mean(v) for v, n in zip(values, nelec, strict=True))

    moments = central_moments(frame, values, nelec, None)

    scale = np.abs(values).max()
    assert abs(moments[0] - mean) <= 16 * EPS * scale
    assert (np.abs(moments[1:]) <= (16 * EPS * scale) ** np.arange(1, 5)).all()


def test_a_number_of_electrons_shifts_the_mean_only(random_cisd, rng):
    """v̂ + c_α N_α + c_β N_β has the central moments of v̂."""
    nelec, norb = (3, 2), 5
    state = random_cisd(rng, norb, nelec, 0.4)
    amplitudes = Amplitudes(
        state.reference_coefficient, state.singles, state.doubles_same, state.doubles_opposite
    )
    frame, values = state.determinant.orbitals, rng.standard_normal((2, norb))
    shift = np.array([[2.5], [-7.0]])

    plain = central_moments(frame, values, nelec, amplitudes)
    shifted = central_moments(frame, values + shift, nelec, amplitudes)

    plain[0] += 2.5 * 3 - 7.0 * 2
    unit = largest_deviation(values, nelec)
    tolerance = 8 * norb**2 * EPS * np.array([1, 1, 2, 6, 24]) * (unit + 20) ** np.arange(5)
    tolerance[0] = 8 * norb**2 * EPS * 20
    assert (np.abs(shifted - plain) <= tolerance).all()


@settings(max_examples=30)
@given(
    nelec=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    excited=st.sampled_from([0.0, 0.1, 0.7, 1.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_generating_function_of_cisd_states(random_cisd, dense, nelec, excited, seed):
    """⟨ψ| exp(v̂) |ψ⟩ by the generalised Wick theorem, and summed over all occupations."""
    norb = 4
    rng = np.random.default_rng(seed)
    state = random_cisd(rng, norb, nelec, excited)
    full = dense(state)
    frame = np.linalg.qr(rng.standard_normal((norb, norb)))[0]
    values = rng.standard_normal((2, norb)) / 4
    alpha, beta = full.occupations()
    weights = full.distribution(frame)
    expected = np.sum(weights * np.exp((alpha @ values[0])[:, None] + beta @ values[1]))

    found = generating_function(
        state.determinant.orbitals.T @ frame,
        values,
        nelec,
        Amplitudes(
            state.reference_coefficient, state.singles, state.doubles_same, state.doubles_opposite
        ),
    )

    # R_oo has eigenvalues from exp(-|v|) on; products of a handful of 4 x 4 matrices.
    size = np.exp(2 * np.abs(values).max() * sum(nelec))
    assert abs(found - expected) <= 64 * norb**2 * EPS * size
