# SPDX-License-Identifier: Apache-2.0
"""Work that is kept while it is done, so that an interrupted run goes on where it stopped.

A folder holds a text that says what the work is for, the vectors as arrays in HDF5, and a record of
each finished batch of columns. The record is written last, and gets its name once it is complete:
whatever stops a run, no unfinished batch is taken for finished.
"""

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from qlowrank import __version__
from qlowrank.checks import Array, InputError
from qlowrank.files.atomic import replacing
from qlowrank.files.scratch import mapped_array, reopened, to_disk
from qlowrank.integrals.direct.batch import Batch
from qlowrank.integrals.direct.shells import Shells

RECORD = ("pivots", "squares", "shell_pairs", "coulomb", "exchange")
"""What of a batch is in its record."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder for one decomposition. Make one with `open_checkpoint`."""

    folder: Path
    """Where the files are."""

    def batches(self, room: Callable[[int], Array]) -> Iterator[Batch]:
        """Yield the batches that are finished, in the order they were made.

        Args:
            room: Gives the place of so many further vectors, in what `array` returns.
        """
        for number in range(self._finished()):
            with np.load(self._record(number)) as file:
                record = {name: file[name] for name in RECORD}
            yield Batch(vectors=room(len(record["pivots"])), **record)

    def array(self, number: int, shape: tuple[int, int]) -> Array:
        """Return the array in which vectors are kept, of many, with this number.

        Raises:
            OSError: There is no room for it on the disk.
        """
        path = self.folder / f"vectors-{number:04d}.h5"
        if path.exists():
            return reopened(path, shape)
        draft = self.folder / "draft.h5"
        array = mapped_array(draft, shape)
        draft.replace(path)
        return array

    def keep(self, batch: Batch) -> None:
        """Note that a batch is finished, once its vectors are on the disk."""
        to_disk(batch.vectors)
        content = io.BytesIO()
        record: dict[str, Any] = {name: getattr(batch, name) for name in RECORD}
        np.savez(content, **record)
        with replacing(self._record(self._finished()), overwrite=False) as draft:
            draft.write(content.getbuffer())

    def close(self) -> None:
        """Remove what is kept: the work is finished."""
        shutil.rmtree(self.folder)

    def _finished(self) -> int:
        """How many batches are finished."""
        return next(number for number in count() if not self._record(number).exists())

    def _record(self, number: int) -> Path:
        return self.folder / f"batch-{number:04d}.npz"


def open_checkpoint(
    folder: Path, shells: Shells, orbitals: Array, densities: Array, tolerance: float
) -> Checkpoint:
    """Make a folder for a decomposition, or go on with the one that is in it.

    Args:
        folder: Where the files go.
        shells: The basis.
        orbitals: Coefficients of the wanted orbitals, shape (nao, norb).
        densities: Whose fields come with the integrals, shape (n, nao, nao).
        tolerance: What is asked for, Hartree.

    Raises:
        InputError: The folder holds something else, or work for other parameters.
    """
    identity: dict[str, object] = {
        "tolerance": tolerance,
        "orbitals": orbitals.shape[1],
        "functions": shells.nao,
        "version of qlowrank": __version__,
    }
    digest = hashlib.sha256()
    for array in (shells.atm, shells.bas, shells.env, orbitals, densities):
        digest.update(np.ascontiguousarray(array).tobytes())
    identity["digest"] = digest.hexdigest()
    label = folder / "qlowrank-work.json"
    if label.exists():
        _compare(folder, json.loads(label.read_text("utf-8")), identity)
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder} is not empty and holds no interrupted work; name a new folder for it."
        )
    else:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(label, overwrite=False) as draft:
            draft.write(memoryview(json.dumps(identity).encode()))
    return Checkpoint(folder)


def _compare(folder: Path, kept: dict[str, object], asked: dict[str, object]) -> None:
    """Refuse to go on with work for other parameters, naming the first that differs."""
    for name, value in asked.items():
        if kept.get(name) != value:
            what = "molecule, basis or mean field" if name == "digest" else name
            detail = "" if name == "digest" else f" ({kept.get(name)} then, {value} now)"
            raise InputError(
                f"The work in {folder} was begun for another {what}{detail}. Repeat it with the "
                "same input, or name a new folder."
            )
