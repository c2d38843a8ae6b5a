# SPDX-License-Identifier: Apache-2.0
"""Determinant and CISD states: exact moments, against the same state as a full CI vector."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.hamiltonian import DiagonalOperator
from qlowrank.states import CISDState, DeterminantState

EPS = np.finfo(float).eps

sectors = st.integers(1, 4).flatmap(
    lambda norb: st.tuples(st.just(norb), st.integers(0, norb), st.integers(0, norb))
)
seeds = st.integers(0, 2**32 - 1)


def assert_same_moments(found, expected, bounds):
    """Both within their bounds; each side may round."""
    assert abs(found.mean - expected.mean) <= 2 * bounds[0]
    assert abs(found.variance - expected.variance) <= 2 * bounds[1]


@settings(max_examples=25)
@given(sector=sectors, excited=st.sampled_from([0.0, 1e-6, 0.3, 1.0]), seed=seeds)
def test_cisd_moments(random_cisd, random_operator, dense, rounding, sector, excited, seed):
    """Any cores, any amplitudes, any shell: c_0 = 0 and one orbital included."""
    norb, *nelec = sector
    rng = np.random.default_rng(seed)
    state = random_cisd(rng, norb, tuple(nelec), excited)
    operator = random_operator(rng, norb)

    assert_same_moments(
        state.moments(operator), dense(state).moments(operator), rounding(operator, nelec)
    )


@settings(max_examples=30)
@given(sector=sectors, seed=seeds, kind=st.sampled_from(["leaf", "one-body", "shifted", "zero"]))
def test_cisd_moments_of_groups(random_cisd, random_leaf, dense, rounding, sector, seed, kind):
    """Squares, one-body operators, squares with a linear part along them, and nothing at all."""
    norb, *nelec = sector
    rng = np.random.default_rng(seed)
    state = random_cisd(rng, norb, tuple(nelec), 0.4)
    operator = random_leaf(rng, norb)
    if kind == "one-body":
        operator = replace(operator, linear=rng.standard_normal(norb), same_spin=0 * operator.frame)
        operator = replace(operator, opposite_spin=0 * operator.frame)
    elif kind == "shifted":
        operator = replace(operator, linear=-2.5 * operator.same_spin[0])
    elif kind == "zero":
        operator = replace(operator, same_spin=0 * operator.frame, opposite_spin=0 * operator.frame)

    assert_same_moments(
        state.moments(operator), dense(state).moments(operator), rounding(operator, nelec)
    )


@settings(max_examples=15)
@given(sector=sectors, seed=seeds)
def test_determinant_moments(
    random_orbitals, random_operator, random_leaf, dense, rounding, sector, seed
):
    norb, *nelec = sector
    rng = np.random.default_rng(seed)
    state = DeterminantState(orbitals=random_orbitals(rng, norb), nelec=tuple(nelec), energy=0.0)
    for operator in (random_operator(rng, norb), random_leaf(rng, norb)):
        assert_same_moments(
            state.moments(operator), dense(state).moments(operator), rounding(operator, nelec)
        )


@pytest.mark.parametrize("spread", [0.0, 1e-12, 1e-6])
def test_nearly_degenerate_frames(spread, random_cisd, random_orbitals, dense, rng):
    """½(N̂ + spread v̂)²: N̂ has no variance, and spread η v̂ is resolved to its own precision."""
    norb, nelec = 4, (2, 3)
    state = random_cisd(rng, norb, nelec, 0.5)
    frame, values = random_orbitals(rng, norb), rng.standard_normal(norb)
    eigenvalues = 1 + spread * values
    core = np.outer(eigenvalues, eigenvalues)
    operator = DiagonalOperator(
        frame=frame, linear=np.zeros(norb), same_spin=core, opposite_spin=core
    )
    one_body = DiagonalOperator(
        frame=frame, linear=values, same_spin=0 * core, opposite_spin=0 * core
    )

    variance = state.moments(operator).variance

    # To first order in the spread; the second is smaller by spread. The eigenvalues, and the core
    # whose eigenvector gives them back, are known to norb eps, which η² electrons carry.
    expected = (spread * sum(nelec)) ** 2 * dense(state).moments(one_body).variance
    noise = norb * EPS * sum(nelec) ** 2
    error = 20 * spread * expected + 2 * np.sqrt(expected) * noise + noise**2
    assert abs(variance - expected) <= error


def test_moments_scale_with_the_operator(random_cisd, random_leaf, rng):
    """Hartree or attohartree: the same digits."""
    state, operator = random_cisd(rng, 4, (2, 1), 0.3), random_leaf(rng, 4)
    scale = 2.0**-60
    small = replace(
        operator,
        same_spin=scale * operator.same_spin,
        opposite_spin=scale * operator.opposite_spin,
    )
    large, tiny = state.moments(operator), state.moments(small)
    assert tiny.mean / scale == pytest.approx(large.mean, rel=1e-13)
    assert tiny.variance / scale**2 == pytest.approx(large.variance, rel=1e-12)


def test_cisd_without_excitations_is_its_determinant(random_cisd, random_operator, rounding, rng):
    state = random_cisd(rng, 4, (2, 2), 0.0)
    operator = random_operator(rng, 4)
    assert state.reference_coefficient == 1.0
    assert_same_moments(
        state.moments(operator),
        state.determinant.moments(operator),
        rounding(operator, (2, 2)),
    )


def test_nothing_larger_than_the_doubles_is_formed(random_cisd, random_leaf, rng):
    """Water in cc-pVDZ, 24 orbitals: the FCI space would have 1.8e9 determinants."""
    state, operator = random_cisd(rng, 24, (5, 5), 0.1), random_leaf(rng, 24)
    tracemalloc.start()
    state.moments(operator)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 8 * 2 * state.doubles_opposite.nbytes  # eight complex arrays of that shape


def test_records_are_read_only_and_say_what_they_are(random_cisd, rng):
    state = random_cisd(rng, 3, (2, 1), 0.2)
    assert (state.label, state.norb, state.nelec) == ("cisd", 3, (2, 1))
    assert (state.determinant.label, state.determinant.norb) == ("hf", 3)
    arrays = [state.determinant.orbitals, *state.singles, *state.doubles_same]
    for array in (*arrays, state.doubles_opposite):
        assert not array.flags.writeable
    norm = state.reference_coefficient**2 + sum(np.sum(c**2) for c in state.singles)
    norm += sum(np.sum(c**2) / 4 for c in state.doubles_same) + np.sum(state.doubles_opposite**2)
    assert norm == pytest.approx(1, abs=16 * EPS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"orbitals": np.ones((2, 2))}, "orbitals must be orthogonal; CᵀC misses.*2.0e\\+00"),
        ({"orbitals": np.ones((2, 3))}, r"orbitals must have shape \(2, 2\); got \(2, 3\)"),
        ({"orbitals": np.diag([1.0, np.nan])}, "orbitals has 1 entries that are nan or inf"),
        ({"nelec": (3, 0)}, "0 to 2 electrons of each spin into 2 orbitals"),
        ({"nelec": (0.5, 0)}, "nelec must be two integers"),
    ],
)
def test_bad_determinants_are_refused(change, message):
    good = {"orbitals": np.eye(2), "nelec": (1, 1), "energy": 0.0}
    with pytest.raises(InputError, match=message):
        DeterminantState(**{**good, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"singles": (np.ones((2, 2)), np.ones((1, 3)))}, r"norm² of 7\.\d+; at most 1.*Divide"),
        ({"singles": (np.zeros((1, 3)),) * 2}, r"singles must have shape \(2, 2\); got \(1, 3\)"),
        (
            {"doubles_same": (np.full((2, 2, 2, 2), 0.1), np.zeros((1, 1, 3, 3)))},
            "doubles_same must change sign.*misses by up to 2.0e-01",
        ),
        (
            {"doubles_same": (np.zeros((2, 2, 2, 2)), np.full((1, 1, 3, 3), 0.1))},
            "doubles_same must change sign.*misses by up to 2.0e-01",
        ),
        (
            {"doubles_opposite": np.zeros((1, 2, 2, 3))},
            r"doubles_opposite must have shape \(2, 1, 2, 3\)",
        ),
        ({"doubles_opposite": np.full((2, 1, 2, 3), np.inf)}, "12 entries that are nan or inf"),
    ],
)
def test_bad_amplitudes_are_refused(change, message):
    good = {
        "determinant": DeterminantState(orbitals=np.eye(4), nelec=(2, 1), energy=0.0),
        "singles": (np.zeros((2, 2)), np.zeros((1, 3))),
        "doubles_same": (np.zeros((2, 2, 2, 2)), np.zeros((1, 1, 3, 3))),
        "doubles_opposite": np.zeros((2, 1, 2, 3)),
        "energy": 0.0,
    }
    assert CISDState(**good).reference_coefficient == 1.0
    with pytest.raises(InputError, match=message):
        CISDState(**{**good, **change})
