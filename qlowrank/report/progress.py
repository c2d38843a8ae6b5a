# SPDX-License-Identifier: Apache-2.0
"""Progress on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qlowrank.lowrank import Progress


@contextmanager
def progress_bars(*, quiet: bool) -> Iterator[Progress | None]:
    """Yield a callback that draws one bar a task on standard error, or None when quiet.

    Args:
        quiet: Draw nothing.
    """
    if quiet:
        yield None
        return
    from tqdm import tqdm

    bars: dict[str, Any] = {}

    def report(task: str, done: int, total: int | None) -> None:
        if task not in bars:
            for bar in bars.values():
                bar.close()
            bars[task] = tqdm(
                total=total, desc=task, file=sys.stderr, leave=False, delay=0.5, dynamic_ncols=True
            )
        bars[task].update(done - bars[task].n)

    try:
        yield report
    finally:
        for bar in bars.values():
            bar.close()
