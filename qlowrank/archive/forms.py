# SPDX-License-Identifier: Apache-2.0
"""How a value of each declared type is stored: one form a type, each able to write and to read.

A leaf is one dataset. Composites (records, stacks of records, tuples of arrays, optional values)
are made of leaves; `form_of` finds the form of a field from its type hint, so that a new record
needs no code of its own here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Protocol, Union, get_args, get_origin, get_type_hints

import numpy as np

from qlowrank.archive import leaves
from qlowrank.archive.datasets import Entry, Store, is_null
from qlowrank.archive.kinds import ROW_AXES
from qlowrank.archive.leaves import Leaf
from qlowrank.checks import InputError

NO_LABEL: Mapping[str, str] = MappingProxyType({})


class Form(Protocol):
    """How values of one type are stored."""

    def entries(self, path: str, value: Any, label: Mapping[str, str]) -> Iterator[Entry]:
        """Yield the datasets that hold `value`; `label` has the field's units and axes."""
        ...

    def value(self, store: Store, path: str) -> Any:
        """Read the value back."""
        ...


@dataclass(frozen=True)
class Single:
    """A value that is one dataset."""

    leaf: Leaf

    def entries(self, path: str, value: Any, label: Mapping[str, str]) -> Iterator[Entry]:
        """Yield the one dataset."""
        with _at(path):
            data = self.leaf.pack(value)
        yield Entry(path, data, label.get("units", self.leaf.units), label.get("axes", ""))

    def value(self, store: Store, path: str) -> Any:
        """Read the dataset."""
        data = store.read(path)
        with _at(path):
            return self.leaf.unpack(data)


@dataclass(frozen=True)
class Optional:
    """A value or None, which is a null dataset."""

    form: Form

    def entries(self, path: str, value: Any, label: Mapping[str, str]) -> Iterator[Entry]:
        """Yield the value's datasets, or the null dataset."""
        if value is None:
            yield Entry(path, None, label.get("units", "none"), "")
        else:
            yield from self.form.entries(path, value, label)

    def value(self, store: Store, path: str) -> Any:
        """Read the value, or None."""
        if path in store.datasets and is_null(store.datasets[path]):
            return None
        return self.form.value(store, path)


@dataclass(frozen=True)
class Record:
    """A dataclass: one member a field."""

    cls: type

    def entries(self, path: str, value: Any, label: Mapping[str, str]) -> Iterator[Entry]:  # noqa: ARG002
        """Yield the datasets of all fields; None where that is the default takes none."""
        for name, form, metadata in fields_of(self.cls):
            item = getattr(value, name)
            if item is not None or name not in with_default(self.cls):
                yield from form.entries(f"{path}/{name}", item, metadata)

    def value(self, store: Store, path: str) -> Any:
        """Read all fields and let the record's own constructor check them.

        A field that the file does not have, such as one younger than it, takes its default.
        """
        values = {
            name: form.value(store, f"{path}/{name}")
            for name, form, _ in fields_of(self.cls)
            if not (name in with_default(self.cls) and _absent(store, f"{path}/{name}"))
        }
        with _at(path):
            return self.cls(**values)


@dataclass(frozen=True)
class Stack:
    """A tuple of records whose fields are single datasets: one stacked dataset a field."""

    cls: type

    def entries(self, path: str, value: Any, label: Mapping[str, str]) -> Iterator[Entry]:  # noqa: ARG002
        """Yield one dataset a field, with a leading axis over the records."""
        for name, form, metadata in fields_of(self.cls):
            leaf = _leaf(self.cls, name, form)
            axes = [ROW_AXES.get(self.cls, "row"), *filter(None, [metadata.get("axes", "")])]
            with _at(f"{path}/{name}"):
                rows = [leaf.pack(getattr(record, name)) for record in value]
                data = _stacked(rows, leaf, len(",".join(axes).split(",")))
            yield Entry(f"{path}/{name}", data, metadata.get("units", leaf.units), ",".join(axes))

    def value(self, store: Store, path: str) -> Any:
        """Read every stack once and build the records from their rows."""
        members = fields_of(self.cls)
        columns = {name: store.read(f"{path}/{name}") for name, _, _ in members}
        lengths = {name: len(column) if column.ndim else -1 for name, column in columns.items()}
        if len(set(lengths.values())) != 1 or -1 in lengths.values():
            raise InputError(f"{path}: all fields must have as many rows; they have {lengths}.")
        unpack = {name: _leaf(self.cls, name, form).unpack for name, form, _ in members}
        with _at(path):
            return tuple(
                self.cls(**{n: unpack[n](np.asarray(column[row])) for n, column in columns.items()})
                for row in range(max(lengths.values()))
            )


@dataclass(frozen=True)
class Arrays:
    """A tuple of arrays of different shapes: numbered datasets and their number."""

    leaf: Leaf
    length: int | None

    def entries(self, path: str, value: Any, label: Mapping[str, str]) -> Iterator[Entry]:
        """Yield the length and the arrays."""
        yield from Single(leaves.INTEGER).entries(f"{path}/length", len(value), NO_LABEL)
        for position, array in enumerate(value):
            yield from Single(self.leaf).entries(f"{path}/{position}", array, label)

    def value(self, store: Store, path: str) -> Any:
        """Read all arrays."""
        length = Single(leaves.INTEGER).value(store, f"{path}/length")
        if self.length is not None and length != self.length:
            raise InputError(f"{path} must hold {self.length} arrays; it says {length}.")
        return tuple(Single(self.leaf).value(store, f"{path}/{i}") for i in range(length))


@cache
def fields_of(cls: type) -> tuple[tuple[str, Form, Mapping[str, str]], ...]:
    """Return name, form and metadata of every field of a record type."""
    hints = get_type_hints(cls)
    return tuple((f.name, form_of(hints[f.name]), f.metadata) for f in fields(cls))


@cache
def with_default(cls: type) -> frozenset[str]:
    """Return the names of the fields that have a default."""
    return frozenset(f.name for f in fields(cls) if f.default is not MISSING)


def _absent(store: Store, path: str) -> bool:
    """Tell whether a file has nothing at a path or below."""
    return not any(name == path or name.startswith(f"{path}/") for name in store.datasets)


def form_of(hint: Any) -> Form:
    """Return the form of a type hint.

    Raises:
        TypeError: No form is known for it; it has to be added here before such a record is saved.
    """
    if get_origin(hint) in (Union, UnionType):
        options = [option for option in get_args(hint) if option is not NoneType]
        if len(options) == 1:
            return Optional(form_of(options[0]))
    elif get_origin(hint) is tuple:
        return _form_of_tuple(get_args(hint))
    elif _is_record(hint):
        return Record(hint)
    else:
        leaf = leaves.leaf_of(hint)
        if leaf is not None:
            return Single(leaf)
    raise TypeError(f"The archive has no form for {hint}; add one to qlowrank.archive.forms.")


def _is_record(hint: Any) -> bool:
    """Tell whether a type hint is a dataclass."""
    return isinstance(hint, type) and is_dataclass(hint)


def _form_of_tuple(items: tuple[Any, ...]) -> Form:
    """Return the form of `tuple[X, ...]` or of `tuple[X, X]`."""
    item = items[0]
    length = None if items[-1] is Ellipsis else len(items)
    if len({*items} - {Ellipsis}) == 1:
        leaf = leaves.leaf_of(item)
        if leaf is not None and leaf.scalar:
            return Single(leaves.row_of(leaf, length))
        if leaf is not None:
            return Arrays(leaf, length)
        if _is_record(item) and length is None:
            return Stack(item)
    raise TypeError(f"The archive has no form for tuples of {items}.")


def _leaf(cls: type, name: str, form: Form) -> Leaf:
    """Return the leaf of a field that can be stacked."""
    if not isinstance(form, Single):
        raise TypeError(f"{cls.__name__}.{name} is not one dataset, so it cannot be stacked.")
    return form.leaf


def _stacked(rows: list[np.ndarray], leaf: Leaf, n_axes: int) -> np.ndarray:
    """Return rows of equal shape as one array."""
    if not rows:
        return np.zeros((0,) * n_axes, dtype=leaf.dtype)
    shapes = sorted({row.shape for row in rows})
    if len(shapes) > 1:
        raise InputError(f"all must have one shape to be stored together; got {shapes[:3]}.")
    return np.stack(rows)


@contextmanager
def _at(path: str) -> Iterator[None]:
    """Say where in the file a value stands that cannot be used."""
    try:
        yield
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise InputError(f"{path}: {error}") from error
