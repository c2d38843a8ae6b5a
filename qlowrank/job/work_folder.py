# SPDX-License-Identifier: Apache-2.0
"""A folder that keeps the long steps of a job while they are done."""

from dataclasses import dataclass
from pathlib import Path

from qlowrank.checks import InputError

MEAN_FIELD, INTEGRALS = "mean-field.npz", "integrals"


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """Where each step keeps what it has. Make one with `open_work_folder`."""

    path: Path
    """The folder."""

    @property
    def mean_field(self) -> Path:
        """File for the converged mean field."""
        return self.path / MEAN_FIELD

    @property
    def integrals(self) -> Path:
        """Folder for the decomposition of the integrals, which removes it when it is done."""
        return self.path / INTEGRALS

    def close(self) -> None:
        """Remove the folder: the work is finished."""
        self.mean_field.unlink(missing_ok=True)
        self.path.rmdir()


def open_work_folder(path: Path) -> WorkFolder:
    """Make the folder, or go on with the one that an interrupted job has left.

    Raises:
        InputError: The folder holds something else.
    """
    if path.exists():
        known = {MEAN_FIELD, INTEGRALS}
        if not path.is_dir() or any(item.name not in known for item in path.iterdir()):
            raise InputError(
                f"{path} holds something else than interrupted work; name a new folder for it."
            )
    path.mkdir(parents=True, exist_ok=True)
    return WorkFolder(path)
