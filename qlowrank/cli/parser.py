# SPDX-License-Identifier: Apache-2.0
"""The parser of all commands."""

import argparse
from pathlib import Path

from qlowrank import __version__
from qlowrank.cli.archives import show, verify
from qlowrank.cli.jobs import convert, run
from qlowrank.cli.later import LATER, later
from qlowrank.cli.options import (
    OneLineParser,
    factorization_options,
    measurement_options,
    molecule_options,
    output_options,
)


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
        factorization_options(command)
        if name != "factorize":
            measurement_options(command)
        output_options(command)
        command.set_defaults(verb=verb)

    command = commands.add_parser("convert", help="write a molecule's Hamiltonian as an FCIDUMP")
    molecule_options(command)
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
