# SPDX-License-Identifier: Apache-2.0
"""Many small linear-algebra problems at once: one thread for each, not all threads for one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def each_on_one_thread() -> Iterator[ThreadPoolExecutor]:
    """Give a pool of as many threads as linear algebra may use now, each limited to itself.

    What is computed does not depend on the number of threads, to the last bit.

    >>> with each_on_one_thread() as pool:
    ...     list(pool.map(abs, [-1, 2]))
    [1, 2]
    """
    from threadpoolctl import ThreadpoolController

    libraries = ThreadpoolController().select(user_api="blas")
    count = max((library["num_threads"] for library in libraries.info()), default=1)
    with libraries.limit(limits=1), ThreadPoolExecutor(max_workers=count) as pool:
        yield pool
