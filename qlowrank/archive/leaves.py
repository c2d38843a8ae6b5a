# SPDX-License-Identifier: Apache-2.0
"""Values that are one dataset: numbers, truth values, texts, arrays, tuples of numbers."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, get_args, get_origin

import numpy as np

from qlowrank import checks
from qlowrank.checks import InputError


@dataclass(frozen=True)
class Leaf:
    """How one type becomes an array of the format, and back."""

    pack: Callable[[Any], np.ndarray]
    """Returns an array in one of the format's types."""
    unpack: Callable[[np.ndarray], Any]
    """Returns the value; refuses an array of another type or shape."""
    dtype: str
    """Type of an array without entries, in NumPy's spelling."""
    units: str = "1"
    """Unit where the field does not name one."""
    scalar: bool = True
    """Whether it has no axes."""


def _expect(data: np.ndarray, dtype: str, ndim: int | None) -> np.ndarray:
    """Refuse an array of another type or number of axes."""
    if data.dtype.str != dtype if dtype != "|S1" else data.dtype.kind != "S":
        raise InputError(f"the type must be {np.dtype(dtype)}; the file has {data.dtype}.")
    if ndim is not None and data.ndim != ndim:
        raise InputError(f"the number of axes must be {ndim}; the file has shape {data.shape}.")
    return data


def _pack_text(value: Any) -> np.ndarray:
    if not isinstance(value, str):
        raise InputError(f"a text is expected; got {value!r:.60}.")
    if "\0" in value:
        raise InputError(f"a text must not contain NUL characters; got {value!r:.60}.")
    return np.array(value.encode("utf-8"))


def _pack_array(value: Any) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind == "b":
        return array.astype("|u1")
    if array.dtype.kind in "iu" and np.can_cast(array.dtype, np.int64):
        return array.astype("<i8")
    if array.dtype.kind == "f" and np.can_cast(array.dtype, np.float64):
        return array.astype("<f8")
    raise InputError(f"arrays of type {array.dtype} cannot be saved; use float64, int64 or bool.")


def _unpack_array(data: np.ndarray) -> np.ndarray:
    if data.dtype.str not in ("<f8", "<i8", "|u1"):
        raise InputError(f"the type must be float64, int64 or uint8; the file has {data.dtype}.")
    array = data.astype(bool) if data.dtype.str == "|u1" else data
    array.flags.writeable = False
    return array


NUMBER = Leaf(
    pack=lambda value: np.array(checks.finite("it", value), dtype="<f8"),
    unpack=lambda data: checks.finite("it", _expect(data, "<f8", 0)[()]),
    dtype="<f8",
)
INTEGER = Leaf(
    pack=lambda value: np.array(operator.index(value), dtype="<i8"),
    unpack=lambda data: int(_expect(data, "<i8", 0)[()]),
    dtype="<i8",
)
TRUTH = Leaf(
    pack=lambda value: np.array(bool(value), dtype="|u1"),
    unpack=lambda data: bool(_expect(data, "|u1", 0)[()]),
    dtype="|u1",
)
TEXT = Leaf(
    pack=_pack_text,
    unpack=lambda data: bytes(_expect(data, "|S1", 0)[()]).decode("utf-8"),
    dtype="|S1",
    units="none",
)
REAL_ARRAY = Leaf(
    pack=lambda value: np.asarray(value, dtype="<f8"),
    unpack=lambda data: _unpack_array(_expect(data, "<f8", None)),
    dtype="<f8",
    scalar=False,
)
ARRAY = Leaf(pack=_pack_array, unpack=_unpack_array, dtype="<i8", scalar=False)

_LEAVES: dict[Any, Leaf] = {
    float: NUMBER,
    int: INTEGER,
    bool: TRUTH,
    str: TEXT,
    np.ndarray: ARRAY,
}


def leaf_of(hint: Any) -> Leaf | None:
    """Return how a type becomes one dataset, or None where it does not."""
    if get_origin(hint) is np.ndarray:
        (element,) = get_args(get_args(hint)[1])
        return REAL_ARRAY if element is np.float64 else ARRAY
    return _LEAVES.get(hint) if isinstance(hint, type) else None


def row_of(leaf: Leaf, length: int | None) -> Leaf:
    """Return how a tuple of such scalars becomes one dataset; `length` None is any length."""

    def pack(value: Any) -> np.ndarray:
        items = [leaf.pack(item) for item in value]
        return np.stack(items) if items else np.zeros(0, dtype=leaf.dtype)

    def unpack(data: np.ndarray) -> tuple[Any, ...]:
        _expect(data, leaf.dtype, 1)
        if length is not None and len(data) != length:
            raise InputError(f"{length} values are expected; the file has {len(data)}.")
        return tuple(leaf.unpack(np.asarray(item)) for item in data)

    return replace(leaf, pack=pack, unpack=unpack, scalar=False)
