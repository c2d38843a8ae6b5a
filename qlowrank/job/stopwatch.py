# SPDX-License-Identifier: Apache-2.0
"""Seconds of each step of a job."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

STEPS = ("scf", "integrals", "factorize", "measure", "mps", "total")
"""Steps by name, as the JSON object has them."""


class Stopwatch:
    """Seconds of named steps."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.seconds: dict[str, float | None] = dict.fromkeys(STEPS)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time spent inside to a step."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = (self.seconds[name] or 0.0) + time.perf_counter() - start

    def stop(self) -> dict[str, float | None]:
        """Return all steps with the total."""
        return {**self.seconds, "total": time.perf_counter() - self.started}
