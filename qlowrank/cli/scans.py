# SPDX-License-Identifier: Apache-2.0
"""The scan: the main job over molecules, thresholds, methods and seeds."""

import argparse
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlowrank.checks import InputError
from qlowrank.cli.jobs import parameters_of, request_of
from qlowrank.cli.status import BAD_INPUT, DONE, FAILED, complain

if TYPE_CHECKING:
    from qlowrank.scan import Point, PointResult

VARIED = ("molecule", "basis", "tolerance", "method", "fragments", "state", "seed")
"""Options that take several values in a scan, in the order of the loops."""


def scan(options: argparse.Namespace) -> int:
    """Do the main job for every combination of values."""
    from qlowrank.parallel import scheduler, threads
    from qlowrank.report.progress import progress_bars
    from qlowrank.report.table import answer_table
    from qlowrank.scan import run_scan

    points = _points(options)
    results: list[PointResult] = []
    with (
        threads(1),
        scheduler(options.scheduler) as executor,
        progress_bars(quiet=options.quiet) as progress,
    ):
        for result in run_scan(points, executor):
            results.append(result)
            if progress is not None:
                progress("scan", len(results), len(points))
    if options.json:
        rows = [{"label": r.label, "failure": r.failure, "result": r.answer} for r in results]
        print(json.dumps({"schema": 1, "scan": rows}))
    else:
        print(answer_table([(r.label, r.answer) for r in results]))
    failed = [result for result in results if result.failure is not None]
    if not failed:
        return DONE
    status = BAD_INPUT if all(r.bad_input for r in results) else FAILED
    return complain(
        status,
        f"{len(failed)} of {len(results)} points failed; the first is {failed[0].label}: "
        f"{failed[0].failure}",
    )


def _points(options: argparse.Namespace) -> "list[Point]":
    """Return every combination of the values that were given."""
    from qlowrank.scan import Point

    folder: Path | None = options.output
    if folder is not None:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file; a scan writes a folder of archives.")
        folder.mkdir(parents=True, exist_ok=True)
    given = {name: getattr(options, name) or [None] for name in VARIED}
    varied = [name for name in VARIED if len(given[name]) > 1 and name != "molecule"]
    points = []
    for values in itertools.product(*given.values()):
        choice = dict(zip(VARIED, values, strict=True))
        one = _namespace(options, choice)
        stem = Path(choice["molecule"]).stem
        parts = [stem, *(f"{name}={choice[name]}" for name in varied)]
        points.append(
            Point(
                label=" ".join(parts),
                job=request_of(one),
                parameters=parameters_of(one),
                archive=None if folder is None else folder / f"{_safe('_'.join(parts))}.h5",
            )
        )
    return points


def _namespace(options: argparse.Namespace, choice: dict[str, Any]) -> argparse.Namespace:
    """Return the options of `qlowrank run` for one point."""
    whole = {k: v for k, v in vars(options).items() if k != "scheduler"}
    return argparse.Namespace(**{**whole, **choice, "command": "run", "threads": 1})


def _safe(text: str) -> str:
    """Return a file name without characters that mean something to a shell or a file system."""
    return "".join(c if c.isalnum() or c in "-_=.+" else "-" for c in text)
