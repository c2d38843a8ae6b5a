# SPDX-License-Identifier: Apache-2.0
"""The command line: parse, call one verb, print.

Exit status: 0 done; 2 bad input, with one line that says what and how to mend it; 1 a computation
that failed, with what was computed kept; 130 interrupted.
"""

import os
from collections.abc import Sequence

from qlowrank.checks import InputError, NotConvergedError
from qlowrank.cli.parser import parser
from qlowrank.cli.status import BAD_INPUT, FAILED, INTERRUPTED, complain


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        options = parser().parse_args(arguments)
        status: int = options.verb(options)
    except InputError as error:
        return complain(BAD_INPUT, error)
    except OSError as error:
        detail = error.strerror if error.filename and error.strerror else str(error)
        where = f"{error.filename}: " if error.filename and error.strerror else ""
        return complain(BAD_INPUT, f"{where}{detail}")
    except NotConvergedError as error:
        return complain(FAILED, error)
    except KeyboardInterrupt:
        return complain(INTERRUPTED, "interrupted; nothing was overwritten")
    except Exception as error:  # the last door: no traceback at the command line
        if os.environ.get("QLOWRANK_TRACEBACK"):
            raise
        kind = type(error).__name__
        return complain(
            FAILED,
            f"unexpected {kind}: {error}. Please report this; QLOWRANK_TRACEBACK=1 shows where.",
        )
    return status
