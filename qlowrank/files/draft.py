# SPDX-License-Identifier: Apache-2.0
"""The file HDF5 writes to, which never tells HDF5 that the disk has failed.

HDF5 cannot close a file whose last writes fail: on a full disk it takes the whole process down
with a segmentation fault (seen with HDF5 2.0). So the failure is kept, what HDF5 still
wants to write is dropped, and the caller raises the failure once HDF5 is out of the way. The same
holds for an interrupt that arrives while HDF5 is writing.
"""

import os
from pathlib import Path


class Draft:
    """A new file, open for reading and writing, as h5py wants file objects."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
        self._position = 0
        self._failure: BaseException | None = None

    def check(self) -> None:
        """Raise what has failed, if anything has."""
        if self._failure is not None:
            raise self._failure

    def write(self, data: memoryview) -> int:
        """Write all of `data`, or keep the reason why not."""
        size = len(data)
        try:
            left = data if self._failure is None else data[:0]
            while len(left):
                os.lseek(self._descriptor, self._position + size - len(left), os.SEEK_SET)
                left = left[os.write(self._descriptor, left) :]
        except BaseException as failure:  # noqa: BLE001 (raised by `check`)
            self._failure = failure
        self._position += size
        return size

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes."""
        try:
            os.lseek(self._descriptor, self._position, os.SEEK_SET)
            data = os.read(self._descriptor, size)
        except BaseException as failure:  # noqa: BLE001 (raised by `check`)
            self._failure = failure
            data = b""
        self._position += len(data)
        return data

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer` as far as the file goes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size()}
        self._position = start[whence] + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def truncate(self, size: int) -> int:
        """Set the length of the file."""
        try:
            if self._failure is None:
                os.ftruncate(self._descriptor, size)
        except BaseException as failure:  # noqa: BLE001 (raised by `check`)
            self._failure = failure
        return size

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def to_disk(self) -> None:
        """Wait until everything is on disk."""
        self.check()
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _size(self) -> int:
        return os.fstat(self._descriptor).st_size


_BINARY = getattr(os, "O_BINARY", 0)
"""Needed where the system would change line ends."""
