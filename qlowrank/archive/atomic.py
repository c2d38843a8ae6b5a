# SPDX-License-Identifier: Apache-2.0
"""A file appears whole or not at all."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qlowrank.checks import InputError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""What the system says when there is no room for more bytes."""

NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What the system says where a file system has no hard links."""


@contextmanager
def replacing(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give the name of a draft in the same folder; it becomes `path` once it is on disk.

    Whatever interrupts the writing, the file that was at `path` stays as it was. If the process is
    killed, at most a draft named `.NAME.….part` is left beside it.

    Raises:
        FileExistsError: There is a file and `overwrite` is False, before or after the writing.
        FileNotFoundError: There is no such folder.
        PermissionError: The folder may not be written to.
        InputError: `path` is a folder.
        OSError: The disk is full, or failed.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"{path} is a folder; give the name of a file to write.")
    if target.exists() and not overwrite:
        raise _exists(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {target.parent}; make it, or choose another one."
        )
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield draft
        _to_disk(draft)
        if overwrite:
            draft.replace(target)
        else:
            _place_new(draft, target)
        _to_disk(target.parent)
    except FileExistsError as error:
        raise _exists(path) from error
    except (OSError, RuntimeError) as error:
        raise _in_words(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


def _place_new(draft: Path, target: Path) -> None:
    """Give the draft its name, or raise FileExistsError where another process was first."""
    try:
        os.link(draft, target)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(target) from error
        draft.replace(target)


def _to_disk(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(
        f"{path} exists; pass overwrite=True (--overwrite) to replace it, or another name."
    )


def _in_words(path: Path, error: OSError | RuntimeError) -> OSError | RuntimeError:
    """Say why no file could be written at `path`."""
    number = _error_number(error)
    if number in FULL:
        return OSError(
            number,
            f"There is no room left to write {path} ({os.strerror(number)}); what was there before "
            "is untouched. Free some space, or write elsewhere.",
        )
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return PermissionError(
            f"No file may be written in {path.parent} ({os.strerror(number)}); choose another "
            "folder, or change its permissions."
        )
    if number is not None:
        return OSError(number, f"{path} could not be written: {error}")
    return error


def _error_number(error: OSError | RuntimeError) -> int | None:
    """The system's error number: HDF5 mentions it in the text of its own errors."""
    known: BaseException | None = error
    while known is not None:
        if isinstance(known, OSError) and known.errno is not None:
            return known.errno
        for number in (*FULL, errno.EACCES, errno.EPERM, errno.EROFS):
            if f"errno = {number}," in str(known):
                return number
        known = known.__context__
    return None
