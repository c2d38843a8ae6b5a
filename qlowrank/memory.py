# SPDX-License-Identifier: Apache-2.0
"""What the machine's memory holds: how much is left, and what may go."""

import ctypes
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_REUSED = 2**25 - 2**13
"""Bytes; glibc's limit, less what it adds to an array."""


def available_memory() -> int:
    """Bytes of memory that this machine could still give."""
    try:
        with Path("/proc/meminfo").open(encoding="ascii") as lines:
            fields = dict(line.split(":", 1) for line in lines)
        return 1024 * int(fields["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def in_file(array: NDArray[Any]) -> bool:
    """Tell whether an array is a view of a file."""
    return _file_of(array) is not None


def forget(array: NDArray[Any]) -> None:
    """Let the pages of an array that is a view of a file go; they come back when they are read."""
    file = _file_of(array)
    if file is not None and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)


def use_large_pages(array: NDArray[Any]) -> None:
    """Have the kernel bring an array that is a view of a file by large pages, where it has them.

    Else it brings some pages of 4 kB for each number that is asked for, and what was not written in
    the file's own order stays in such pages: passes take several times as long.
    """
    file = _file_of(array)
    if file is not None and hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel that was built without
            file.madvise(mmap.MADV_HUGEPAGE)


def _file_of(array: NDArray[Any]) -> mmap.mmap | None:
    """Return the mapped file that an array is a view of, if it is one."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


@contextmanager
def reused_memory() -> Iterator[None]:
    """Have glibc use memory again that was freed inside, and return it to the system at the end.

    At first it returns an array of more than 128 kB to the system as soon as it is freed, so that a
    loop's next one is zeroed once more, page by page. The largest array it lets go like that sets a
    new limit, up to 32 MB.
    """
    np.empty(LARGEST_REUSED, dtype=np.uint8)
    try:
        yield
    finally:
        give_back()


def give_back() -> None:
    """Return memory that was freed to the system; glibc would keep it for each thread."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:  # glibc alone has it
        trim(0)
