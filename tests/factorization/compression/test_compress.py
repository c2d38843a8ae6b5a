# SPDX-License-Identifier: Apache-2.0
"""Compression: what it rebuilds, what it proves, how it ends, and what it refuses."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.factorization import double_factorize
from qlowrank.factorization.compression import (
    CompressedFactorization,
    Continue,
    CoreOneNorm,
    CoreSquares,
    FrobeniusError,
    LargestLeaves,
    OneNorm,
    QuasiNewton,
    RandomLeaves,
    SectorError,
    WeightedSum,
    compress,
    errors,
)
from qlowrank.hamiltonian import from_integrals, from_pyscf
from tests.molecules import fci_energy, fci_spectrum, fock_spectrum, integrals, mean_field
from tests.strategies import hamiltonians

EPS = np.finfo(float).eps

objectives = st.sampled_from(
    [
        FrobeniusError(),
        SectorError(),
        WeightedSum((1.0, FrobeniusError()), (0.1, CoreOneNorm())),
        WeightedSum((1.0, SectorError()), (0.01, OneNorm()), (0.01, CoreSquares())),
    ]
)


def explicit(name, **options):
    return double_factorize(from_pyscf(mean_field(name), **options))


def rebuilt(factorization):
    """(pq|rs) by the definition, from leaves and cores."""
    leaves = factorization.leaves
    return np.einsum(
        "tpk,tqk,tkl,trl,tsl->pqrs",
        *(leaves, leaves, factorization.cores, leaves, leaves),
        optimize=True,
    )


def rounding(two_body):
    return 20 * len(two_body) ** 4 * EPS * max(np.abs(two_body).max(initial=0.0), 1e-300)


@st.composite
def cases(draw, largest=4):
    arrays = draw(hamiltonians(largest))
    norb = len(arrays[1])
    n_leaves = draw(st.integers(1, norb * (norb + 1) // 2))
    return arrays, n_leaves


def seen_by_a_sector(matrix, norb):
    """P R P with P = 1 − e eᵀ over orbital pairs."""
    projector = np.eye(norb**2) - np.outer(np.eye(norb), np.eye(norb)) / norb
    return projector @ matrix @ projector


@settings(max_examples=40)
@given(cases(), objectives, st.sampled_from([0.0, 1e-2]), st.booleans())
def test_bounds_hold_against_the_true_error(case, objective, tolerance, small):
    """Exact norms where pairs are few, weaker bounds where they are many; all proven."""
    arrays, n_leaves = case
    hamiltonian = from_integrals(*arrays, tolerance=tolerance)
    with pytest.MonkeyPatch.context() as patch:
        if not small:
            patch.setattr(errors, "MOST_PAIRS", -1)
        result = compress(
            double_factorize(hamiltonian),
            n_leaves=n_leaves,
            objective=objective,
            optimizer=QuasiNewton(max_steps=8),
        )
    status, norb, allowed = result.status, len(arrays[1]), rounding(arrays[2])
    error = (rebuilt(result) - arrays[2]).reshape(norb**2, norb**2)
    if objective.in_sector:
        error = seen_by_a_sector(error, norb)
    lost = hamiltonian.truncation.max_error * (tolerance == 0.0)  # what 0 calls rounding
    assert np.abs(error).max() <= status.max_abs_error + allowed
    assert np.linalg.norm(error) <= status.frobenius_error + norb**2 * (allowed + lost)
    assert np.linalg.norm(error, "nuc") <= status.trace_norm_error + norb**3 * (allowed + lost)


@settings(max_examples=40)
@given(cases(), objectives)
def test_leaves_are_frames_and_cores_symmetric(case, objective):
    arrays, n_leaves = case
    hamiltonian = from_integrals(*arrays, tolerance=0.0)
    result = compress(
        double_factorize(hamiltonian),
        n_leaves=n_leaves,
        objective=objective,
        optimizer=QuasiNewton(max_steps=8),
    )
    assert (result.n_leaves, result.norb, result.nelec) == (n_leaves, len(arrays[1]), arrays[3])
    products = result.leaves.transpose(0, 2, 1) @ result.leaves
    # eigenvectors times a Cayley transform in one stage: a modest multiple of norb eps times
    # ‖1 + A‖, and no step turns by more than some radians
    np.testing.assert_allclose(
        products, np.broadcast_to(np.eye(result.norb), products.shape), rtol=0, atol=1e-11
    )
    np.testing.assert_array_equal(result.cores, result.cores.transpose(0, 2, 1))
    norms = np.linalg.norm(result.cores, axis=(1, 2))
    assert np.all(np.diff(norms) <= 0.0)
    history = result.optimizer.history
    assert np.isfinite(history).all()
    assert np.all(history >= 0)
    assert history[-1] <= history[0] * (1 + 1e-9) + 1e-12
    if not objective.in_sector:
        np.testing.assert_array_equal(result.one_body, hamiltonian.kappa)
        assert result.constant == arrays[0]


@settings(max_examples=30)
@given(cases(largest=3))
def test_a_sector_cannot_see_what_was_moved(case):
    """With enough leaves for a perfect start, or not: energies of the sector hold.

    ½ R̂ with eigenvalues r_k is ½ Σ r_k r̂_k², and ‖r̂_k‖² ≤ η² for unit r_k: η²/2 times the
    trace norm bounds every energy.
    """
    arrays, n_leaves = case
    result = compress(
        double_factorize(from_integrals(*arrays, tolerance=0.0)),
        n_leaves=n_leaves,
        objective=SectorError(),
        optimizer=QuasiNewton(max_steps=30),
    )
    tensor = rebuilt(result)
    one_body = result.one_body + np.einsum("prrq->pq", tensor) / 2
    electrons = sum(arrays[3])
    ours = fci_spectrum(result.constant, one_body, tensor, arrays[3])
    theirs = fci_spectrum(*arrays)
    scale = abs(arrays[0]) + np.abs(arrays[1]).sum() + 2 * np.abs(arrays[2]).sum()
    allowed = electrons**2 / 2 * result.status.trace_norm_error + 1e3 * EPS * scale
    assert np.abs(ours - theirs).max() <= allowed * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("objective", [FrobeniusError(), SectorError()])
def test_enough_leaves_are_exact(objective):
    """As many leaves as squares: nothing to do, and the molecule's energy."""
    factorization = explicit("lih", tolerance=1e-10)
    n_leaves = min(factorization.n_leaves, 21)
    result = compress(factorization, n_leaves=n_leaves, objective=objective)
    tensor = rebuilt(result)
    energy = fci_energy(
        result.constant,
        result.one_body + np.einsum("prrq->pq", tensor) / 2,
        tensor,
        result.nelec,
    )
    assert result.optimizer.converged
    assert abs(energy - fci_energy(*integrals("lih"))) <= 1e-8


def test_water_beats_what_others_reach():
    """6-31G, 13 leaves, 300 steps: 6.4e-4 Hartree² here; 7.2e-3 by unscaled coordinates."""
    result = compress(explicit("water-631g", tolerance=1e-8), n_leaves=13)
    loss = np.sum((rebuilt(result) - integrals("water-631g")[2]) ** 2) / 2
    assert loss <= 8e-4
    assert loss == pytest.approx(result.status.frobenius_error**2 / 2, rel=1e-3)
    assert result.optimizer.history[-1] == pytest.approx(loss, rel=5e-3)  # of the cut problem
    assert result.optimizer.n_steps == 300
    assert not result.optimizer.converged
    assert result.optimizer.message == "the limit of 300 steps is reached"
    assert result.optimizer.seed == 0


def test_continuing_goes_on():
    factorization = explicit("water")
    short = compress(factorization, n_leaves=6, optimizer=QuasiNewton(max_steps=30))
    longer = compress(factorization, n_leaves=6, start=Continue(short))
    more = compress(factorization, n_leaves=9, start=Continue(short, seed=4))
    assert longer.optimizer.history[0] == pytest.approx(short.optimizer.history[-1], rel=5e-3)
    assert longer.status.frobenius_error < short.status.frobenius_error
    assert more.status.frobenius_error < longer.status.frobenius_error
    assert more.optimizer.seed == 4


def test_the_weight_of_the_one_norm_trades_error_for_norm():
    factorization = explicit("water")
    results = [
        compress(
            factorization,
            n_leaves=8,
            objective=WeightedSum((1.0, SectorError()), (weight, OneNorm())),
            optimizer=QuasiNewton(max_steps=150),
        )
        for weight in (0.0, 1e-3, 1e-1)
    ]
    norms = [result.one_norm() for result in results]
    lost = [result.status.frobenius_error for result in results]
    assert norms == sorted(norms, reverse=True)
    assert norms[-1] < 0.7 * norms[0]
    assert lost == sorted(lost)


@settings(max_examples=30)
@given(cases(largest=3))
def test_the_one_norm_bounds_the_spectrum(case):
    """A block encoding of H minus a constant has ‖H − c‖ ≤ λ, so the spectrum spans at most 2λ."""
    arrays, n_leaves = case
    result = compress(
        double_factorize(from_integrals(*arrays, tolerance=0.0)),
        n_leaves=n_leaves,
        optimizer=QuasiNewton(max_steps=5),
    )
    tensor = rebuilt(result)
    one_body = result.one_body + np.einsum("prrq->pq", tensor) / 2
    spectrum = fock_spectrum(result.constant, one_body, tensor)
    span = spectrum[-1] - spectrum[0]
    assert span <= 2 * result.one_norm() * (1 + 1e-10) + rounding(arrays[2])


@settings(max_examples=40)
@given(cases(), st.booleans())
def test_the_nearest_sum_of_squares(case, squared):
    """What is negative is left out and accounted for; positive cores lose nothing."""
    arrays, n_leaves = case
    result = compress(
        double_factorize(from_integrals(*arrays, tolerance=0.0)),
        n_leaves=n_leaves,
        optimizer=QuasiNewton(max_steps=3),
    )
    if squared:
        result = replace(result, cores=result.cores @ result.cores)
    norb = result.norb
    matrix = rebuilt(result).reshape(norb**2, norb**2)
    back = result.to_hamiltonian()
    values, vectors = np.linalg.eigh(matrix)
    positive = (vectors * values.clip(0)) @ vectors.T
    allowed = 1e-9 * (1 + np.abs(matrix).max())
    np.testing.assert_allclose(back.two_body().reshape(matrix.shape), positive, atol=allowed)
    lost = back.residual_trace - result.status.trace_norm_error
    assert lost == pytest.approx(-values.clip(max=0).sum(), abs=allowed * norb**2)
    deepest = back.max_abs_error_bound - result.status.max_abs_error
    assert np.abs(matrix - positive).max() <= deepest + allowed
    np.testing.assert_allclose(result.two_body(), rebuilt(result), atol=allowed)
    np.testing.assert_array_equal(back.kappa, result.one_body)


@pytest.mark.parametrize("start", [LargestLeaves(), RandomLeaves(seed=3)])
def test_the_same_bytes_twice(start):
    factorization = explicit("o2")
    first, second = (
        compress(factorization, n_leaves=5, start=start, optimizer=QuasiNewton(max_steps=30))
        for _ in range(2)
    )
    assert first.leaves.tobytes() == second.leaves.tobytes()
    assert first.cores.tobytes() == second.cores.tobytes()
    assert first.optimizer.history.tobytes() == second.optimizer.history.tobytes()
    assert first.optimizer.seed == start.seed
    other = compress(
        factorization, n_leaves=5, start=RandomLeaves(seed=4), optimizer=QuasiNewton(max_steps=30)
    )
    assert first.leaves.tobytes() != other.leaves.tobytes()


def test_no_repulsion_is_found_at_once():
    hamiltonian = from_integrals(0.5, np.diag([1.0, 2.0]), np.zeros((2,) * 4), (1, 0))
    result = compress(double_factorize(hamiltonian), n_leaves=2)
    np.testing.assert_array_equal(result.cores, np.zeros((2, 2, 2)))
    assert result.optimizer.converged
    assert result.optimizer.message == "nothing but rounding is left"
    assert result.one_norm() == 3.0
    assert result.inner_ranks.tolist() == [0, 0]
    assert result.to_hamiltonian().rank == 0


def test_a_stalled_run_keeps_the_best_and_says_so(monkeypatch):
    """An objective whose slope points uphill: no step is found."""

    class UphillError(FrobeniusError):
        def prepare(self, problem):
            function = FrobeniusError().prepare(problem)

            def evaluate(point):
                slope = function(point)
                return replace(slope, leaves=-slope.leaves, cores=-slope.cores)

            return evaluate

    factorization = explicit("water")
    result = compress(factorization, n_leaves=4, objective=UphillError())
    assert not result.optimizer.converged
    assert result.optimizer.message.startswith("stalled")
    largest = LargestLeaves()(factorization, 4)
    np.testing.assert_allclose(result.cores, largest.cores, atol=1e-12)
    assert "not converged: stalled" in repr(result.optimizer)


def test_progress_is_told():
    calls = []
    compress(
        explicit("h2-631g"),
        n_leaves=2,
        optimizer=QuasiNewton(max_steps=50),
        progress=lambda *call: calls.append(call),
    )
    assert calls[0][0] == "steps down the error"
    assert calls[-1][1] <= calls[-1][2] == 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_leaves": 0}, r"n_leaves must be from 1 to 3, the number of orbital pairs.*Got 0"),
        ({"n_leaves": 4}, r"n_leaves must be from 1 to 3, the number of orbital pairs.*Got 4"),
        ({"n_leaves": 1.5}, "n_leaves must be a whole number"),
        ({"objective": CoreOneNorm()}, "'core one-norm' holds no error of the integrals"),
        (
            {"objective": WeightedSum((0.0, FrobeniusError()), (1.0, OneNorm()))},
            "holds no error of the integrals, so that empty cores minimise it",
        ),
        ({"objective": "variance"}, "objective must be .*ShotCost"),
        ({"objective": FrobeniusError}, "objective must be FrobeniusError"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(InputError, match=message):
        compress(explicit("h2"), **{"n_leaves": 2, **options})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: QuasiNewton(max_steps=0), "max_steps must be at least 1"),
        (lambda: QuasiNewton(memory=0), "memory must be at least 1"),
        (lambda: QuasiNewton(tolerance=0.0), "tolerance must be above 0"),
        (lambda: LargestLeaves(seed=-1), "seed must be at least 0"),
        (lambda: RandomLeaves(seed=0.5), "seed must be a whole number"),
        (lambda: Continue("before"), "previous must be a CompressedFactorization; got a str"),
        (lambda: compress("x", n_leaves=1), "must come from double_factorize; got a str"),
    ],
)
def test_bad_methods(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_compressed_twice_is_refused():
    factorization = explicit("h2-631g")
    result = compress(factorization, n_leaves=3, optimizer=QuasiNewton(max_steps=2))
    with pytest.raises(InputError, match=r"compressed already.*Continue\(previous\)"):
        compress(result, n_leaves=2)
    with pytest.raises(InputError, match="The earlier compression has 3 leaves of 4 orbitals"):
        compress(factorization, n_leaves=2, start=Continue(result))


def test_records_are_checked_and_read_only():
    result = compress(explicit("h2"), n_leaves=2)
    for name in ("one_body", "leaves", "cores"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(result, name)[0] = 1.0
    for change, message in (
        ({"one_body": np.triu(np.ones((2, 2)))}, "one_body must be symmetric"),
        ({"cores": np.zeros((1, 2, 2))}, r"cores must have shape \(2, 2, 2\)"),
        ({"cores": np.triu(np.ones((2, 2, 2)))}, "every core must be symmetric"),
        ({"nelec": (3, 0)}, "0 to 2 electrons"),
    ):
        with pytest.raises(InputError, match=message):
            replace(result, **change)
    with pytest.raises(InputError, match="history must be a row"):
        replace(result.optimizer, history=np.zeros(0))
    with pytest.raises(InputError, match=r"needs .* of memory"):
        result.two_body(max_memory=100)


def test_arrays_have_units_and_axes():
    result = compress(explicit("h2"), n_leaves=2)
    for field in fields(CompressedFactorization):
        value = getattr(result, field.name)
        if isinstance(value, np.ndarray):
            assert field.metadata["units"] in {"1", "hartree"}
            assert len(field.metadata["axes"].split(",")) == value.ndim


def test_it_says_what_it_is():
    text = repr(compress(explicit("h2"), n_leaves=2))
    assert text.startswith("CompressedFactorization(H2: 2 orbitals, 2 leaves, method compressed")
