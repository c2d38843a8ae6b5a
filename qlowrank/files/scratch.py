# SPDX-License-Identifier: Apache-2.0
"""Arrays that do not fit into memory: in a scratch HDF5 file, mapped as if they did."""

import errno
import mmap
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from qlowrank.checks import Array, InputError
from qlowrank.files.atomic import FULL
from qlowrank.memory import available_memory, use_large_pages

HEADER = 4096
"""Bytes, more than HDF5 writes around one contiguous dataset."""


def array_for(
    shape: tuple[int, ...], max_memory: float | None = None, folder: Path | None = None
) -> Array:
    """Return an empty array of float64: in memory where it fits, else in a scratch file.

    Args:
        shape: Of the array.
        max_memory: Bytes it may take in memory; half of what is free by default.
        folder: For the scratch file.
    """
    limit = available_memory() / 2 if max_memory is None else max_memory
    if 8 * int(np.prod(shape)) <= limit:
        return np.empty(shape)
    return scratch_array(shape, folder)


def scratch_array(shape: tuple[int, ...], folder: Path | None = None) -> Array:
    """Return an array of float64 that lives in a file, and only as long as the array does.

    The file loses its name at once, so nothing is left behind even by a killed process. All of its
    space is claimed before anything is written: a disk that is too full says so here, not later.

    Args:
        shape: Of the array.
        folder: Where the file goes; the system's folder for temporary files by default.

    Raises:
        OSError: There is no room for it, or no file may be written there.
    """
    place = Path(tempfile.gettempdir()) if folder is None else folder
    descriptor, name = tempfile.mkstemp(prefix="qlowrank-", suffix=".h5", dir=place)
    path = Path(name)
    try:
        return mapped_array(path, shape)
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def mapped_array(path: Path, shape: tuple[int, ...]) -> Array:
    """Make an HDF5 file with one contiguous dataset, `array`, and map it.

    Raises:
        OSError: There is no room for it.
    """
    import h5py

    size = 8 * int(np.prod(shape))
    _claim(path, 0, size + HEADER)  # HDF5 is not to find out that the disk is full
    with h5py.File(path, "w") as file:
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple(shape)
        dataset = h5py.h5d.create(file.id, b"array", h5py.h5t.IEEE_F64LE, space, layout)
        offset = dataset.get_offset()
    if not size:
        return np.empty(shape)
    _claim(path, offset, size)
    return _mapped(path, offset, shape)


def reopened(path: Path, shape: tuple[int, ...]) -> Array:
    """Map the array of a file that `mapped_array` made earlier.

    Raises:
        InputError: The file does not hold an array of this shape.
    """
    import h5py

    with h5py.File(path, "r") as file:
        dataset = file["array"]
        if dataset.shape != shape:
            raise InputError(f"{path} holds an array of shape {dataset.shape}, not {shape}.")
        offset = dataset.id.get_offset()
    return np.empty(shape) if offset is None else _mapped(path, offset, shape)


def _mapped(path: Path, offset: int, shape: tuple[int, ...]) -> Array:
    """Map the array in a file."""
    array = np.memmap(path, dtype="<f8", mode="r+", offset=offset, shape=shape)
    use_large_pages(array)
    return array


def to_disk(array: Array) -> None:
    """Wait until what was written to a mapped array, or to a view of it, is on the disk."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.flush()


def _claim(path: Path, offset: int, size: int) -> None:
    """Reserve the dataset's bytes on the disk."""
    if not hasattr(os, "posix_fallocate"):
        return
    with path.open("ab") as file:
        try:
            os.posix_fallocate(file.fileno(), offset, size)
        except OSError as error:
            if error.errno not in (*FULL, errno.EINVAL):
                raise
            raise OSError(
                error.errno,
                f"There is no room for {size / 1e9:.2f} GB of scratch in {path.parent} "
                f"({os.strerror(error.errno)}). Free some space, set TMPDIR to a larger disk, or "
                "raise max_memory.",
            ) from error
