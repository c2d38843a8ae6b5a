# SPDX-License-Identifier: Apache-2.0
"""What every room asks of its input, and the two errors a caller may want to catch."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlowrank.memory import available_memory, forget

Array = NDArray[np.float64]


SLICE = 2**20
"""Numbers looked at at a time."""


class InputError(ValueError):
    """The input cannot be used; the message says what was expected, what came and what to do."""


class NotConvergedError(RuntimeError):
    """An iteration stopped before it converged.

    Args:
        message: What did not converge, how far it came and what to do.
        best: The best result so far, or None where nothing usable was reached.
    """

    def __init__(self, message: str, best: Any = None) -> None:
        super().__init__(message)
        self.best = best


def readonly(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Return a read-only float64 view of `value`, or say which entry or axis is wrong."""
    try:
        if np.iscomplexobj(value):
            raise InputError(
                f"{name} must be real; got complex numbers. qlowrank works with real orbitals: "
                "rotate to real orbitals first."
            )
        array = np.asarray(value, dtype=np.float64)
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be an array of real numbers; got {value!r:.60}.") from error
    if array.shape != shape:
        raise InputError(f"{name} must have shape {shape}; got {array.shape}.")
    bad = _count_unusable(array)
    if bad:
        raise InputError(f"{name} has {bad} entries that are nan or inf; all must be finite.")
    view = array.view()
    view.flags.writeable = False
    return view


def _count_unusable(array: Array) -> int:
    """Count entries that are nan or inf, a few megabytes at a time."""
    bad, rows = 0, len(array) if array.ndim else 1
    step = max(1, SLICE * rows // max(array.size, 1))
    for start in range(0, rows, step):
        part = array[start : start + step] if array.ndim else array
        bad += int(part.size - np.count_nonzero(np.isfinite(part)))
        forget(array)
    return bad


def symmetric(name: str, value: ArrayLike, norb: int) -> Array:
    """Return a read-only view of a symmetric `(norb, norb)` matrix, or say how asymmetric it is."""
    matrix = readonly(name, value, (norb, norb))
    if norb:
        gap = float(np.abs(matrix - matrix.T).max())
        if gap > 1e-8 * max(1.0, float(np.abs(matrix).max())):
            raise InputError(
                f"{name} must be symmetric; it differs from its transpose by up to {gap:.2e}."
            )
    return matrix


def finite(name: str, value: Any) -> float:
    """Return `value` as a finite float, or say what came."""
    try:
        if np.iscomplexobj(value):
            raise TypeError("complex")
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be a real number; got {value!r:.60}.") from error
    if not np.isfinite(number):
        raise InputError(f"{name} must be finite; got {number}.")
    return number


def whole(name: str, value: Any) -> int:
    """Return `value` as an integer, or say what came; 2.0 will do, 2.5 will not."""
    try:
        number = int(value)
        exact = bool(number == value)
    except (TypeError, ValueError, OverflowError):
        exact = False
    if not exact:
        raise InputError(f"{name} must be a whole number; got {value!r:.60}.")
    return number


def counts(name: str, value: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return a read-only copy of whole numbers that are at least zero, or say what came."""
    array = np.asarray(value)
    if array.shape != shape:
        raise InputError(f"{name} must have shape {shape}; got {array.shape}.")
    with np.errstate(invalid="ignore"):
        whole_numbers = np.array(array, dtype=np.int64)
    if (whole_numbers != array).any() or (whole_numbers < 0).any():
        raise InputError(
            f"{name} must be whole numbers, at least 0; got {array.min():g} to {array.max():g}."
        )
    whole_numbers.flags.writeable = False
    return whole_numbers


def tolerance(value: Any) -> float:
    """Return a tolerance in Hartree: zero or more, never nan."""
    number = finite("tolerance", value)
    if number < 0:
        raise InputError(f"tolerance must be at least 0 Hartree; got {number:g}.")
    return number


def positive(name: str, value: Any) -> float:
    """Return `value` as a finite float above zero."""
    number = finite(name, value)
    if number <= 0:
        raise InputError(f"{name} must be above 0; got {number:g}.")
    return number


def electrons(nelec: Any, norb: int) -> tuple[int, int]:
    """Return `(n_alpha, n_beta)` as integers that fit into `norb` orbitals."""
    try:
        n_alpha, n_beta = (int(n) for n in nelec)
        exact = (n_alpha, n_beta) == tuple(nelec)
    except (TypeError, ValueError, OverflowError):
        exact = False
    if not exact:
        raise InputError(f"nelec must be two integers (n_alpha, n_beta); got {nelec!r:.60}.")
    if not (0 <= n_alpha <= norb and 0 <= n_beta <= norb):
        raise InputError(
            f"nelec must put 0 to {norb} electrons of each spin into {norb} orbitals; "
            f"got ({n_alpha}, {n_beta})."
        )
    return n_alpha, n_beta


def fits(what: str, needed: float, limit: float | None, remedy: str) -> None:
    """Refuse work that needs more than `limit` bytes (None: what the machine has left)."""
    bound = available_memory() if limit is None else positive("max_memory", limit)
    if needed > bound:
        raise InputError(
            f"{what} needs {_bytes(needed)} of memory, and the limit is {_bytes(bound)}. {remedy}"
        )


def _bytes(number: float) -> str:
    """Write a number of bytes for people."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= size:
            return f"{number / size:.2f} {unit}"
    return f"{number:.0f} bytes"
