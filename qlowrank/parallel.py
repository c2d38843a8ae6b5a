# SPDX-License-Identifier: Apache-2.0
"""How many threads there are, and machines beyond this one."""

import asyncio
import logging
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from qlowrank.checks import InputError, NotConvergedError
from qlowrank.lowrank.threads import Executor, tasks_on

__all__ = ["DaskWorkers", "Executor", "Here", "scheduler", "tasks_on", "threads"]

Task = TypeVar("Task")
Answer = TypeVar("Answer")

IN_FLIGHT = 2
"""Tasks a worker thread is given at a time, so that answers do not pile up in memory."""
GLANCE = 5.0
"""Seconds after which somebody who waits for an answer looks whether there are still workers."""
DESERTED = 600.0
"""Seconds without any worker after which no answer is expected any more."""
AGAIN = (
    "Start scheduler and workers anew and repeat the command; a scan goes on where it stopped, and "
    "so does a run with --checkpoint."
)
GONE = f"The Dask scheduler is gone. {AGAIN}"


@dataclass(frozen=True, slots=True)
class Here:
    """Runs tasks one after the other, in this process."""

    def map(self, function: Callable[[Task], Answer], tasks: Iterable[Task]) -> Iterator[Answer]:
        """Yield `function(task)` for each task, in order."""
        return map(function, tasks)


@dataclass(frozen=True, slots=True)
class DaskWorkers:
    """Runs tasks on the workers of a Dask scheduler. Make one with `scheduler`.

    Each task runs on one thread, so that its sums have one order wherever it runs. A task whose
    worker dies is run again on another one.
    """

    client: Any = field(repr=False)
    """A `distributed.Client`."""

    def map(self, function: Callable[[Task], Answer], tasks: Iterable[Task]) -> Iterator[Answer]:
        """Yield `function(task)` for each task, in order; only a few are under way at a time.

        Raises:
            NotConvergedError: Each worker that tried a task died, all workers left and none came
                for ten minutes, or the scheduler is gone.
        """
        from distributed import CancelledError, KilledWorker
        from distributed.comm.core import CommClosedError

        remaining = iter(tasks)
        under_way: deque[Any] = deque()
        try:
            while True:
                room = max(1, IN_FLIGHT * self._threads()) - len(under_way)
                for task in islice(remaining, max(room, 0)):
                    under_way.append(self._submit(function, task))
                if not under_way:
                    return
                yield self._answer(under_way.popleft())
        except KilledWorker as error:
            raise NotConvergedError(
                "Several workers died on the same task, most likely for lack of memory; give "
                "them more, or ask for a larger tolerance."
            ) from error
        except (CommClosedError, CancelledError) as error:
            raise NotConvergedError(GONE) from error
        finally:
            for future in under_way:
                future.cancel()

    def _answer(self, future: Any) -> Any:
        """Wait for an answer for as long as there are workers, or may soon be some again."""
        done, seen = threading.Event(), time.monotonic()
        future.add_done_callback(lambda _: done.set())
        while not done.wait(GLANCE):
            if self._threads():
                seen = time.monotonic()
            elif time.monotonic() - seen > DESERTED:
                raise NotConvergedError(
                    f"All Dask workers are gone, and none came for {DESERTED:g} s. {AGAIN}"
                )
        return future.result()

    def _threads(self) -> int:
        """Count the workers' threads."""
        try:
            return sum(self.client.nthreads().values())
        except OSError as error:
            raise NotConvergedError(GONE) from error

    def _submit(self, function: Callable[[Task], Answer], task: Task) -> Any:
        """Send a task whole, so that it can be run again when its worker dies."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph", category=UserWarning)
            return self.client.submit(_alone, function, task, pure=False)


@contextmanager
def scheduler(address: str | None, *, patience: float = 30.0) -> Iterator[Executor]:
    """Open the executor that tasks are to run on.

    Args:
        address: Of a Dask scheduler, such as "tcp://node7:8786"; None for this process.
        patience: How long to wait for the scheduler and its first worker, seconds.

    Raises:
        InputError: Dask is not installed, nobody answers there, no worker comes, or the workers
            run another version of this package.

    >>> with scheduler(None) as executor:
    ...     list(executor.map(abs, [-1, 2]))
    [1, 2]
    """
    if address is None:
        yield Here()
        return
    try:
        import distributed
    except ImportError:
        raise InputError(
            "Work on a scheduler needs Dask; install it with pip install 'qlowrank[distributed]'."
        ) from None
    try:
        _knock(address, patience)
        client: Any = distributed.Client(address, timeout=patience, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"No Dask scheduler answers at {address!r} ({error}); start one with dask scheduler, "
            "and pass the address it prints, such as tcp://node7:8786."
        ) from None
    with _unlogged(), client:
        _greet(client, address, patience)
        yield DaskWorkers(client)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep a client from printing tracebacks: what goes wrong is raised."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _knock(address: str, patience: float) -> None:
    """Raise unless a scheduler answers.

    A client is made only then: one that fails stays behind with its loop, and when it is collected
    while another one starts, the two wait for each other for ever.
    """
    from distributed import Security
    from distributed.core import rpc

    async def knock() -> str:
        peer: Any = rpc(address, connection_args=Security().get_connection_args("client"))
        async with peer:
            return str((await asyncio.wait_for(peer.identity(), patience))["type"])

    with ThreadPoolExecutor(1) as pool:  # the caller's thread may have a loop, as in a notebook
        try:
            kind = pool.submit(lambda: asyncio.run(knock())).result()
        except TimeoutError:
            raise OSError(f"nothing that Dask understands within {patience:g} s") from None
    if kind != "Scheduler":
        raise ValueError(f"it is a {kind.lower()}")


def _greet(client: Any, address: str, patience: float) -> None:
    """Wait for the first worker and compare versions."""
    from qlowrank import __version__

    try:
        client.wait_for_workers(1, timeout=patience)
    except TimeoutError:
        raise InputError(
            f"The scheduler at {address} has no workers; start some with dask worker {address}."
        ) from None
    theirs = set(client.run(_version).values())
    if theirs != {__version__}:
        raise InputError(
            f"The workers at {address} run qlowrank {', '.join(sorted(theirs))}, and this is "
            f"{__version__}; install the same on all."
        )


def _version() -> str:
    """Return the version a worker runs."""
    try:
        from qlowrank import __version__
    except ImportError:
        return "(not installed)"
    return __version__


def _alone(function: Callable[[Task], Answer], task: Task) -> Answer:
    """Run a task on one thread."""
    with threads(1):
        return function(task)


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
