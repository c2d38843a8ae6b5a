# SPDX-License-Identifier: Apache-2.0
"""From what the user named to a Hamiltonian."""

from pathlib import Path
from typing import Any

from qlowrank.archive import Study, load
from qlowrank.checks import InputError
from qlowrank.hamiltonian import Hamiltonian, from_example, from_fcidump, from_pyscf
from qlowrank.integrals.examples import EXAMPLES, FEMOCO
from qlowrank.integrals.geometry import converge, read_xyz
from qlowrank.job.request import MoleculeRequest
from qlowrank.job.stopwatch import Stopwatch
from qlowrank.job.work_folder import WorkFolder, open_work_folder
from qlowrank.lowrank import Progress

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
    _refuse(molecule, "an archive", "basis", "charge", "spin", "active", "tolerance", "checkpoint")
    return load(path)


def read_hamiltonian(
    molecule: MoleculeRequest, study: Study | None, watch: Stopwatch, progress: Progress | None
) -> Hamiltonian:
    """Read the Hamiltonian from wherever the molecule is."""
    if study is not None:
        with watch.step("integrals"):
            return study.hamiltonian
    path = Path(molecule.name)
    tolerance = 1e-6 if molecule.tolerance is None else molecule.tolerance
    if molecule.name == FEMOCO and not path.exists():
        _refuse(molecule, "this example", "basis", "charge", "spin", "active", "checkpoint")
        with watch.step("integrals"):
            return from_example(FEMOCO, tolerance=tolerance, progress=progress)
    if molecule.name not in EXAMPLES and path.suffix.lower() != ".xyz":
        _must_exist(molecule.name, path)
        _refuse(molecule, "an FCIDUMP file", "basis", "charge", "spin", "active", "checkpoint")
        with watch.step("integrals"):
            return from_fcidump(
                path, tolerance=tolerance, max_memory=molecule.max_memory, progress=progress
            )
    work = None if molecule.checkpoint is None else open_work_folder(Path(molecule.checkpoint))
    with watch.step("scf"):
        mean_field, active = _mean_field(molecule, path, work)
    with watch.step("integrals"):
        hamiltonian = from_pyscf(
            mean_field,
            tolerance=tolerance,
            active=active,
            name=molecule.name if molecule.name in EXAMPLES else path.stem,
            max_memory=molecule.max_memory,
            checkpoint=None if work is None else work.integrals,
            progress=progress,
        )
    if work is not None:
        work.close()
    return hamiltonian


def _mean_field(
    molecule: MoleculeRequest, path: Path, work: WorkFolder | None
) -> tuple[Any, tuple[int, int] | None]:
    """Converge the mean field of a geometry, or take the kept one; return it with its space."""
    charge, keep = molecule.charge or 0, None if work is None else work.mean_field
    if molecule.name in EXAMPLES:
        example = EXAMPLES[molecule.name]
        basis = molecule.basis or example.basis
        spin = example.spin if molecule.spin is None and charge == 0 else molecule.spin
        atoms = list(example.atoms)
        return (
            converge(atoms, basis=basis, charge=charge, spin=spin, keep=keep),
            molecule.active or example.active,
        )
    _must_exist(molecule.name, path)
    if molecule.basis is None:
        raise InputError(
            f"{molecule.name} is a geometry; name a basis with --basis, such as sto-3g."
        )
    mean_field = converge(
        read_xyz(path), basis=molecule.basis, charge=charge, spin=molecule.spin, keep=keep
    )
    return mean_field, molecule.active


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
