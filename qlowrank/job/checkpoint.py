# SPDX-License-Identifier: Apache-2.0
"""What a job keeps while it works, so that the same command goes on where it was interrupted.

A folder holds a text that says what was asked for, the converged orbitals, the decomposition as far
as it has come (see `integrals.direct.checkpoint`), and at last the Hamiltonian as an archive.
"""

import hashlib
import io
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qlowrank.archive import load, save
from qlowrank.checks import InputError
from qlowrank.files.atomic import replacing
from qlowrank.hamiltonian import Hamiltonian
from qlowrank.job.request import MoleculeRequest

LABEL = "qlowrank-job.json"
"""Name of the text that says what the work is for."""
FREE = ("checkpoint", "max_memory")
"""Parts of a request that may change from run to run."""
ORBITALS = ("mo_coeff", "mo_energy", "mo_occ", "e_tot")
"""What makes a PySCF mean field converged."""


@dataclass(frozen=True, slots=True)
class JobCheckpoint:
    """A folder for one molecule. Make one with `open_job_checkpoint`."""

    folder: Path
    """Where the files are."""

    @property
    def integrals(self) -> Path:
        """Folder for the decomposition."""
        return self.folder / "integrals"

    def restore(self, mean_field: Any) -> bool:
        """Give a mean field the orbitals that were kept, if any were; tell whether it has them.

        Degenerate orbitals come out at another angle in each run, and columns of integrals are of
        use for the very same orbitals only. Whoever reads the object checks its energy.
        """
        path = self.folder / "mean-field.npz"
        if not path.exists():
            return False
        with np.load(path) as kept:
            for name in ORBITALS:
                setattr(mean_field, name, kept[name])
        mean_field.e_tot, mean_field.converged = float(mean_field.e_tot), True
        return True

    def keep_orbitals(self, mean_field: Any) -> None:
        """Keep the orbitals of a converged mean field."""
        content = io.BytesIO()
        kept: dict[str, Any] = {name: np.asarray(getattr(mean_field, name)) for name in ORBITALS}
        np.savez(content, **kept)
        with replacing(self.folder / "mean-field.npz", overwrite=True) as draft:
            draft.write(content.getbuffer())

    def hamiltonian(self) -> Hamiltonian | None:
        """Return the Hamiltonian, if it was finished."""
        path = self.folder / "hamiltonian.h5"
        return load(path).hamiltonian if path.exists() else None

    def keep(self, hamiltonian: Hamiltonian) -> None:
        """Keep the finished Hamiltonian."""
        save(self.folder / "hamiltonian.h5", hamiltonian, overwrite=True)

    def close(self) -> None:
        """Remove what is kept: the work is finished."""
        shutil.rmtree(self.folder)


def open_job_checkpoint(folder: Path, molecule: MoleculeRequest) -> JobCheckpoint:
    """Make a folder for a molecule, or go on with the work that is in it.

    Raises:
        InputError: The folder holds something else, or work for another molecule or tolerance.
    """
    asked = _identity(molecule)
    label = folder / LABEL
    if label.exists():
        _compare(folder, json.loads(label.read_text("utf-8")), asked)
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder} is not empty and holds no interrupted work; name a new folder for it."
        )
    else:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(label, overwrite=True) as draft:
            draft.write(memoryview(json.dumps(asked).encode()))
    return JobCheckpoint(folder)


def _identity(molecule: MoleculeRequest) -> dict[str, Any]:
    """Return what decides the Hamiltonian, as JSON can hold it."""
    parts = {k: v for k, v in asdict(molecule).items() if k not in FREE}
    if parts["active"] is not None:
        parts["active"] = list(parts["active"])
    path = Path(molecule.name)
    if path.is_file():
        parts["contents"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return parts


def _compare(folder: Path, kept: dict[str, Any], asked: dict[str, Any]) -> None:
    """Refuse to go on with work for other parameters, naming the first that differs."""
    for name in (*asked, *(name for name in kept if name not in asked)):
        if kept.get(name) == asked.get(name):
            continue
        what = "contents of the geometry" if name == "contents" else f"--{name}"
        what = "molecule" if name == "name" else what
        then, now = kept.get(name), asked.get(name)
        detail = "" if name == "contents" else f" ({_word(then)} then, {_word(now)} now)"
        raise InputError(
            f"The work in {folder} was begun with another {what}{detail}. Repeat the command with "
            "the same input, or name a new folder."
        )


def _word(value: Any) -> str:
    """Write an option's value as it was given."""
    if value is None:
        return "none"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
