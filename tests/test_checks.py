# SPDX-License-Identifier: Apache-2.0
"""What comes in is refused in words, or passed on unchanged and read-only."""

import numpy as np
import pytest

from qlowrank import checks
from qlowrank.checks import InputError, NotConvergedError


def test_readonly_is_a_view():
    array = np.arange(6.0).reshape(2, 3)
    view = checks.readonly("x", array, (2, 3))
    assert np.shares_memory(view, array)
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0] = 1.0
    array[0, 0] = 7.0  # the caller's stays writable
    assert view[0, 0] == 7.0


def test_readonly_converts():
    view = checks.readonly("x", [[1, 2]], (1, 2))
    assert view.dtype == np.float64
    np.testing.assert_array_equal(view, [[1.0, 2.0]])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.0, 2.0], r"^x must have shape \(3,\); got \(2,\)\.$"),
        (np.zeros((3, 1)), r"x must have shape \(3,\); got \(3, 1\)"),
        ([1.0, np.nan, np.inf], r"x has 2 entries that are nan or inf"),
        ([1.0, 2.0, 3.0j], r"x must be real; got complex numbers.*rotate to real orbitals"),
        (np.zeros(3, complex), r"x must be real"),
        (["a", "b", "c"], r"x must be an array of real numbers; got \['a'"),
        ([[1.0], [1.0, 2.0], []], r"x must be an array of real numbers"),
        (None, r"x must have shape \(3,\); got \(\)"),
        ({"a": 1}, r"x must be an array of real numbers; got \{'a': 1\}"),
    ],
)
def test_readonly_refuses(value, message):
    with pytest.raises(InputError, match=message):
        checks.readonly("x", value, (3,))


def test_symmetric():
    """Up to 1e-8 of the largest element, or of 1 where all are smaller."""
    for scale in (1e-3, 1.0, 100.0):
        allowed = 1e-8 * max(1.0, scale)
        good = np.array([[0.0, scale], [scale - 0.9 * allowed, 0.0]])
        assert checks.symmetric("h", good, 2)[0, 1] == scale
        good[1, 0] = scale - 1.1 * allowed
        with pytest.raises(InputError, match=r"h must be symmetric; it differs.*by up to 1\.1"):
            checks.symmetric("h", good, 2)
    assert checks.symmetric("h", np.zeros((0, 0)), 0).shape == (0, 0)
    with pytest.raises(InputError, match=r"h must have shape \(2, 2\); got \(2, 3\)"):
        checks.symmetric("h", np.zeros((2, 3)), 2)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, r"^t must be finite; got nan\.$"),
        (-np.inf, "t must be finite; got -inf"),
        ("one", "t must be a real number; got 'one'"),
        (None, "t must be a real number; got None"),
        ([1.0], "t must be a real number"),
        (1 + 2j, "t must be a real number"),
        (np.complex128(1 + 2j), "t must be a real number"),
    ],
)
def test_finite_refuses(value, message):
    with pytest.raises(InputError, match=message):
        checks.finite("t", value)


def test_finite():
    assert checks.finite("t", np.float32(0.5)) == 0.5
    assert type(checks.finite("t", np.float64(1.0))) is float


@pytest.mark.parametrize("value", [2, 2.0, np.int64(2), np.float32(2)])
def test_whole(value):
    number = checks.whole("n", value)
    assert type(number) is int
    assert number == 2


@pytest.mark.parametrize("value", [2.5, "2", None, np.nan, np.inf, [2, 3], 2j])
def test_whole_refuses(value):
    with pytest.raises(InputError, match="n must be a whole number; got "):
        checks.whole("n", value)


def test_tolerance():
    assert checks.tolerance(0) == 0.0
    assert checks.tolerance(1e-300) == 1e-300
    with pytest.raises(InputError, match="tolerance must be at least 0 Hartree; got -1e-09"):
        checks.tolerance(-1e-9)
    with pytest.raises(InputError, match="tolerance must be finite; got nan"):
        checks.tolerance(np.nan)


def test_positive():
    assert checks.positive("p", 5e-324) == 5e-324
    for value in (0, -1.0):
        with pytest.raises(InputError, match="p must be above 0; got "):
            checks.positive("p", value)
    with pytest.raises(InputError, match="p must be finite"):
        checks.positive("p", np.nan)


@pytest.mark.parametrize("nelec", [(2, 1), [2, 1], np.array([2, 1]), (2.0, 1.0)])
def test_electrons(nelec):
    assert checks.electrons(nelec, 2) == (2, 1)
    assert all(type(n) is int for n in checks.electrons(nelec, 2))


def test_no_electrons_and_no_orbitals():
    assert checks.electrons((0, 0), 0) == (0, 0)


@pytest.mark.parametrize(
    "nelec", [3, None, "21", (2,), (1, 1, 1), (1.5, 1), (np.nan, 1), (np.inf, 1), ((1, 1), 1)]
)
def test_electrons_must_be_two_integers(nelec):
    with pytest.raises(InputError, match=r"nelec must be two integers \(n_alpha, n_beta\); got "):
        checks.electrons(nelec, 2)


@pytest.mark.parametrize("nelec", [(3, 0), (0, 3), (-1, 1), (1, -1)])
def test_electrons_must_fit(nelec):
    with pytest.raises(InputError, match=r"0 to 2 electrons of each spin into 2 orbitals; got \("):
        checks.electrons(nelec, 2)


def test_fits():
    checks.fits("It", 80, 80, "Ask for less.")
    with pytest.raises(
        InputError, match=r"^It needs 81 bytes of memory, and the limit is 80 bytes\. Ask for less"
    ):
        checks.fits("It", 81, 80, "Ask for less.")


@pytest.mark.parametrize(
    ("needed", "words"),
    [(1e3, "1.00 kB"), (2.5e6, "2.50 MB"), (63.123e9, "63.12 GB"), (4e15, "4000.00 TB")],
)
def test_sizes_in_words(needed, words):
    with pytest.raises(InputError, match=f"It needs {words} of memory"):
        checks.fits("It", needed, 1, "")


@pytest.mark.parametrize("limit", [0, -5, np.nan, "many"])
def test_bad_limits(limit):
    with pytest.raises(InputError, match="max_memory must be "):
        checks.fits("It", 1, limit, "")


def test_the_machine_is_the_limit(monkeypatch):
    monkeypatch.setattr(checks, "available_memory", lambda: 1000)
    checks.fits("It", 1000, None, "")
    with pytest.raises(InputError, match=r"needs 1\.00 kB of memory, and the limit is 1\.00 kB"):
        checks.fits("It", 1001, None, "")


def test_errors_are_what_callers_catch():
    assert issubclass(InputError, ValueError)
    error = NotConvergedError("no luck", best=3)
    assert isinstance(error, RuntimeError)
    assert error.best == 3
    assert NotConvergedError("no luck").best is None
