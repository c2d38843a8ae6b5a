# SPDX-License-Identifier: Apache-2.0
"""Many small problems at once: one thread for each, not all threads for one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
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
        self._later: deque[Callable[[], None]] = deque()
        self._fillers: list[Future[None]] = []
        self._leaving: list[Future[None]] = []
        self._busy = False  # a task that cannot wait has no thread yet

    def map(self, function: Callable[[Task], Answer], tasks: Iterable[Task]) -> Iterator[Answer]:
        """Yield `function(task)` for each task, in order; only a few are under way at a time."""
        if self._pool is None:
            yield from map(function, tasks)
            return
        remaining = iter(tasks)
        under_way: deque[Future[Answer]] = deque()
        self._recall()
        try:
            while True:
                for task in islice(remaining, self.count + 1 - len(under_way)):
                    under_way.append(self._pool.submit(function, task))
                if len(under_way) <= self.count:  # no more are left
                    self._busy = False
                    self._offer(self._pool, self.count - 1)
                if not under_way:
                    return
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()

    def run(self, function: Callable[[Task], None], tasks: Iterable[Task]) -> None:
        """Call `function(task)` for each task and wait until all are done."""
        if self._pool is None:
            deque(map(function, tasks), maxlen=0)
            return
        waiting = deque(tasks)
        if not waiting:
            return
        to_begin = [None] * min(self.count, len(waiting))

        def work() -> None:
            to_begin.pop()
            if not to_begin:
                self._busy = False
            try:
                while True:
                    try:
                        task = waiting.popleft()
                    except IndexError:
                        return
                    function(task)
            finally:
                waiting.clear()

        self._recall()
        under_way = [self._pool.submit(work) for _ in tuple(to_begin)]
        try:
            self._offer(self._pool, self.count - 1)
            for future in under_way:
                future.result()
        finally:
            waiting.clear()

    def later(self, function: Callable[[Task], None], tasks: Iterable[Task]) -> None:
        """Have `function(task)` called for each task where a thread would wait for others.

        One thread is left to the caller. Short tasks serve best: what follows waits for those that
        have begun. `finish` waits for all; an error in one of them is raised there at the latest.
        """
        if self._pool is None:
            deque(map(function, tasks), maxlen=0)
            return
        self._later.extend(partial(function, task) for task in tasks)
        self._busy = False
        self._offer(self._pool, self.count - 1)

    def finish(self) -> None:
        """Do what was left for later."""
        self._busy = False
        if self._pool is None:
            return
        while self._later or self._fillers or self._leaving:
            self._offer(self._pool, self.count)
            if under_way := self._fillers or self._leaving:
                under_way.pop().result()

    def give_up(self) -> None:
        """Forget what was left for later."""
        self._later.clear()

    def _recall(self) -> None:
        """Have threads end what was left for later, since something cannot wait."""
        self._busy = True
        self._leaving += self._fillers
        self._fillers = []

    def _offer(self, pool: ThreadPoolExecutor, most: int) -> None:
        """Let at most so many threads do what was left for later, once they have nothing else."""
        for known in (self._leaving, self._fillers):
            for future in [future for future in known if future.done()]:
                known.remove(future)
                future.result()
        while self._later and len(self._fillers) < most:
            self._fillers.append(pool.submit(self._work))

    def _work(self) -> None:
        """Do what was left for later until something that cannot wait has no thread."""
        while True:
            try:
                task = self._later.popleft()
            except IndexError:
                return
            task()
            if self._busy:
                return


ALONE = Workers(None, 1)
"""The calling thread, by itself."""


def slices(length: int, most: int) -> list[slice]:
    """Cut a range into as few slices as are no longer than `most`, about equally long.

    The cut does not depend on the number of threads.

    >>> slices(5, 2)
    [slice(0, 1, None), slice(1, 3, None), slice(3, 5, None)]
    """
    return cut(length, -(-length // most))


def cut(length: int, count: int) -> list[slice]:
    """Cut a range into so many slices, about equally long and none empty.

    >>> cut(5, 3)
    [slice(0, 1, None), slice(1, 3, None), slice(3, 5, None)]
    """
    count = min(count, length)
    edges = [length * number // count for number in range(count + 1)] if count else []
    return [slice(start, end) for start, end in pairwise(edges)]


@contextmanager
def workers() -> Iterator[Workers]:
    """Give as many threads as linear algebra may use now, each limited to itself.

    What is computed in memory does not depend on the number of threads, to the last bit.

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
            team = Workers(pool, count)
            try:
                yield team
            finally:
                team.give_up()
