# SPDX-License-Identifier: Apache-2.0
"""Opening an archive, and saying in words why a file is not one."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qlowrank.archive.datasets import DAMAGE, Store
from qlowrank.archive.format import FORMAT, SCHEMA_VERSION
from qlowrank.archive.migrations import up_to_date
from qlowrank.checks import InputError

BUSY = (errno.EAGAIN, errno.EACCES)
"""What the system says when another process holds the lock."""


@dataclass(frozen=True, eq=False, slots=True)
class OpenArchive:
    """An archive while its file is open."""

    attributes: dict[str, Any]
    """Root attributes."""
    stored: dict[str, Any]
    """Datasets by path, as they are in the file."""
    store: Store
    """Datasets by path, as the present schema version lays them out."""


@contextmanager
def opened(path: Path) -> Iterator[OpenArchive]:
    """Open an archive of this or an earlier schema version for reading.

    Raises:
        FileNotFoundError: There is no such file.
        PermissionError: The file may not be read.
        InputError: It is a folder, empty, not an archive, damaged, or of a newer version.
        OSError: It is locked by another process.
    """
    _refuse_at_sight(path)
    file = _open(path)
    try:
        try:
            attributes = {name: _plain(value) for name, value in file.attrs.items()}
        except DAMAGE as error:
            raise _corrupted(path, error) from error
        version = _version(path, attributes)
        try:
            stored = _datasets(file)
        except DAMAGE as error:
            raise _corrupted(path, error) from error
        yield OpenArchive(attributes, stored, Store(up_to_date(stored, version)))
    finally:
        file.close()


def _refuse_at_sight(path: Path) -> None:
    """Refuse what can be seen without HDF5."""
    try:
        with path.open("rb") as file:
            start = file.read(1)
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; name the archive in it.") from None
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {path}; check its name.") from None
    except PermissionError:
        raise PermissionError(f"{path} may not be read; change its permissions.") from None
    if not start:
        raise InputError(f"{path} is an empty file, not an archive; make it anew.")


def _open(path: Path) -> Any:
    """Open the HDF5 file."""
    import h5py

    try:
        return h5py.File(path, "r")
    except DAMAGE as error:
        if "unable to lock" in str(error) or getattr(error, "errno", None) in BUSY:
            raise OSError(
                errno.EAGAIN,
                f"{path} is locked: another program is writing it, or its file system cannot lock "
                "files. Wait for the other program; if there is none, set the environment "
                "variable HDF5_USE_FILE_LOCKING=FALSE.",
            ) from error
        if h5py.is_hdf5(path):
            raise _corrupted(path, error) from error
        raise InputError(
            f"{path} is not an HDF5 file, so it is not an archive of qlowrank; name a file that "
            "ql.save wrote."
        ) from error


def _version(path: Path, attributes: dict[str, Any]) -> int:
    """Return the schema version, or refuse a file of another format or a newer version."""
    if attributes.get("format") != FORMAT:
        raise InputError(
            f"{path} is an HDF5 file, but not an archive of qlowrank: its root says format="
            f"{attributes.get('format')!r:.40}. Name a file that ql.save wrote."
        )
    version = attributes.get("schema_version")
    if not isinstance(version, int) or version < 1:
        raise InputError(
            f"{path}: the archive is corrupted: its schema_version is {version!r:.40}, and it must "
            "be an integer from 1. Restore the file from a copy."
        )
    if version > SCHEMA_VERSION:
        raise InputError(
            f"{path} has schema version {version}, and this qlowrank reads up to "
            f"{SCHEMA_VERSION}. Upgrade qlowrank."
        )
    return version


def _datasets(file: Any) -> dict[str, Any]:
    """Return all datasets of a file by path."""
    import h5py

    found: dict[str, Any] = {}

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item

    file.visititems(collect)
    return found


def _plain(value: Any) -> Any:
    """Return an attribute as a plain Python value."""
    return value.item() if hasattr(value, "item") and getattr(value, "size", 0) == 1 else value


def _corrupted(path: Path, error: BaseException) -> InputError:
    return InputError(
        f"{path}: the archive is corrupted and cannot be read ({error}). Restore the file from a "
        "copy, or make it anew."
    )
