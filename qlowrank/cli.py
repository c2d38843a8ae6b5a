# SPDX-License-Identifier: Apache-2.0
"""The command line: parse, call one verb, print.

Exit status: 0 done; 2 bad input, with one line that says what and how to mend it; 1 a computation
that failed, with what was computed kept; 130 interrupted.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from qlowrank import __version__
from qlowrank.checks import InputError, NotConvergedError

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

LATER = {
    "entangle": "tensor-train pictures of the wavefunction",
    "resources": "Toffoli and qubit counts",
    "scan": "scans over geometries and thresholds",
    "report": "HTML reports",
}
"""Commands of the interface that this version does not have yet."""

UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaints take one line."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        raise InputError(f"{message}. See {self.prog} --help.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        options = parser().parse_args(arguments)
        status: int = options.verb(options)
    except InputError as error:
        return _complain(BAD_INPUT, error)
    except OSError as error:
        detail = error.strerror if error.filename and error.strerror else str(error)
        where = f"{error.filename}: " if error.filename and error.strerror else ""
        return _complain(BAD_INPUT, f"{where}{detail}")
    except NotConvergedError as error:
        return _complain(FAILED, error)
    except KeyboardInterrupt:
        return _complain(INTERRUPTED, "interrupted; nothing was overwritten")
    except Exception as error:  # the last door: no traceback at the command line
        if os.environ.get("QLOWRANK_TRACEBACK"):
            raise
        kind = type(error).__name__
        return _complain(
            FAILED,
            f"unexpected {kind}: {error}. Please report this; QLOWRANK_TRACEBACK=1 shows where.",
        )
    return status


def _complain(status: int, message: object) -> int:
    """Print one line on standard error and return the status."""
    print("qlowrank: " + " ".join(str(message).split()), file=sys.stderr)
    return status


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = OneLineParser(prog="qlowrank", description="A molecule as a certified sum of squares.")
    top.add_argument("--version", action="version", version=f"qlowrank {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    for name, text, verb in (
        ("run", "molecule in; factorization, measurement plan and archive out", run),
        ("factorize", "stop after the factorization", run),
        ("measure", "plan the measurement of a molecule or of an archive", run),
    ):
        command = commands.add_parser(name, help=text, description=text)
        _molecule_options(command)
        _factorization_options(command)
        if name != "factorize":
            _measurement_options(command)
        _output_options(command)
        command.set_defaults(verb=verb)

    command = commands.add_parser("convert", help="write a molecule's Hamiltonian as an FCIDUMP")
    _molecule_options(command)
    command.add_argument("-o", "--output", required=True, metavar="FILE", type=Path)
    command.add_argument("--overwrite", action="store_true", help="replace an existing file")
    command.add_argument("--quiet", action="store_true", help="no progress on standard error")
    command.set_defaults(verb=convert)

    for name, text, verb in (
        ("show", "print what an archive holds", show),
        ("verify", "check an archive's hashes, then its science", verify),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("archive", type=Path)
        command.add_argument("--json", action="store_true", help="one JSON object")
        command.set_defaults(verb=verb)

    for name, text in LATER.items():
        command = commands.add_parser(name, help=f"not in this version ({text})")
        command.add_argument("rest", nargs=argparse.REMAINDER)
        command.set_defaults(verb=later)
    return top


def _molecule_options(command: argparse.ArgumentParser) -> None:
    """Which molecule."""
    command.add_argument(
        "molecule",
        metavar="MOLECULE",
        help=".xyz file, FCIDUMP file, archive, or an example: h2, lih, beh2, water, n2, "
        "n2-stretched, o2, h10, femoco",
    )
    command.add_argument("--basis", help="basis set, such as sto-3g or cc-pvdz")
    command.add_argument("--charge", type=int, help="total charge")
    command.add_argument("--spin", type=int, help="n_alpha - n_beta")
    command.add_argument(
        "--active", type=_pair, metavar="NE,NO", help="active electrons and orbitals"
    )
    command.add_argument(
        "--tolerance",
        type=float,
        help="largest error of any two-electron integral, Hartree (1e-6)",
    )
    command.add_argument(
        "--threads",
        type=int,
        default=1,
        help="threads for large molecules; 1 (default) gives the same bytes in every run",
    )
    command.add_argument(
        "--max-memory", type=_size, metavar="SIZE", help="memory for large arrays, such as 16GB"
    )


def _factorization_options(command: argparse.ArgumentParser) -> None:
    """How to factorize."""
    command.add_argument(
        "--method",
        default="df",
        choices=("df", "df-eigen", "gauge", "compressed", "thc"),
        help="df: Cholesky leaves (default); df-eigen: eigenvector leaves; others come later",
    )
    command.add_argument(
        "--shift",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="symmetry shift (comes later)",
    )


def _measurement_options(command: argparse.ArgumentParser) -> None:
    """How to price a plan."""
    command.add_argument(
        "--fragments",
        default="plain",
        choices=("plain", "mean-field", "fluid", "resplit", "optimized"),
        help="how groups are chosen: plain (default), mean-field shifts, fluid one-body parts, "
        "resplit (free cores in the same frames), optimized (frames too)",
    )
    command.add_argument(
        "--state",
        default="cisd",
        choices=("hf", "cisd", "fci", "mps"),
        help="state whose variances price the plan (cisd); mps comes later",
    )
    command.add_argument(
        "--precision", type=float, default=1.6e-3, help="standard error, Hartree (1.6e-3)"
    )
    command.add_argument("--seed", type=int, default=0, help="of optimized fragments (0)")


def _output_options(command: argparse.ArgumentParser) -> None:
    """Where results go."""
    command.add_argument("-o", "--output", metavar="FILE.h5", type=Path, help="archive to write")
    command.add_argument("--overwrite", action="store_true", help="replace an existing archive")
    command.add_argument("--quiet", action="store_true", help="no progress on standard error")
    command.add_argument("--json", action="store_true", help="one JSON object on standard output")


def _pair(text: str) -> tuple[int, int]:
    """Parse NE,NO."""
    parts = text.split(",")
    try:
        electrons, orbitals = (int(part) for part in parts)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected electrons,orbitals such as 10,8; got {text!r}"
        ) from None
    return electrons, orbitals


def _size(text: str) -> float:
    """Parse a number of bytes with a decimal unit."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text.strip().upper())
    if match is None or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"expected a size such as 16GB or 500MB; got {text!r}")
    return float(match[1]) * UNITS[match[2]]


def run(options: argparse.Namespace) -> int:
    """Do the main job, or its first part."""
    from qlowrank.archive import RunRecord, save
    from qlowrank.job import MeasurementRequest, run_job
    from qlowrank.parallel import threads
    from qlowrank.report import json_object, summary
    from qlowrank.report.progress import progress_bars

    _refuse_later(options)
    _refuse_unwritable(options.output, options.overwrite)
    measurement = None
    if options.command != "factorize":
        measurement = MeasurementRequest(
            state=options.state,
            precision=options.precision,
            fragments=options.fragments,
            seed=options.seed,
        )
    with threads(options.threads), progress_bars(quiet=options.quiet) as progress:
        outcome = run_job(
            _request(options), method=options.method, measurement=measurement, progress=progress
        )
    if options.output is not None:
        record = RunRecord(
            command=options.command,
            parameters=json.dumps(_parameters(options), sort_keys=True),
            seed=getattr(options, "seed", None),
        )
        save(options.output, *outcome.records(), record, overwrite=options.overwrite)
    if options.json:
        print(json.dumps(json_object(outcome, options.output)))
    else:
        print(summary(outcome, options.output))
    if outcome.failure is not None:
        return _complain(FAILED, outcome.failure)
    return DONE


def convert(options: argparse.Namespace) -> int:
    """Write a Hamiltonian as an FCIDUMP."""
    from qlowrank.job import run_job
    from qlowrank.parallel import threads
    from qlowrank.report.progress import progress_bars

    _refuse_unwritable(options.output, options.overwrite)
    with threads(options.threads), progress_bars(quiet=options.quiet) as progress:
        outcome = run_job(_request(options), method=None, measurement=None, progress=progress)
    outcome.hamiltonian.to_fcidump(options.output, overwrite=options.overwrite)
    print(f"wrote {options.output}: {outcome.hamiltonian!r}")
    return DONE


def show(options: argparse.Namespace) -> int:
    """Print what an archive holds."""
    from qlowrank.archive import load
    from qlowrank.job import outcome_of
    from qlowrank.report import json_object, summary

    outcome = outcome_of(load(options.archive))
    if options.json:
        print(json.dumps(json_object(outcome, options.archive)))
    else:
        print(summary(outcome, options.archive))
    return DONE


def verify(options: argparse.Namespace) -> int:
    """Check an archive; a failed check is bad input."""
    from qlowrank.archive import verify as verify_archive

    verification = verify_archive(options.archive)
    if options.json:
        checks = [
            {"name": c.name, "passed": c.passed, "detail": c.detail} for c in verification.checks
        ]
        answer = {
            "schema": 1,
            "archive": str(options.archive),
            "passed": verification.passed,
            "checks": checks,
        }
        print(json.dumps(answer))
    else:
        for check in verification.checks:
            print(f"  {'ok' if check.passed else 'FAILED':<7} {check.name}: {check.detail}")
    if verification.passed:
        return DONE
    failed = ", ".join(check.name for check in verification.checks if not check.passed)
    return _complain(BAD_INPUT, f"{options.archive} does not hold what it says: {failed}")


def later(options: argparse.Namespace) -> NoReturn:
    """Refuse a command that this version does not have."""
    raise InputError(
        f"'{options.command}' ({LATER[options.command]}) is not in qlowrank {__version__}; "
        "run, factorize, measure, convert, show and verify are"
    )


def _refuse_later(options: argparse.Namespace) -> None:
    """Refuse choices that this version does not have, naming those it has."""
    available = {
        "method": ("df", "df-eigen"),
        "state": ("hf", "cisd", "fci"),
        "shift": (False,),
    }
    for name, known in available.items():
        value = getattr(options, name, known[0])
        if value not in known:
            text = f"--{name}" if value is True else f"--{name} {value}"
            instead = "leave it out" if value is True else f"use {' or '.join(map(str, known))}"
            raise InputError(f"{text} is not in qlowrank {__version__}; {instead}.")


def _refuse_unwritable(path: Path | None, overwrite: bool) -> None:
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


def _request(options: argparse.Namespace) -> Any:
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
    )


def _parameters(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options that decide the result, for the archive."""
    hidden = {"verb", "output", "overwrite", "quiet", "json", "command"}
    return {name: value for name, value in vars(options).items() if name not in hidden}


if __name__ == "__main__":
    sys.exit(main())
