# SPDX-License-Identifier: Apache-2.0
"""The main job: one molecule in; a Hamiltonian, a factorization and a measurement plan out."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qlowrank.archive import Study, load
from qlowrank.checks import InputError, NotConvergedError
from qlowrank.factorization import (
    CholeskyGauge,
    DoubleFactorization,
    EigenGauge,
    Gauge,
    double_factorize,
)
from qlowrank.hamiltonian import Hamiltonian, from_example, from_fcidump, from_pyscf
from qlowrank.integrals.examples import EXAMPLES, FEMOCO
from qlowrank.integrals.geometry import converge, read_xyz
from qlowrank.lowrank import Progress
from qlowrank.measurement import (
    FluidFragments,
    FragmentMethod,
    MeanFieldFragments,
    MeasurementPlan,
    OptimizedFragments,
    PlainFragments,
    ResplitFragments,
    plan_measurement,
)
from qlowrank.states import State, cisd_state, fci_state, hartree_fock_state

GAUGES: dict[str, Gauge] = {"df": CholeskyGauge(), "df-eigen": EigenGauge()}
"""Factorizations by the names the command line knows."""

STATES: dict[str, Callable[[Hamiltonian], State]] = {
    "hf": hartree_fock_state,
    "cisd": cisd_state,
    "fci": fci_state,
}
"""States that can price a plan, by name."""

FRAGMENTS: dict[str, Callable[[int], FragmentMethod]] = {
    "plain": lambda _: PlainFragments(),
    "mean-field": lambda _: MeanFieldFragments(),
    "fluid": lambda _: FluidFragments(),
    "resplit": lambda _: ResplitFragments(),
    "optimized": lambda seed: OptimizedFragments(seed=seed),
}
"""Ways to choose groups, by name, from a seed."""

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class MoleculeRequest:
    """Which molecule, as asked for; None leaves the source's own choice."""

    name: str
    """An XYZ file, an FCIDUMP file, an archive, or the name of an example."""
    basis: str | None = None
    """Basis set."""
    charge: int | None = None
    """Total charge."""
    spin: int | None = None
    """n_alpha − n_beta."""
    active: tuple[int, int] | None = None
    """(electrons, orbitals)."""
    tolerance: float | None = None
    """Largest error of any two-electron integral, Hartree."""
    max_memory: float | None = None
    """Bytes that large arrays may take."""


@dataclass(frozen=True, slots=True)
class MeasurementRequest:
    """How the plan is to be priced."""

    state: str
    """One of `STATES`."""
    precision: float
    """Standard error asked for, Hartree."""
    fragments: str
    """One of `FRAGMENTS`."""
    seed: int = 0
    """Of methods that draw random numbers."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a job made, as far as it came."""

    hamiltonian: Hamiltonian
    """The molecule as a sum of squares."""
    factorization: DoubleFactorization | None
    """Its leaves, if they were asked for."""
    state: Any
    """The state that priced the plan, if one was asked for and converged."""
    plan: MeasurementPlan | None
    """The measurement plan, if it was asked for and its state converged."""
    timing: dict[str, float | None]
    """Seconds of each step; None for steps that were not taken."""
    failure: str | None
    """What did not converge, or None."""

    def records(self) -> tuple[Any, ...]:
        """Return everything that can be archived."""
        parts = (self.hamiltonian, self.factorization, self.state, self.plan)
        return tuple(part for part in parts if part is not None)


class Stopwatch:
    """Seconds of named steps."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.seconds: dict[str, float | None] = dict.fromkeys(
            ("scf", "integrals", "factorize", "measure", "mps", "total")
        )

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time spent inside to a step."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = (self.seconds[name] or 0.0) + time.perf_counter() - start

    def stop(self) -> dict[str, float | None]:
        """Return all steps with the total."""
        return {**self.seconds, "total": time.perf_counter() - self.started}


def run_job(
    molecule: MoleculeRequest,
    *,
    method: str | None,
    measurement: MeasurementRequest | None,
    progress: Progress | None = None,
) -> Outcome:
    """Read a molecule, factorize it and plan its measurement.

    Args:
        molecule: What to read.
        method: One of `GAUGES`, or None to stop at the Hamiltonian.
        measurement: How to price a plan, or None to stop before it.
        progress: Called as long steps advance.

    Raises:
        InputError: The molecule or an option cannot be used.
        NotConvergedError: The molecule's own mean field did not converge.
    """
    watch = Stopwatch()
    study = _study(molecule)
    hamiltonian = _hamiltonian(molecule, study, watch, progress)
    factorization = state = plan = failure = None
    if method is not None:
        with watch.step("factorize"):
            factorization = _factorization(hamiltonian, study, method)
    if factorization is not None and measurement is not None:
        with watch.step("measure"):
            try:
                state = _state(hamiltonian, study, measurement.state)
                plan = plan_measurement(
                    factorization,
                    state,
                    precision=measurement.precision,
                    fragments=FRAGMENTS[measurement.fragments](measurement.seed),
                    progress=progress,
                )
            except NotConvergedError as error:
                failure = str(error)
    return Outcome(
        hamiltonian=hamiltonian,
        factorization=factorization,
        state=state,
        plan=plan,
        timing=watch.stop(),
        failure=failure,
    )


def peak_memory() -> int:
    """Return the most memory this process has held, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _study(molecule: MoleculeRequest) -> Study | None:
    """Open the archive, if the molecule is one."""
    path = Path(molecule.name)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        is_archive = file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE
    if not is_archive and path.suffix not in {".h5", ".hdf5"}:
        return None
    _refuse(molecule, "an archive", "basis", "charge", "spin", "active", "tolerance")
    return load(path)


def _hamiltonian(
    molecule: MoleculeRequest, study: Study | None, watch: Stopwatch, progress: Progress | None
) -> Hamiltonian:
    """Read the Hamiltonian from wherever the molecule is."""
    if study is not None:
        with watch.step("integrals"):
            return study.hamiltonian
    path = Path(molecule.name)
    tolerance = 1e-6 if molecule.tolerance is None else molecule.tolerance
    if molecule.name == FEMOCO and not path.exists():
        _refuse(molecule, "this example", "basis", "charge", "spin", "active")
        with watch.step("integrals"):
            return from_example(FEMOCO, tolerance=tolerance, progress=progress)
    if molecule.name not in EXAMPLES and path.suffix.lower() != ".xyz":
        _must_exist(molecule.name, path)
        _refuse(molecule, "an FCIDUMP file", "basis", "charge", "spin", "active")
        with watch.step("integrals"):
            return from_fcidump(
                path, tolerance=tolerance, max_memory=molecule.max_memory, progress=progress
            )
    with watch.step("scf"):
        mean_field, active = _mean_field(molecule, path)
    with watch.step("integrals"):
        return from_pyscf(
            mean_field,
            tolerance=tolerance,
            active=active,
            name=molecule.name if molecule.name in EXAMPLES else path.stem,
            max_memory=molecule.max_memory,
            progress=progress,
        )


def _mean_field(molecule: MoleculeRequest, path: Path) -> tuple[Any, tuple[int, int] | None]:
    """Converge the mean field of a geometry; return it with its active space."""
    charge = molecule.charge or 0
    if molecule.name in EXAMPLES:
        example = EXAMPLES[molecule.name]
        basis = molecule.basis or example.basis
        spin = example.spin if molecule.spin is None and charge == 0 else molecule.spin
        atoms = list(example.atoms)
        return (
            converge(atoms, basis=basis, charge=charge, spin=spin),
            molecule.active or example.active,
        )
    _must_exist(molecule.name, path)
    if molecule.basis is None:
        raise InputError(
            f"{molecule.name} is a geometry; name a basis with --basis, such as sto-3g."
        )
    mean_field = converge(read_xyz(path), basis=molecule.basis, charge=charge, spin=molecule.spin)
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


def _factorization(
    hamiltonian: Hamiltonian, study: Study | None, method: str
) -> DoubleFactorization:
    """Factorize, or take the archive's factorization where it is the one asked for."""
    gauge = GAUGES[method]
    if study is not None and "factorization" in study:
        stored = study.factorization
        if stored.status.method == gauge.name:
            return stored
    return double_factorize(hamiltonian, gauge=gauge)


def _state(hamiltonian: Hamiltonian, study: Study | None, name: str) -> State:
    """Solve for the state, or take the archive's where it is the one asked for."""
    if study is not None and "state" in study and study.state.label == name:
        return study.state
    return STATES[name](hamiltonian)


def outcome_of(study: Study) -> Outcome:
    """Return what an archive holds, in the terms of a job."""
    return Outcome(
        hamiltonian=study.hamiltonian,
        factorization=study.factorization if "factorization" in study else None,
        state=study.state if "state" in study else None,
        plan=study.plan if "plan" in study else None,
        timing=dict.fromkeys(Stopwatch().seconds),
        failure=None,
    )
