# SPDX-License-Identifier: Apache-2.0
"""Many small problems at once: one thread for each, not all threads for one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice, pairwise
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")


class Executor(Protocol):
    """Runs independent tasks somewhere, and gives their answers in the tasks' order."""

    def map(self, function: Callable[[Task], Answer], tasks: Iterable[Task]) -> Iterator[Answer]:
        """Yield `function(task)` for each task, in order.

        Args:
            function: Importable by name, without side effects: a lost task is run again.
            tasks: What to run it on; each must survive pickling.
        """
        ...


_EXECUTOR: ContextVar[Executor | None] = ContextVar("executor", default=None)


@contextmanager
def tasks_on(executor: Executor) -> Iterator[None]:
    """Send the stateless tasks of long computations to an executor while the context is open.

    Shell pairs' integrals and leaves' eigendecompositions are such tasks. Like the number of
    threads, this is a matter of the surroundings: it changes nothing that a verb returns.

    Args:
        executor: Such as `qlowrank.parallel.scheduler` gives.
    """
    token = _EXECUTOR.set(executor)
    try:
        yield
    finally:
        _EXECUTOR.reset(token)


def executor_or(team: "Workers") -> Executor:
    """Return the executor of the surroundings, or these threads where there is none."""
    return _EXECUTOR.get() or team


class Workers:
    """Threads that share tasks out; linear algebra inside a task runs on the task's own thread."""

    def __init__(self, pool: ThreadPoolExecutor | None, count: int) -> None:
        self._pool = pool
        self.count = count
        """Number of threads."""

    def map(self, function: Callable[[Task], Answer], tasks: Iterable[Task]) -> Iterator[Answer]:
        """Yield `function(task)` for each task, in order; only a few are under way at a time."""
        if self._pool is None:
            yield from map(function, tasks)
            return
        remaining = iter(tasks)
        under_way: deque[Future[Answer]] = deque()
        try:
            while True:
                for task in islice(remaining, self.count + 1 - len(under_way)):
                    under_way.append(self._pool.submit(function, task))
                if not under_way:
                    return
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()

    def run(self, function: Callable[[Task], None], tasks: Iterable[Task]) -> None:
        """Call `function(task)` for each task and wait until all are done."""
        deque(self.map(function, tasks), maxlen=0)


ALONE = Workers(None, 1)
"""The calling thread, by itself."""


def slices(length: int, most: int) -> list[slice]:
    """Cut a range into as few slices as are no longer than `most`, about equally long.

    The cut does not depend on the number of threads.

    >>> slices(5, 2)
    [slice(0, 1, None), slice(1, 3, None), slice(3, 5, None)]
    """
    count = -(-length // most)
    edges = [length * number // count for number in range(count + 1)] if count else []
    return [slice(start, end) for start, end in pairwise(edges)]


@contextmanager
def workers() -> Iterator[Workers]:
    """Give as many threads as linear algebra may use now, each limited to itself.

    What is computed does not depend on the number of threads, to the last bit.

    >>> with workers() as team:
    ...     list(team.map(abs, [-1, 2]))
    [1, 2]
    """
    from threadpoolctl import ThreadpoolController

    libraries = ThreadpoolController().select(user_api="blas")
    count = max((library["num_threads"] for library in libraries.info()), default=1)
    with libraries.limit(limits=1):
        if count == 1:
            yield ALONE
            return
        with ThreadPoolExecutor(max_workers=count) as pool:
            yield Workers(pool, count)
