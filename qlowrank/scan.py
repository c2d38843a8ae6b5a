# SPDX-License-Identifier: Apache-2.0
"""Scans: the main job over many molecules, thresholds and seeds, here or on a scheduler."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qlowrank.archive import RunRecord, load, save
from qlowrank.checks import InputError, NotConvergedError
from qlowrank.job import JobRequest, Outcome, outcome_of, run_job
from qlowrank.parallel import Executor
from qlowrank.report import json_object


@dataclass(frozen=True, slots=True)
class Point:
    """One job of a scan."""

    label: str
    """What tells it from the others, such as "n2 tolerance=0.001"."""
    job: JobRequest
    """What to do."""
    parameters: str
    """The same as a JSON object, for the archive."""
    archive: Path | None
    """Where to keep it, on a disk that the workers share; None for nowhere."""


@dataclass(frozen=True, slots=True)
class PointResult:
    """What came of one job of a scan."""

    label: str
    """Label of the point."""
    answer: dict[str, Any] | None
    """The JSON object of the job, as far as it came; None where nothing did."""
    failure: str | None
    """Why it stopped early, or None."""
    bad_input: bool = False
    """It could not be done as asked, however long one tries."""


def run_scan(points: Sequence[Point], executor: Executor) -> Iterator[PointResult]:
    """Do every job; yield the results in the order of the points.

    A point whose archive is there already, made with the same parameters, is read and not computed
    again: an interrupted scan goes on where it stopped. One failed point does not stop the others.

    Args:
        points: What to do.
        executor: Where to do it.

    Raises:
        InputError: There is no point, or two have the same archive.

    >>> from qlowrank.job import MoleculeRequest
    >>> from qlowrank.parallel import Here
    >>> job = JobRequest(molecule=MoleculeRequest("h2"), method="df")
    >>> (result,) = run_scan([Point("h2", job, "{}", None)], Here())
    >>> result.answer["factorization"]["n_leaves"], result.failure
    (3, None)
    """
    if not points:
        raise InputError("A scan needs at least one point.")
    archives = [point.archive for point in points if point.archive is not None]
    if len(set(archives)) < len(archives):
        twice = next(path for path in archives if archives.count(path) > 1)
        raise InputError(
            f"Two points of the scan would both be written to {twice}; give molecules of different "
            "names, and no value twice."
        )
    return executor.map(compute, points)


def compute(point: Point) -> PointResult:
    """Do one job, or read what an earlier scan made of it; never raise for what it cannot do."""
    try:
        outcome = _kept(point)
        if outcome is None:
            outcome = run_job(point.job)
            _keep(point, outcome)
    except (InputError, OSError) as error:
        return PointResult(point.label, None, str(error), bad_input=True)
    except NotConvergedError as error:
        return PointResult(point.label, None, str(error))
    return PointResult(point.label, json_object(outcome, point.archive), outcome.failure)


def _kept(point: Point) -> Outcome | None:
    """Return the outcome that an earlier scan has left, if it was asked for the same."""
    if point.archive is None or not point.archive.exists():
        return None
    study = load(point.archive)
    if "run" not in study or json.loads(study.run.parameters) != json.loads(point.parameters):
        raise InputError(
            f"{point.archive} holds something else than this point of the scan; name another "
            "folder, or remove the file."
        )
    outcome = outcome_of(study)
    return outcome if outcome.holds(point.job) else None


def _keep(point: Point, outcome: Outcome) -> None:
    """Archive an outcome."""
    if point.archive is None:
        return
    measurement = point.job.measurement
    record = RunRecord(
        command="run",
        parameters=point.parameters,
        seed=None if measurement is None else measurement.seed,
    )
    save(point.archive, *outcome.records(), record, overwrite=True)
