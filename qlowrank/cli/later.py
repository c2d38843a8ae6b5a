# SPDX-License-Identifier: Apache-2.0
"""Choices of the interface that this version does not have."""

import argparse

from qlowrank import __version__
from qlowrank.checks import InputError


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
