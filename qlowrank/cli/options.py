# SPDX-License-Identifier: Apache-2.0
"""The options that commands share."""

import argparse
import re
from pathlib import Path
from typing import NoReturn

from qlowrank.checks import InputError

UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaints take one line."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        raise InputError(f"{message}. See {self.prog} --help.")


def molecule_options(command: argparse.ArgumentParser) -> None:
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
        "--auxiliary",
        metavar="BASIS",
        help="fit integrals in this auxiliary basis (RI), such as cc-pvdz-jkfit: fast, with the "
        "error it makes; --tolerance then cuts vectors",
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


def large_options(command: argparse.ArgumentParser) -> None:
    """What large molecules need."""
    command.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FOLDER",
        help="keep work there; the same command goes on after an interruption",
    )
    command.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler whose workers compute integrals and leaves, such as tcp://node7:8786",
    )


def factorization_options(command: argparse.ArgumentParser) -> None:
    """How to factorize."""
    command.add_argument(
        "--method",
        default="df",
        choices=("df", "df-eigen", "gauge", "compressed", "thc"),
        help="df: Cholesky leaves (default); df-eigen: eigenvector leaves; gauge: leaves mixed for "
        "the lowest one-norm, shifted; compressed: few leaves with full cores, fitted; thc: "
        "hypercontraction, fitted",
    )
    command.add_argument(
        "--shift",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="shift the leaves by the number of electrons: less one-norm, same energies (gauge "
        "does so by itself)",
    )
    command.add_argument(
        "--leaves",
        type=int,
        metavar="N",
        help="leaves of compressed (twice the orbitals) or points of thc (five times)",
    )
    command.add_argument(
        "--seed",
        type=int,
        help="of what gauge, compressed, thc and optimized fragments begin with (0, or the "
        "archive's)",
    )


def measurement_options(command: argparse.ArgumentParser) -> None:
    """How to price a plan."""
    command.add_argument(
        "--fragments",
        default="plain",
        choices=("plain", "mean-field", "fluid", "mixed", "resplit", "optimized"),
        help="how groups are chosen: plain (default), mean-field shifts, fluid one-body parts, "
        "mixed (factors mixed first, for cisd), resplit (free cores in the same frames), "
        "optimized (frames too)",
    )
    command.add_argument(
        "--state",
        default="cisd",
        choices=("hf", "cisd", "fci", "mps"),
        help="state whose variances price the plan (cisd)",
    )
    command.add_argument(
        "--precision", type=float, default=1.6e-3, help="standard error, Hartree (1.6e-3)"
    )


def mps_options(command: argparse.ArgumentParser) -> None:
    """Which MPS; a default of None stands for what each command does by itself."""
    command.add_argument(
        "--max-bond", type=int, metavar="N", help="most states of a bond of an MPS (200)"
    )
    command.add_argument(
        "--orbitals",
        choices=("molecule", "given", "suited", "local", "split", "information"),
        help="sites of an MPS: the molecule's orbitals, ordered by exchange (entangle's default); "
        "as given; what suits the state (default of --state mps); local ones; filled and empty "
        "ones localised apart; local ones, ordered by mutual information",
    )
    command.add_argument(
        "--scratch", type=Path, metavar="FOLDER", help="folder for the files of DMRG"
    )


def output_options(command: argparse.ArgumentParser) -> None:
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
