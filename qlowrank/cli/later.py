# SPDX-License-Identifier: Apache-2.0
"""Commands and choices of the interface that this version does not have."""

import argparse
from typing import NoReturn

from qlowrank import __version__
from qlowrank.checks import InputError

LATER = {
    "report": "HTML reports",
}
"""Commands of the interface that this version does not have yet."""


def later(options: argparse.Namespace) -> NoReturn:
    """Refuse a command that this version does not have."""
    raise InputError(
        f"'{options.command}' ({LATER[options.command]}) is not in qlowrank {__version__}; "
        "run, factorize, measure, entangle, resources, scan, convert, show and verify are"
    )


def refuse_later(options: argparse.Namespace) -> None:
    """Refuse choices that this version does not have, naming those it has."""
    available = {
        "method": ("df", "df-eigen"),
    }
    for name, known in available.items():
        value = getattr(options, name, known[0])
        if value not in known:
            text = f"--{name}" if value is True else f"--{name} {value}"
            instead = "leave it out" if value is True else f"use {' or '.join(map(str, known))}"
            raise InputError(f"{text} is not in qlowrank {__version__}; {instead}.")
