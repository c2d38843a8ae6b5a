# SPDX-License-Identifier: Apache-2.0
"""Commands that work on a molecule."""

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qlowrank.checks import InputError
from qlowrank.cli.status import DONE, FAILED, announce, complain

if TYPE_CHECKING:
    from qlowrank.job import JobRequest, MoleculeRequest, MPSRequest


def run(options: argparse.Namespace) -> int:
    """Do the main job, or its first part."""
    from qlowrank.archive import RunRecord, save
    from qlowrank.job import run_job
    from qlowrank.report import json_object, summary
    from qlowrank.report.progress import progress_bars

    refuse_unwritable(options.output, options.overwrite)
    with workers(options), progress_bars(quiet=options.quiet) as progress:
        outcome = run_job(
            request_of(options),
            progress=progress,
            announce=None if options.quiet else announce,
        )
    if options.output is not None:
        record = RunRecord(
            command=options.command,
            parameters=parameters_of(options),
            seed=_seed(options),
        )
        save(options.output, *outcome.records(), record, overwrite=options.overwrite)
    if options.json:
        print(json.dumps(json_object(outcome, options.output)))
    else:
        print(summary(outcome, options.output))
    if outcome.failure is not None:
        return complain(FAILED, outcome.failure)
    finish(options.checkpoint)
    return DONE


def convert(options: argparse.Namespace) -> int:
    """Write a Hamiltonian as an FCIDUMP."""
    from qlowrank.job import JobRequest, run_job
    from qlowrank.report.progress import progress_bars

    refuse_unwritable(options.output, options.overwrite)
    with workers(options), progress_bars(quiet=options.quiet) as progress:
        outcome = run_job(
            JobRequest(_molecule(options)),
            progress=progress,
            announce=None if options.quiet else announce,
        )
    outcome.hamiltonian.to_fcidump(options.output, overwrite=options.overwrite)
    print(f"wrote {options.output}: {outcome.hamiltonian!r}")
    finish(options.checkpoint)
    return DONE


@contextmanager
def workers(options: argparse.Namespace) -> Iterator[None]:
    """Give a job its threads, and the machines that it may send tasks to."""
    from qlowrank.parallel import scheduler, tasks_on, threads

    with threads(options.threads):
        if options.scheduler is None:
            yield
            return
        with scheduler(options.scheduler) as executor, tasks_on(executor):
            yield


def finish(checkpoint: Path | None) -> None:
    """Remove the work that was kept for an interrupted job: there is nothing left to do."""
    from qlowrank.job import JobCheckpoint

    if checkpoint is not None:
        JobCheckpoint(checkpoint).close()


def refuse_unwritable(path: Path | None, overwrite: bool) -> None:
    """Refuse an output before work begins, rather than after."""
    if path is None:
        return
    folder = path.resolve().parent
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file.")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; add --overwrite to replace it, or name another file.")
    if not folder.is_dir():
        raise InputError(f"The folder {folder} does not exist; make it first.")
    if not os.access(folder, os.W_OK):
        raise InputError(f"The folder {folder} is not writable; choose another.")


def request_of(options: argparse.Namespace) -> "JobRequest":
    """Collect what the options ask for."""
    from qlowrank.job import JobRequest, MeasurementRequest

    molecule = _molecule(options)
    if options.command == "entangle":
        return JobRequest(molecule, entangled=_mps(options, orbitals="molecule"))
    if options.command == "resources":
        return JobRequest(
            molecule,
            method=options.method,
            shift=options.shift,
            resources=options.precision,
            n_leaves=options.leaves,
            seed=options.seed,
        )
    measurement = None
    if options.command != "factorize":
        measurement = MeasurementRequest(
            state=options.state,
            precision=options.precision,
            fragments=options.fragments,
            seed=options.seed or 0,
            mps=_mps_of_state(options),
        )
    return JobRequest(
        molecule,
        method=options.method,
        measurement=measurement,
        shift=options.shift,
        n_leaves=options.leaves,
        seed=options.seed,
    )


def _seed(options: argparse.Namespace) -> int | None:
    """Return the seed that a command used; None where it takes none."""
    return (options.seed or 0) if hasattr(options, "seed") else None


def _mps(options: argparse.Namespace, orbitals: str) -> "MPSRequest":
    """Collect the options of an MPS, with these orbitals where none are named."""
    from qlowrank.job import MPSRequest

    return MPSRequest(
        max_bond=200 if options.max_bond is None else options.max_bond,
        orbitals=options.orbitals or orbitals,
        scratch="" if options.scratch is None else str(options.scratch),
    )


def _mps_of_state(options: argparse.Namespace) -> "MPSRequest | None":
    """Collect what is asked of the MPS that prices a plan; None where nothing is."""
    names = ("max_bond", "orbitals", "scratch")
    given = [name for name in names if getattr(options, name) is not None]
    if not given:
        return None
    if options.state != "mps":
        option = "--" + given[0].replace("_", "-")
        raise InputError(f"{option} is of an MPS; add --state mps, or leave it out.")
    return _mps(options, orbitals="suited")


def _molecule(options: argparse.Namespace) -> "MoleculeRequest":
    """Collect the molecule's options."""
    from qlowrank.job import MoleculeRequest

    return MoleculeRequest(
        name=options.molecule,
        basis=options.basis,
        charge=options.charge,
        spin=options.spin,
        active=options.active,
        tolerance=options.tolerance,
        max_memory=options.max_memory,
        auxiliary=options.auxiliary,
        checkpoint=getattr(options, "checkpoint", None),
    )


def parameters_of(options: argparse.Namespace) -> str:
    """Return the options that decide the result as a JSON object, for the archive."""
    hidden = {"verb", "output", "overwrite", "quiet", "json", "command"} | {
        "checkpoint",
        "scheduler",
        "scratch",
    }
    chosen = {k: v for k, v in vars(options).items() if k not in hidden}
    if "seed" in chosen:
        chosen["seed"] = _seed(options)
    return json.dumps(chosen, sort_keys=True)
