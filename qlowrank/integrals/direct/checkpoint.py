# SPDX-License-Identifier: Apache-2.0
"""Work that is kept while it is done, so that an interrupted run goes on where it stopped.

A folder holds a text that says what the work is for, the pivots, and the columns that have been
transformed, each array in an HDF5 file of its own. A counter is written last, when everything
before it is on the disk: whatever stops a run, no unfinished batch is taken for finished.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qlowrank import __version__
from qlowrank.checks import Array, InputError
from qlowrank.files.scratch import mapped_array, reopened
from qlowrank.integrals.direct.shells import Integers, Shells

SPENT = -1.0
"""The counter's value once the columns are being overwritten by factors."""


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """Transformed columns of integrals as far as they have come."""

    vectors: Array
    """(P|pq), shape (n_pivots, npair), Hartree."""
    metric: Array
    """(P|Q), shape (n_pivots, n_pivots), Hartree."""
    fields: Array
    """Two slots of J and K so far, shape (2, 2, n_densities, nao, nao), Hartree."""
    counter: Array
    """Twice the number of pivots done, plus the slot their fields are in; shape (1,)."""

    @property
    def done(self) -> int:
        """Pivots whose columns need not be computed again."""
        return int(self.counter[0]) // 2

    def current(self) -> Array:
        """J and K of the pivots that are done, shape (2, n_densities, nao, nao)."""
        return np.array(self.fields[int(self.counter[0]) % 2])

    def finish(self, count: int, fields: Array) -> None:
        """Note that `count` more pivots are done, once their columns are on the disk."""
        slot = 1 - int(self.counter[0]) % 2
        self.fields[slot] = fields
        self._write(2.0 * (self.done + count) + slot)

    def spend(self) -> None:
        """Note that from here on the columns are overwritten."""
        self._write(SPENT)

    def _write(self, value: float) -> None:
        for array in (self.vectors, self.metric, self.fields):
            _to_disk(array)
        self.counter[0] = value
        _to_disk(self.counter)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder for one decomposition. Make one with `open_checkpoint`."""

    folder: Path
    """Where the files are."""

    def pivots(self, threshold: float) -> Integers | None:
        """Return the pivots found earlier for this threshold, if they have been."""
        path = self.folder / f"pivots-{threshold:.6e}.npy"
        return np.load(path) if path.exists() else None

    def keep_pivots(self, threshold: float, pivots: Integers) -> None:
        """Keep the pivots; columns of other pivots are of no use any more."""
        for name in ("vectors", "metric", "fields", "counter"):
            (self.folder / f"{name}.h5").unlink(missing_ok=True)
        draft = self.folder / "draft.npy"
        with draft.open("wb") as file:
            np.save(file, pivots)
        draft.replace(self.folder / f"pivots-{threshold:.6e}.npy")

    def columns(self, n_pivots: int, npair: int, densities: tuple[int, ...]) -> Columns:
        """Open the columns kept so far, or make room for them."""
        shapes = {
            "vectors": (n_pivots, npair),
            "metric": (n_pivots, n_pivots),
            "fields": (2, 2, *densities),
            "counter": (1,),
        }
        paths = {name: self.folder / f"{name}.h5" for name in shapes}
        if all(path.exists() for path in paths.values()):
            kept = Columns(**{name: reopened(paths[name], shapes[name]) for name in shapes})
            if kept.counter[0] != SPENT:
                return kept
        for path in reversed(list(paths.values())):  # the counter first
            path.unlink(missing_ok=True)
        made = Columns(**{name: mapped_array(paths[name], shapes[name]) for name in shapes})
        made.fields[0], made.counter[0] = 0.0, 0.0
        return made

    def close(self) -> None:
        """Remove what is kept: the work is finished."""
        shutil.rmtree(self.folder)


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
        label.write_text(json.dumps(identity), "utf-8")
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


def _to_disk(array: Array) -> None:
    """Wait until a mapped array is on the disk."""
    if isinstance(array, np.memmap):
        array.flush()
