# SPDX-License-Identifier: Apache-2.0
"""Saving: records in, one file out."""

import os
from pathlib import Path
from typing import Any

from qlowrank.archive.datasets import content_digest, write
from qlowrank.archive.format import LIBVER
from qlowrank.archive.forms import NO_LABEL, Record
from qlowrank.archive.kinds import in_order
from qlowrank.archive.provenance import root_attributes
from qlowrank.checks import InputError
from qlowrank.factorization.mean_field import keeps_mean_field
from qlowrank.files.atomic import replacing
from qlowrank.files.draft import Draft


def save(path: str | os.PathLike[str], *records: Any, overwrite: bool = False) -> None:
    """Write records to one archive, whole or not at all.

    Identical records make identical files, in whatever order they are passed.

    Args:
        path: The file to write; `.h5` is usual.
        records: At most one of each kind: Hamiltonian, DoubleFactorization, DeterminantState,
            CISDState, FCIState, MeasurementPlan, EnergyEstimate, SimulatedExperiments, RunRecord.
        overwrite: Replace the file if there is one.

    Raises:
        FileExistsError: There is a file and `overwrite` is False.
        FileNotFoundError: There is no such folder.
        PermissionError: The folder may not be written to.
        OSError: The disk is full; what was there before stays.
        InputError: Nothing to save, two records of a kind, a record of a foreign type, one whose
            mean field was kept (`ql.keep_mean_field`), or `path` is a folder.

    >>> import tempfile
    >>> from qlowrank.hamiltonian.read import from_example
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/h2.h5", from_example("h2"))
    ...     sorted(file.name for file in Path(folder).iterdir())
    ['h2.h5']
    """
    held = in_order(records)
    for record in held.values():
        if keeps_mean_field(record):
            raise InputError(
                f"The one-body part of this {type(record).__name__} was moved to keep a mean "
                "field, and cannot be rebuilt from the Hamiltonian. Save the fit itself, and call "
                "ql.keep_mean_field again after loading."
            )
    with replacing(Path(path), overwrite=overwrite) as draft:
        _write(draft, held)


def _write(draft: Draft, held: dict[str, Any]) -> None:
    """Write the records in their order, and what the root says about them."""
    import h5py

    try:
        with h5py.File(draft, "w", libver=LIBVER) as file:
            digests: list[tuple[str, str]] = []
            for name, record in held.items():
                for entry in Record(type(record)).entries(name, record, NO_LABEL):
                    digests.append((entry.path, write(file, entry)))
                    draft.check()
            attributes = root_attributes(held) | {"content_sha256": content_digest(digests)}
            for name, value in attributes.items():
                file.attrs[name] = value
    except Exception:
        draft.check()  # HDF5's complaints about a failed disk say less than the disk's own
        raise
