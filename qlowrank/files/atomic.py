# SPDX-License-Identifier: Apache-2.0
"""A file appears whole or not at all."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qlowrank.checks import InputError
from qlowrank.files.draft import Draft

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when there is no room for more bytes."""

FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
"""What the system says when the file or folder may not be changed."""

NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What the system says where a file system has no hard links."""


@contextmanager
def replacing(path: Path, *, overwrite: bool) -> Iterator[Draft]:
    """Give a draft in the same folder; it becomes the file at `path` once it is on disk.

    Whatever interrupts the writing, the file that was at `path` stays as it was. If the process is
    killed, at most a draft named `.NAME.….part` is left beside it.

    Raises:
        FileExistsError: There is a file and `overwrite` is False, before or after the writing.
        FileNotFoundError: There is no such folder.
        PermissionError: The folder may not be written to.
        InputError: `path` is a folder.
        OSError: The disk is full, or failed.
    """
    try:
        target = _target(path, overwrite)
        name = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        draft = Draft(name)
    except OSError as error:
        raise _in_words(path, error) from error
    try:
        try:
            yield draft
            draft.to_disk()
        finally:
            draft.close()
        if overwrite:
            name.replace(target)
        else:
            _place_new(name, target)
        _folder_to_disk(target.parent)
    except OSError as error:
        raise _in_words(path, error) from error
    finally:
        name.unlink(missing_ok=True)


def _target(path: Path, overwrite: bool) -> Path:
    """Return where the file goes, links followed, or refuse before any work is done."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"{path} is a folder; give the name of a file to write.")
    if target.exists() and not overwrite:
        raise FileExistsError(errno.EEXIST, "exists")
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder")
    return target


def _place_new(draft: Path, target: Path) -> None:
    """Give the draft its name, or raise FileExistsError where another process was first."""
    try:
        os.link(draft, target)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, "exists") from error
        draft.replace(target)


def _folder_to_disk(folder: Path) -> None:
    """Wait until a folder's list of names is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _in_words(path: Path, error: OSError) -> OSError:
    """Say why no file could be written at `path`, and what to do."""
    if error.errno == errno.EEXIST:
        return FileExistsError(
            f"{path} exists; pass overwrite=True (--overwrite) to replace it, or another name."
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return FileNotFoundError(f"There is no folder {path.parent}; make it, or choose another.")
    if error.errno in FORBIDDEN:
        return PermissionError(
            f"No file may be written in {path.parent}; choose another folder, or change its "
            "permissions."
        )
    if error.errno in FULL:
        return OSError(
            error.errno,
            f"There is no room to write {path} ({error.strerror}); what was there before is "
            "untouched. Free some space, or write elsewhere.",
        )
    return OSError(error.errno, f"{path} could not be written: {error}")
