# SPDX-License-Identifier: Apache-2.0
"""From what the user named to a Hamiltonian."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qlowrank.archive import Study, load
from qlowrank.checks import InputError
from qlowrank.hamiltonian import Hamiltonian, from_example, from_fcidump, from_pyscf
from qlowrank.hamiltonian.fitted import from_pyscf_ri, sampled_error
from qlowrank.hamiltonian.read import DEFAULT_TOLERANCE
from qlowrank.hamiltonian.truncate import recompress
from qlowrank.integrals.direct.forecast import forecast
from qlowrank.integrals.direct.read import is_direct
from qlowrank.integrals.examples import EXAMPLES, FEMOCO
from qlowrank.integrals.geometry import converge, mean_field_of, read_xyz
from qlowrank.job.checkpoint import open_job_checkpoint
from qlowrank.job.request import MoleculeRequest
from qlowrank.job.stopwatch import Stopwatch
from qlowrank.lowrank import Progress

Announce = Callable[[str], None]
"""Told what a large molecule will take, before work begins."""

OF_GEOMETRIES = ("basis", "charge", "spin", "active", "auxiliary", "checkpoint")
"""Options of molecules that are geometries."""

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def open_study(molecule: MoleculeRequest) -> Study | None:
    """Open the archive, if the molecule is one."""
    path = Path(molecule.name)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        is_archive = file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE
    if not is_archive and path.suffix not in {".h5", ".hdf5"}:
        return None
    _refuse(
        molecule,
        "an archive",
        "basis",
        "charge",
        "spin",
        "active",
        "tolerance",
        "auxiliary",
        "checkpoint",
    )
    return load(path)


def read_hamiltonian(
    molecule: MoleculeRequest,
    study: Study | None,
    watch: Stopwatch,
    progress: Progress | None,
    announce: Announce | None,
) -> Hamiltonian:
    """Read the Hamiltonian from wherever the molecule is."""
    if study is not None:
        with watch.step("integrals"):
            return study.hamiltonian
    path = Path(molecule.name)
    tolerance = DEFAULT_TOLERANCE if molecule.tolerance is None else molecule.tolerance
    if molecule.name == FEMOCO and not path.exists():
        _refuse(molecule, "this example", *OF_GEOMETRIES)
        with watch.step("integrals"):
            return from_example(FEMOCO, tolerance=tolerance, progress=progress)
    if molecule.name not in EXAMPLES and path.suffix.lower() != ".xyz":
        _must_exist(molecule.name, path)
        _refuse(molecule, "an FCIDUMP file", *OF_GEOMETRIES)
        with watch.step("integrals"):
            return from_fcidump(
                path, tolerance=tolerance, max_memory=molecule.max_memory, progress=progress
            )
    return _from_geometry(molecule, path, watch, progress, announce)


def _from_geometry(
    molecule: MoleculeRequest,
    path: Path,
    watch: Stopwatch,
    progress: Progress | None,
    announce: Announce | None,
) -> Hamiltonian:
    """Converge the mean field of a geometry and decompose, or go on where a job was interrupted."""
    geometry = _geometry(molecule, path)
    if molecule.auxiliary is not None:
        return _fitted(molecule, geometry, watch, progress, announce)
    kept = None
    if molecule.checkpoint is not None:
        kept = open_job_checkpoint(molecule.checkpoint, molecule)
        with watch.step("integrals"):
            finished = kept.hamiltonian()
        if finished is not None:
            return finished
    mean_field = mean_field_of(**geometry.options)
    tolerance = DEFAULT_TOLERANCE if molecule.tolerance is None else molecule.tolerance
    if is_direct(mean_field):
        expected = forecast(
            mean_field.mol,
            tolerance=tolerance,
            norb=None if geometry.active is None else geometry.active[1],
            max_memory=molecule.max_memory,
        )
        if announce is not None:
            announce(str(expected))
    with watch.step("scf"):
        if kept is None or not kept.restore(mean_field):
            mean_field = converge(**geometry.options)
            if kept is not None:
                kept.keep_orbitals(mean_field)
    with watch.step("integrals"):
        hamiltonian = from_pyscf(
            mean_field,
            tolerance=tolerance,
            active=geometry.active,
            name=geometry.name,
            max_memory=molecule.max_memory,
            checkpoint=None if kept is None else kept.integrals,
            progress=progress,
        )
        if kept is not None:
            kept.keep(hamiltonian)
    return hamiltonian


def _fitted(
    molecule: MoleculeRequest,
    geometry: "_Geometry",
    watch: Stopwatch,
    progress: Progress | None,
    announce: Announce | None,
) -> Hamiltonian:
    """Converge the mean field of a geometry, fit its integrals, and measure their error."""
    if molecule.checkpoint is not None:
        raise InputError("Fitted integrals are soon done; leave out --checkpoint or --auxiliary.")
    with watch.step("scf"):
        mean_field = converge(**geometry.options)
    with watch.step("integrals"):
        hamiltonian = from_pyscf_ri(
            mean_field,
            auxiliary=molecule.auxiliary,
            active=geometry.active,
            name=geometry.name,
            max_memory=molecule.max_memory,
            progress=progress,
        )
        if molecule.tolerance is not None:
            hamiltonian = recompress(hamiltonian, tolerance=molecule.tolerance)
        if announce is not None:
            measured = sampled_error(hamiltonian, mean_field)
            announce(
                f"fitted in {molecule.auxiliary}: the largest error in 16 random columns of the "
                f"integrals is {measured:.1e} Hartree"
            )
    return hamiltonian


@dataclass(frozen=True, slots=True)
class _Geometry:
    """What to converge."""

    name: str
    """What to call it."""
    options: dict[str, Any]
    """Atoms, basis, charge and spin."""
    active: tuple[int, int] | None
    """(electrons, orbitals), or None for all."""


def _geometry(molecule: MoleculeRequest, path: Path) -> _Geometry:
    """Read a geometry, or look up an example."""
    charge = molecule.charge or 0
    if molecule.name in EXAMPLES:
        example = EXAMPLES[molecule.name]
        spin = example.spin if molecule.spin is None and charge == 0 else molecule.spin
        basis = molecule.basis or example.basis
        options = {"atoms": list(example.atoms), "basis": basis, "charge": charge, "spin": spin}
        return _Geometry(molecule.name, options, molecule.active or example.active)
    _must_exist(molecule.name, path)
    if molecule.basis is None:
        raise InputError(
            f"{molecule.name} is a geometry; name a basis with --basis, such as sto-3g."
        )
    options = {"atoms": read_xyz(path), "basis": molecule.basis, "charge": charge}
    return _Geometry(path.stem, {**options, "spin": molecule.spin}, molecule.active)


def _must_exist(name: str, path: Path) -> None:
    """Refuse a molecule that is neither a file nor an example."""
    if not path.exists():
        examples = ", ".join([*EXAMPLES, FEMOCO])
        raise InputError(f"{name} is neither a file nor an example; the examples are {examples}.")


def _refuse(molecule: MoleculeRequest, what: str, *options: str) -> None:
    """Refuse options that this kind of input has no use for."""
    given = [f"--{name}" for name in options if getattr(molecule, name) is not None]
    if given:
        raise InputError(f"{molecule.name} is {what}; leave out {', '.join(given)}.")
