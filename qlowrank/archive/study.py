# SPDX-License-Identifier: Apache-2.0
"""Loading: one file in, its records out, each when it is first asked for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qlowrank.archive.forms import Record
from qlowrank.archive.kinds import KINDS, STATES
from qlowrank.archive.opening import OpenArchive, opened
from qlowrank.archive.run_record import RunRecord
from qlowrank.checks import InputError
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.measurement.estimate import EnergyEstimate
from qlowrank.measurement.measurements import Measurements
from qlowrank.measurement.plan import MeasurementPlan
from qlowrank.measurement.simulate import SimulatedExperiments
from qlowrank.mps.entanglement import Entanglement
from qlowrank.mps.record import MPS
from qlowrank.states.state import State


@dataclass(frozen=True, eq=False)
class Study:
    """What an archive holds. Make one with `ql.load`.

    Records are read and built when first asked for, as an attribute (`study.hamiltonian`) or by
    name (`study["hamiltonian"]`), and kept. The file is open only while it is read.
    """

    path: Path
    """The file."""
    provenance: dict[str, Any]
    """Root attributes: versions, molecule, parameters, hashes."""
    kinds: tuple[str, ...]
    """Names of the records it holds, in the order of the file."""
    _built: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def records(self) -> tuple[Any, ...]:
        """All records, in the order of the file."""
        return tuple(self)

    @property
    def hamiltonian(self) -> Hamiltonian:
        """The Hamiltonian."""
        return self["hamiltonian"]

    @property
    def factorization(self) -> DoubleFactorization:
        """The double factorization."""
        return self["factorization"]

    @property
    def state(self) -> State:
        """The best state held: full CI, else an MPS, else CISD, else a determinant."""
        return self["state"]

    @property
    def mps(self) -> MPS:
        """The chain that was saved by itself."""
        return self["mps"]

    @property
    def entanglement(self) -> Entanglement:
        """The entropies of `mps`, or else of the state's chain."""
        return self["entanglement"]

    @property
    def plan(self) -> MeasurementPlan:
        """The measurement plan."""
        return self["plan"]

    @property
    def measurements(self) -> Measurements:
        """What has been measured so far."""
        return self["measurements"]

    @property
    def estimate(self) -> EnergyEstimate:
        """The measured energy."""
        return self["estimate"]

    @property
    def experiments(self) -> SimulatedExperiments:
        """The simulated experiments."""
        return self["experiments"]

    @property
    def run(self) -> RunRecord:
        """How the study was made."""
        return self["run"]

    def slice(self, dataset: str, start: int, stop: int) -> np.ndarray:
        """Read rows of a dataset from disk, and nothing but the chunks that hold them.

        Args:
            dataset: Path in the file, such as "hamiltonian/factors".
            start: First row.
            stop: One past the last row.

        Returns:
            Rows along the leading axis, read-only.

        Raises:
            InputError: No such dataset, or rows that it does not have.
        """
        with self._opened() as archive:
            shape = archive.store.find(dataset).shape
            if not shape:
                raise InputError(f"{dataset} has no rows; it is a single value.")
            if not 0 <= start <= stop <= shape[0]:
                raise InputError(
                    f"{dataset} has rows 0 to {shape[0]}; got start {start} and stop {stop}."
                )
            rows = archive.store.read(dataset, slice(start, stop))
        rows.flags.writeable = False
        return rows

    def held(self, *kinds: str) -> Any:
        """Return the record of the first of these kinds that is held, or None."""
        return next((self[kind] for kind in kinds if kind in self), None)

    def __getitem__(self, kind: str) -> Any:
        """Return the record of a kind, by its name in the file, or "state" for the best state."""
        name = self._name(kind)
        if name is None:
            raise InputError(
                f"{self.path} holds no {kind}; it holds {', '.join(self.kinds)}. Make one and save "
                "it with the others."
            )
        if name not in self._built:
            with self._opened() as archive:
                self._built[name] = Record(KINDS[name]).value(archive.store, name)
        return self._built[name]

    def __contains__(self, kind: object) -> bool:
        """Tell whether it holds a record of this kind."""
        return self._name(kind) is not None

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the records, in the order of the file."""
        return (self[name] for name in self.kinds)

    def __len__(self) -> int:
        """Count the records."""
        return len(self.kinds)

    def __repr__(self) -> str:
        """Say what it holds."""
        return f"Study({self.path}: {', '.join(self.kinds)})"

    def _name(self, kind: object) -> str | None:
        """Return the name in the file of what is asked for, or None where it is not held."""
        wanted = STATES if kind == "state" else (kind,)
        return next((name for name in wanted if name in self.kinds), None)

    @contextmanager
    def _opened(self) -> Iterator[OpenArchive]:
        """Open the file again, if it is still the one that was loaded."""
        with opened(self.path) as archive:
            if archive.attributes.get("content_sha256") != self.provenance.get("content_sha256"):
                raise InputError(f"{self.path} was replaced since it was loaded; load it again.")
            try:
                yield archive
            except InputError as error:
                raise InputError(f"{self.path}: {error}") from error


def load(path: str | os.PathLike[str]) -> Study:
    """Open an archive of this or any earlier schema version.

    Nothing large is read until it is asked for, and the hashes are not compared: `ql.verify` does
    that. Each record is built by its own constructor, which refuses what it cannot be.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: There is no such file.
        PermissionError: The file may not be read.
        InputError: It is not an archive, is damaged, or was written by a newer qlowrank.

    >>> import tempfile
    >>> from qlowrank.archive import save
    >>> from qlowrank.hamiltonian.read import from_example
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/h2.h5", from_example("h2"))
    ...     study = load(f"{folder}/h2.h5")
    ...     study.hamiltonian.rank, study.kinds, study.provenance["basis"]
    (3, ('hamiltonian',), 'sto-3g')
    """
    file = Path(path)
    with opened(file) as archive:
        names = {dataset.split("/")[0] for dataset in archive.store.datasets}
        unknown = sorted(names - KINDS.keys())
        if unknown:
            raise InputError(
                f"{file} holds {', '.join(unknown)}, which this qlowrank does not know; it knows "
                f"{', '.join(KINDS)}. Upgrade qlowrank."
            )
        if not names:
            raise InputError(f"{file}: the archive is corrupted: it holds no records.")
        return Study(
            path=file,
            provenance=archive.attributes,
            kinds=tuple(name for name in KINDS if name in names),
        )
