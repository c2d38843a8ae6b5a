# SPDX-License-Identifier: Apache-2.0
"""The parser of all commands."""

import argparse
from pathlib import Path

from qlowrank import __version__
from qlowrank.cli.archives import show, verify
from qlowrank.cli.jobs import convert, run
from qlowrank.cli.options import (
    OneLineParser,
    factorization_options,
    large_options,
    measurement_options,
    molecule_options,
    mps_options,
    output_options,
)
from qlowrank.cli.reports import report
from qlowrank.cli.scans import VARIED, scan


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
        molecule_options(command)
        large_options(command)
        factorization_options(command)
        if name != "factorize":
            measurement_options(command)
            mps_options(command)
        output_options(command)
        command.set_defaults(verb=verb)

    command = commands.add_parser("convert", help="write a molecule's Hamiltonian as an FCIDUMP")
    molecule_options(command)
    large_options(command)
    command.add_argument("-o", "--output", required=True, metavar="FILE", type=Path)
    command.add_argument("--overwrite", action="store_true", help="replace an existing file")
    command.add_argument("--quiet", action="store_true", help="no progress on standard error")
    command.set_defaults(verb=convert)

    text = "count Toffoli gates and qubits of phase estimation"
    command = commands.add_parser("resources", help=text, description=text)
    molecule_options(command)
    large_options(command)
    factorization_options(command)
    command.add_argument(
        "--precision", type=float, default=1e-3, help="error of the energy, Hartree (1e-3)"
    )
    output_options(command)
    command.set_defaults(verb=run)

    text = "the wavefunction as a chain of tensors: bond dimensions and entropies"
    command = commands.add_parser("entangle", help=text, description=text)
    molecule_options(command)
    large_options(command)
    mps_options(command)
    output_options(command)
    command.set_defaults(verb=run)

    text = "the main job for every combination of values"
    command = commands.add_parser("scan", help=text, description=text)
    molecule_options(command)
    factorization_options(command)
    measurement_options(command)
    mps_options(command)
    _take_several(command, VARIED)
    command.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler whose workers do the jobs, such as tcp://node7:8786",
    )
    command.add_argument(
        "-o", "--output", metavar="FOLDER", type=Path, help="folder for an archive of each point"
    )
    command.add_argument("--quiet", action="store_true", help="no progress on standard error")
    command.add_argument("--json", action="store_true", help="one JSON object on standard output")
    command.set_defaults(verb=scan)

    _archive_commands(commands)
    return top


def _archive_commands(commands: "argparse._SubParsersAction[OneLineParser]") -> None:
    """Add the commands that read an archive."""
    for name, text, verb in (
        ("show", "print what an archive holds", show),
        ("verify", "check an archive's hashes, then its science", verify),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("archive", type=Path)
        command.add_argument("--json", action="store_true", help="one JSON object")
        command.set_defaults(verb=verb)

    text = "write an archive as an HTML page, with pictures and checks"
    command = commands.add_parser("report", help=text, description=text)
    command.add_argument("archive", type=Path)
    command.add_argument(
        "-o", "--output", metavar="FILE.html", type=Path, help="page to write (ARCHIVE.html)"
    )
    command.add_argument("--overwrite", action="store_true", help="replace an existing page")
    command.set_defaults(verb=report)


def _take_several(command: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    """Let options that take one value take a list of them."""
    for action in command._actions:  # noqa: SLF001 (argparse has no public way to read them back)
        if action.dest in names:
            action.nargs = "+"
            if action.default is not None:
                action.default = [action.default]
