# SPDX-License-Identifier: Apache-2.0
"""Rank rules at every boundary, on spectra whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlowrank.checks import InputError
from qlowrank.lowrank.rank_rules import (
    AkaikeRule,
    CertificateRule,
    ErrorRule,
    GapRule,
    InformationRule,
    Spectrum,
    TraceRule,
    akaike,
    minimum_description_length,
    spectrum_of,
)

STEPS = spectrum_of(np.array([4.0, 2.0, 1.0]))
weights = st.lists(st.floats(0, 10), max_size=12).map(lambda x: np.array(sorted(x, reverse=True)))


@pytest.mark.parametrize(
    ("tolerance", "rank"), [(0.0, 3), (0.9, 3), (1.0, 2), (1.9, 2), (2.0, 1), (4.0, 0), (9.0, 0)]
)
def test_errors_step_where_a_weight_is_reached(tolerance, rank):
    chosen = ErrorRule(tolerance)(STEPS)

    assert chosen.rank == rank
    assert chosen.tolerance == tolerance
    assert chosen.max_error <= tolerance


@pytest.mark.parametrize(
    ("trace", "rank"), [(0.0, 3), (0.9, 3), (1.0, 2), (2.9, 2), (3.0, 1), (7.0, 0), (9.0, 0)]
)
def test_traces_step_where_a_tail_is_reached(trace, rank):
    chosen = TraceRule(trace)(STEPS)

    assert chosen.rank == rank
    assert chosen.discarded <= trace
    assert chosen.tolerance == trace


@given(weights, st.floats(0, 100))
def test_no_lower_rank_would_do(values, asked):
    spectrum = spectrum_of(values)
    for rule, costs in ((ErrorRule, spectrum.max_error), (TraceRule, spectrum.discarded)):
        rank = rule(asked)(spectrum).rank
        assert costs[rank] <= asked
        assert rank == 0 or costs[rank - 1] > asked
    if asked > 0:
        scan = next(r for r in range(len(values) + 1) if spectrum.discarded[r] <= asked)
        rule = CertificateRule(asked, lambda rank: float(spectrum.discarded[rank]))
        assert rule(spectrum).rank == scan


@given(weights)
def test_a_spectrum_bounds_what_is_cut_from_a_matrix(values):
    """Element and trace of the residual of a random matrix with these eigenvalues."""
    size = len(values)
    turn = np.linalg.qr(np.random.default_rng(size).standard_normal((size, size)))[0]
    spectrum = spectrum_of(values)
    for rank in range(size + 1):
        rest = (turn[:, rank:] * values[rank:]) @ turn[:, rank:].T
        # sums of `size` products of numbers of at most ten
        rounding = 40 * (size + 1) * np.finfo(float).eps * 10
        cut = spectrum.cut(rank, tolerance=1.0)
        assert np.abs(rest).max(initial=0.0) <= cut.max_error + rounding
        assert abs(np.trace(rest) - cut.discarded) <= rounding * (size + 1)


def test_what_was_lost_before_counts():
    spectrum = spectrum_of(np.array([4.0, 2.0, 1.0]), discarded=0.5, max_error=0.25)

    assert TraceRule(1.5)(spectrum).discarded == 1.5
    assert ErrorRule(1.25)(spectrum).rank == 2
    with pytest.raises(InputError, match=r"All 3 terms leave a trace of 5\.0e-01"):
        TraceRule(0.4)(spectrum)
    with pytest.raises(InputError, match=r"All 3 terms leave an error of 2\.5e-01"):
        ErrorRule(0.2)(spectrum)


def test_the_largest_gap():
    assert GapRule()(spectrum_of(np.array([5.0, 4.0, 3.0, 1e-4, 9e-5, 1e-20]))).rank == 3
    assert GapRule(least=4)(spectrum_of(np.array([5.0, 4.0, 3.0, 1e-4, 9e-5, 1e-7]))).rank == 5
    assert GapRule()(spectrum_of(np.array([1.0]))).rank == 1
    assert GapRule()(spectrum_of(np.zeros(4))).rank == 0
    assert GapRule()(spectrum_of(np.zeros(0))).rank == 0


@pytest.mark.parametrize("penalty", [akaike, minimum_description_length])
def test_information_finds_the_signals_in_noise(penalty, rng):
    """Three strong directions in 400 samples of 12 numbers with noise of variance one."""
    signals = rng.standard_normal((400, 3)) * [6.0, 5.0, 4.0]
    frame = np.linalg.qr(rng.standard_normal((12, 12)))[0][:3]
    data = signals @ frame + rng.standard_normal((400, 12))
    values = np.linalg.eigvalsh(data.T @ data / 400)[::-1]
    rank = InformationRule(400, penalty=penalty)(spectrum_of(values)).rank

    # the description length is consistent; Akaike's criterion keeps one or two more at times
    assert rank == 3 if penalty is minimum_description_length else 3 <= rank <= 5


def test_information_keeps_everything_where_there_is_no_noise():
    smooth = spectrum_of(10.0 ** -np.arange(12.0))

    assert InformationRule(100, penalty=minimum_description_length)(smooth).rank == 11


@pytest.mark.parametrize(("rows", "columns"), [(40, 30), (20, 20), (7, 100)])
@pytest.mark.parametrize("rank", [0, 1, 3])
def test_akaike_finds_the_rank_of_a_noisy_matrix(rng, rows, columns, rank):
    """Nine of ten or more: the criterion keeps one more at times, as it is known to do."""
    found = []
    for _ in range(20):
        signal = rng.standard_normal((rows, rank)) @ rng.standard_normal((rank, columns))
        noisy = signal + 0.1 * rng.standard_normal((rows, columns))
        squares = np.linalg.svd(noisy, compute_uv=False) ** 2
        found.append(AkaikeRule(rows, columns)(spectrum_of(squares)).rank)
    assert min(found) >= rank
    assert max(found) <= rank + 1
    assert np.median(found) == rank


def test_akaike_without_noise(rng):
    matrix = rng.standard_normal((9, 2)) @ rng.standard_normal((2, 7))
    squares = np.linalg.svd(matrix, compute_uv=False) ** 2
    chosen = AkaikeRule(9, 7)(spectrum_of(squares))
    assert chosen.rank == 2
    assert chosen.discarded <= 1e-25 * squares[0]
    assert AkaikeRule(9, 7)(spectrum_of(np.zeros(7))).rank == 0
    assert AkaikeRule(1, 1)(spectrum_of(np.ones(1))).rank == 0


def test_akaike_counts_parameters_as_the_definition_says(rng):
    """The criterion by the formula, term by term."""
    rows, columns = 12, 8
    values = np.sort(rng.uniform(0.1, 3.0, columns))[::-1]
    size = rows * columns
    costs = []
    for rank in range(columns + 1):
        p = rank * (rows + columns - rank)
        if p < size - 1:
            costs.append(size * np.log(values[rank:].sum()) + 2 * p * size / (size - p - 1))
    assert AkaikeRule(rows, columns)(spectrum_of(values)).rank == int(np.argmin(costs))


def test_bad_input():
    rising = Spectrum(np.array([1.0, 2.0]), np.array([3.0, 2.0, 0.0]), np.zeros(3))
    for call, message in (
        (lambda: ErrorRule(-1.0), "tolerance must be at least 0"),
        (lambda: ErrorRule(float("nan")), "tolerance must be finite"),
        (lambda: TraceRule(-1.0), "trace must be at least 0; got -1"),
        (lambda: CertificateRule(0.0, lambda _: 0.0), "target must be above 0"),
        (lambda: CertificateRule(1.0, lambda _: 2.0)(STEPS), r"All 3 terms prove 2\.0e\+00"),
        (lambda: GapRule(least=-1), "least must be at least 0"),
        (lambda: InformationRule(0, penalty=akaike), "samples must be at least 1"),
        (lambda: AkaikeRule(0, 3), "rows must be at least 1"),
        (lambda: AkaikeRule(3, 0), "columns must be at least 1"),
        (lambda: AkaikeRule(2, 2)(STEPS), "has at most 2 singular values; got 3"),
        (lambda: AkaikeRule(2, 2)(rising), "Akaike's criterion needs weights"),
        (lambda: GapRule()(rising), "A gap needs weights by falling size"),
        (lambda: InformationRule(9, penalty=akaike)(rising), "An information criterion needs"),
        (lambda: spectrum_of(np.array([-1.0])), "weights must be at least 0"),
        (lambda: Spectrum(np.zeros(2), np.zeros(2), np.zeros(3)), "discarded must have shape"),
    ):
        with pytest.raises(InputError, match=message):
            call()
