# SPDX-License-Identifier: Apache-2.0
"""One dataset of an archive: what it is called, what it holds, how it is written and read."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from qlowrank.archive.format import CHUNK_BYTES
from qlowrank.checks import InputError

DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError)
"""What h5py raises when the bytes of a file make no sense."""


@dataclass(frozen=True, eq=False, slots=True)
class Entry:
    """One dataset before it is written."""

    path: str
    """Where it goes in the file, such as "hamiltonian/factors"."""
    data: np.ndarray | None
    """What it holds, in one of the types of the format; None for nothing."""
    units: str
    """Unit of the numbers; "1" for pure numbers, "none" for texts."""
    axes: str
    """Names of the axes, separated by commas."""


def digest(data: np.ndarray | None) -> str:
    """Return the SHA-256 of an array's type, shape and bytes.

    >>> digest(np.zeros(2)) == hashlib.sha256(b"<f8(2,)" + bytes(16)).hexdigest()
    True
    """
    if data is None:
        return hashlib.sha256(b"null").hexdigest()
    summary = hashlib.sha256(f"{data.dtype.str}{data.shape}".encode("ascii"))
    summary.update(np.ascontiguousarray(data).reshape(-1).view(np.uint8).data)
    return summary.hexdigest()


def content_digest(digests: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256 over (path, digest) of all datasets, whatever order they come in."""
    lines = "".join(f"{path} {value}\n" for path, value in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def chunk_shape(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return chunks of at most about `CHUNK_BYTES`, trailing axes whole where they fit.

    >>> chunk_shape((1000, 54, 54), 8)
    (44, 54, 54)
    """
    left = max(CHUNK_BYTES // itemsize, 1)
    chunks: list[int] = []
    for length in reversed(shape):
        chunks.append(max(1, min(length, left)))
        left = max(left // chunks[-1], 1)
    return tuple(reversed(chunks))


def write(file: Any, entry: Entry) -> str:
    """Write one dataset with its attributes and return its digest."""
    import h5py

    data = entry.data
    if data is None:
        dataset = file.create_dataset(entry.path, data=h5py.Empty("<f8"))
    else:
        filters: dict[str, Any] = {}
        if data.ndim and data.size:
            filters = {
                "chunks": chunk_shape(data.shape, data.dtype.itemsize),
                "shuffle": True,
                "compression": "gzip",
                "compression_opts": 4,
                "fletcher32": True,
            }
        if data.dtype.kind == "S":
            stored = data.astype(h5py.string_dtype("utf-8", data.dtype.itemsize))
        else:
            stored = data
        dataset = file.create_dataset(entry.path, data=stored, track_times=False, **filters)
    value = digest(data)
    for name, text in (("units", entry.units), ("axes", entry.axes), ("sha256", value)):
        dataset.attrs[name] = text
    dataset.flush()  # now, not when the last reference to it goes: the file's layout depends on it
    return value


def is_null(dataset: Any) -> bool:
    """Tell whether a dataset, or the array a migration put in its place, is None."""
    return dataset is None or dataset.shape is None


@dataclass(frozen=True, eq=False, slots=True)
class Store:
    """The datasets of an open archive, read when asked for."""

    datasets: dict[str, Any]
    """h5py datasets by path; arrays where a migration computed them, None for nothing."""

    def find(self, path: str) -> Any:
        """Return the dataset at a path, unread."""
        if path not in self.datasets:
            raise InputError(
                f"the dataset {path} is missing; the file is incomplete, or not written by "
                "qlowrank. Make it anew."
            )
        return self.datasets[path]

    def read(self, path: str, rows: slice | None = None) -> np.ndarray:
        """Return the array at a path, or some of its rows."""
        dataset = self.find(path)
        if is_null(dataset):
            raise InputError(f"the dataset {path} holds nothing, where values are expected.")
        try:
            return np.asarray(dataset[() if rows is None else rows])
        except DAMAGE as error:
            raise InputError(
                f"the archive is corrupted: dataset {path} cannot be read ({error}). Restore the "
                "file from a copy, or make it anew."
            ) from error
