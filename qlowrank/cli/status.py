# SPDX-License-Identifier: Apache-2.0
"""How a command ends."""

import sys

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def complain(status: int, message: object) -> int:
    """Print one line on standard error and return the status."""
    print("qlowrank: " + " ".join(str(message).split()), file=sys.stderr)
    return status


def announce(message: str) -> None:
    """Print one line on standard error that is no complaint."""
    print(f"qlowrank: {message}", file=sys.stderr)
