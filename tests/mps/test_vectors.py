# SPDX-License-Identifier: Apache-2.0
"""Dense vectors into chains: exact errors, ranks, every refusal."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qlowrank as ql

EPS = np.finfo(float).eps


@st.composite
def vectors(draw):
    """A vector and its site dimension: generic, structured, sparse or badly scaled."""
    dimension = draw(st.integers(2, 4))
    n_sites = draw(st.integers(1, {2: 10, 3: 6, 4: 5}[dimension]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = dimension**n_sites
    kind = draw(st.sampled_from(["generic", "sine", "sparse", "decay", "whole"]))
    if kind == "sine":
        vector = np.sin(rng.uniform(0, 10) * np.arange(size) / size + 1)
    elif kind == "sparse":
        vector = rng.standard_normal(size) * (rng.random(size) < 0.1)
        vector[-1] = 1.0
    elif kind == "decay":
        vector = rng.standard_normal(size) * 10.0 ** rng.uniform(-14, 0, size)
    elif kind == "whole":
        vector = rng.integers(-2, 3, size).astype(float)
        vector[0] = 1.0
    else:
        vector = rng.standard_normal(size)
    return vector * 10.0 ** draw(st.integers(-5, 5)), dimension


@settings(max_examples=80)
@given(vectors(), st.sampled_from([0.0, 1e-12, 1e-6, 1e-2, 0.3, 0.9]))
def test_error_is_what_was_discarded(arguments, relative):
    """Squared errors of orthogonal projections add up: the reported error is the error itself.

    Rounding: products of isometries, a few epsilon of the norm for each site.
    """
    vector, dimension = arguments
    size = np.linalg.norm(vector)
    mps = ql.MPS.from_vector(vector, dimension, ql.ExactTrain(tolerance=relative * size))
    error = np.linalg.norm(mps.to_vector() - vector)
    rounding = 50 * mps.n_sites * EPS * size

    assert error <= relative * size + rounding
    assert error == pytest.approx(np.sqrt(mps.discarded_weights.sum()), abs=rounding)


@settings(max_examples=40)
@given(vectors(), st.sampled_from([1e-12, 1e-3]))
def test_ranks_are_those_of_plain_decompositions(arguments, relative):
    """Each bond has at most the states that the vector's unfolding has above the bond's share."""
    vector, dimension = arguments
    size = np.linalg.norm(vector)
    mps = ql.MPS.from_vector(vector, dimension, ql.ExactTrain(tolerance=relative * size))
    share = relative * size / np.sqrt(max(mps.n_sites - 1, 1))
    for bond, rank in enumerate(mps.bond_dimensions, 1):
        values = np.linalg.svd(vector.reshape(dimension**bond, -1), compute_uv=False)
        tails = np.sqrt(np.cumsum(values[::-1] ** 2)[::-1])
        assert rank <= max(1, np.count_nonzero(tails > 0.99 * share))


@settings(max_examples=60)
@given(vectors(), st.integers(1, 12), st.integers(0, 2))
def test_random_sketches_say_what_they_cost(arguments, largest, power_iterations):
    """The discarded weights bound the error; where ranks are small enough, nothing is lost."""
    vector, dimension = arguments
    size = np.linalg.norm(vector)
    method = ql.RandomizedTrain(
        largest, seed=1, power_iterations=power_iterations, tolerance=1e-12 * size
    )
    mps = ql.MPS.from_vector(vector, dimension, method)
    error = np.linalg.norm(mps.to_vector() - vector)
    rounding = 50 * mps.n_sites * EPS * size
    ranks = ql.MPS.from_vector(vector, dimension, ql.ExactTrain(1e-14 * size)).bond_dimensions

    assert mps.max_bond_dimension <= largest
    assert error <= np.sqrt(mps.discarded_weights.sum()) + rounding
    if max(ranks, default=1) <= largest:
        assert error <= 2e-12 * size


def test_same_seed_same_sketch(rng):
    vector = rng.standard_normal(512)
    first, second, other = (
        ql.MPS.from_vector(vector, 2, ql.RandomizedTrain(4, seed=seed)) for seed in (3, 3, 4)
    )

    assert all(map(np.array_equal, first.blocks, second.blocks))
    assert not all(map(np.array_equal, first.blocks, other.blocks))


def test_largest_bond(rng):
    vector = rng.standard_normal(4096)

    mps = ql.MPS.from_vector(vector, 4, ql.ExactTrain(max_bond=9))

    assert mps.max_bond_dimension == 9
    error = np.linalg.norm(mps.to_vector() - vector)
    assert error == pytest.approx(np.sqrt(mps.discarded_weights.sum()), rel=1e-12)


@pytest.mark.parametrize(
    ("vector", "dimension", "message"),
    [
        (np.ones(12), 2, "must be one-dimensional with 2**n_sites entries; got shape (12,)"),
        (np.ones(1), 2, "must be one-dimensional with 2**n_sites entries; got shape (1,)"),
        (np.ones(0), 2, "must be one-dimensional with 2**n_sites entries; got shape (0,)"),
        (np.ones((2, 2)), 2, "got shape (2, 2). Check site_dimension, or use mps_from_ci"),
        (np.zeros(8), 2, "The vector is zero; it has no decomposition."),
        (np.array([1.0, np.nan]), 2, "vector has 1 entries that are nan or inf"),
        (np.ones(8), 1, "site_dimension must be at least 2; got 1."),
        (np.ones(8), 2.5, "site_dimension must be a whole number; got 2.5."),
        (1j * np.ones(8), 2, "vector must be real; got complex numbers"),
    ],
)
def test_bad_vectors(vector, dimension, message):
    with pytest.raises(ql.InputError, match=re.escape(message)):
        ql.MPS.from_vector(vector, dimension)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tolerance": np.nan}, "tolerance must be finite; got nan."),
        ({"tolerance": -1e-3}, "tolerance must be at least 0, an error in the norm; got -0.001."),
        ({"max_bond": 0}, "max_bond must be at least 1 state, or None for no limit; got 0."),
        ({"max_bond": 1.5}, "max_bond must be a whole number; got 1.5."),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ql.InputError, match=re.escape(message)):
        ql.ExactTrain(**parameters)
    with pytest.raises(ql.InputError, match=re.escape(message)):
        ql.RandomizedTrain(**({"max_bond": 2} | parameters))


@pytest.mark.parametrize("name", ["seed", "oversampling", "power_iterations"])
def test_bad_sketches(name):
    with pytest.raises(ql.InputError, match=f"{name} must be at least 0; got -1."):
        ql.RandomizedTrain(2, **{name: -1})
    with pytest.raises(ql.InputError, match=f"{name} must be a whole number; got 0.5."):
        ql.RandomizedTrain(2, **{name: 0.5})
