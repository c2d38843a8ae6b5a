# SPDX-License-Identifier: Apache-2.0
"""Threads that share tasks: each is done once, waiting time is used, and errors come through."""

import threading

import pytest
from threadpoolctl import threadpool_limits

from qlowrank.lowrank.threads import ALONE, workers

LONG = 20.0
"""Seconds after which something that should have happened is given up."""


@pytest.fixture(params=[1, 2, 3])
def team(request):
    """As many threads as linear algebra is given."""
    with threadpool_limits(request.param, user_api="blas"), workers() as found:
        assert found.count == request.param
        yield found


@pytest.mark.parametrize("number", [0, 1, 2, 7, 40])
def test_each_task_is_done_once(team, number):
    done = []
    team.run(done.append, range(number))
    assert sorted(done) == list(range(number))
    assert list(team.map(str, range(number))) == [str(task) for task in range(number)]


@pytest.mark.parametrize("number", [0, 1, 9])
def test_what_is_left_for_later_is_done_once(team, number):
    done, others = [], []
    team.later(done.append, range(number))
    team.run(others.append, range(5))
    team.later(done.append, range(number, 2 * number))
    assert list(team.map(abs, [-1, -2])) == [1, 2]
    team.finish()
    assert sorted(done) == list(range(2 * number))
    assert sorted(others) == list(range(5))
    team.finish()
    assert len(done) == 2 * number


@pytest.mark.parametrize("verb", ["run", "map"])
def test_a_thread_that_would_wait_does_what_was_left(verb):
    """The only task ends when all that was left for later has been done."""
    begun, told = threading.Event(), threading.Event()

    def spare(number):
        assert begun.wait(LONG)
        if number == 4:
            told.set()

    def task(_):
        begun.set()
        return told.wait(LONG)

    with threadpool_limits(2, user_api="blas"), workers() as team:
        team.later(spare, range(5))
        list(getattr(team, verb)(task, range(1)) or ())
        assert told.is_set()


def test_what_cannot_wait_comes_first():
    """A thread leaves what was left for later where two are needed, and goes on afterwards."""
    order = []
    begun, called, both = threading.Event(), threading.Event(), threading.Barrier(2)

    def spare(_):
        begun.set()
        assert called.wait(LONG)
        order.append("later")

    def urgent(number):
        called.set()
        both.wait(LONG)
        order.append("now")

    with threadpool_limits(2, user_api="blas"), workers() as team:
        team.later(spare, range(50))
        assert begun.wait(LONG)
        team.run(urgent, range(20))
        team.finish()
    assert order.count("later") == 50
    assert order.count("now") == 20
    # one had begun, and others may once no task is left that nobody has taken
    assert order[:18].count("later") == 1


def failing(number):
    if number == 3:
        raise ZeroDivisionError(number)


def test_an_error_comes_through_and_ends_the_work(team):
    with pytest.raises(ZeroDivisionError):
        team.run(failing, range(10))
    with pytest.raises(ZeroDivisionError):
        list(team.map(failing, range(10)))
    done = []
    team.run(done.append, range(3))
    assert sorted(done) == [0, 1, 2]


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_in_what_was_left_comes_through(count):
    """And what was left behind it is not done by those who come next."""
    begun = []

    def failing_first(number):
        begun.append(number)
        raise ZeroDivisionError

    def left():
        with threadpool_limits(count, user_api="blas"), workers() as team:
            team.later(failing_first, range(10))
            team.finish()

    with pytest.raises(ZeroDivisionError):
        left()
    many, done = len(begun), []
    with threadpool_limits(count, user_api="blas"), workers() as team:
        team.later(done.append, range(3))
        team.finish()
    assert sorted(done) == [0, 1, 2]
    assert len(begun) == many


def test_an_error_elsewhere_leaves_the_rest_undone():
    done, go = [], threading.Event()

    def slow(number):
        assert go.wait(LONG)
        done.append(number)

    def interrupted():
        with threadpool_limits(2, user_api="blas"), workers() as team:
            team.later(slow, range(1000))
            threading.Timer(0.05, go.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(done) <= 1


def test_without_threads_nothing_waits():
    done = []
    ALONE.later(done.append, range(3))
    assert done == [0, 1, 2]
    ALONE.finish()
    assert done == [0, 1, 2]
