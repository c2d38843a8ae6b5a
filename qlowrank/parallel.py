# SPDX-License-Identifier: Apache-2.0
"""The one place that knows about threads."""

from collections.abc import Iterator
from contextlib import contextmanager

from qlowrank.checks import InputError


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Run linear algebra, integrals and CI on `count` threads.

    With one thread every sum has one order, and the same input gives the same result to the last
    bit. With more, threads add up Coulomb matrices and CI vectors in whatever order they finish,
    and the last digits differ from run to run.

    Args:
        count: At least 1.

    Raises:
        InputError: Fewer than one thread.
    """
    if count < 1:
        raise InputError(f"threads must be at least 1; got {count}.")
    from pyscf import lib
    from threadpoolctl import threadpool_limits

    with lib.with_omp_threads(count), threadpool_limits(limits=count):
        yield
