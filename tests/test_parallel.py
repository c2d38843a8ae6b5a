# SPDX-License-Identifier: Apache-2.0
"""Executors: the same answers in the same order, wherever they are computed and whoever dies."""

import asyncio
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from distributed import Client, LocalCluster

import qlowrank as ql
from qlowrank import parallel
from qlowrank.parallel import DaskWorkers, Here, scheduler


def sum_of_squares(seed):
    """A sum whose last bits depend on its order."""
    values = np.random.default_rng(seed).standard_normal((200, 200))
    return float(np.sum(values @ values))


def die_once(task):
    """Kill the process that runs it, unless one has died for this task already."""
    marker, value = task
    path = Path(marker)
    if value == 3 and not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value * value


def always_die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(value):
    raise ql.InputError(f"{value} is not wanted; leave it out.")


def nap(seconds):
    time.sleep(seconds)
    return seconds


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes of one thread each."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as local:
        yield local


def test_here_is_map():
    assert list(Here().map(abs, iter([-2, 1]))) == [2, 1]


def test_same_bits_and_order_as_here(cluster):
    with scheduler(cluster.scheduler_address) as executor, parallel.threads(1):
        assert isinstance(executor, DaskWorkers)
        assert list(executor.map(sum_of_squares, range(7))) == list(
            Here().map(sum_of_squares, range(7))
        )


def test_answers_come_in_the_order_of_the_tasks(cluster):
    with scheduler(cluster.scheduler_address) as executor:
        naps = [0.3, 0.0, 0.1]
        assert list(executor.map(nap, naps)) == naps


def test_tasks_are_taken_as_room_allows(cluster):
    """A long list of tasks is not held at the scheduler all at once."""
    taken = []

    def tasks():
        for number in range(50):
            taken.append(number)
            yield number

    with scheduler(cluster.scheduler_address) as executor:
        answers = executor.map(sum_of_squares, tasks())
        next(answers)
        assert len(taken) <= parallel.IN_FLIGHT * 2
        answers.close()


def test_a_killed_worker_costs_nothing_but_time(cluster, tmp_path):
    tasks = [(str(tmp_path / "died"), number) for number in range(6)]
    with scheduler(cluster.scheduler_address) as executor:
        assert list(executor.map(die_once, tasks)) == [0, 1, 4, 9, 16, 25]
    assert (tmp_path / "died").exists()


def test_a_task_that_kills_every_worker(cluster):
    with (
        scheduler(cluster.scheduler_address) as executor,
        pytest.raises(ql.NotConvergedError, match="workers died"),
    ):
        list(executor.map(always_die, [0]))


def interrupted(address, event, patience=30.0):
    """Answers, with an event after the first one."""
    with scheduler(address, patience=patience) as executor:
        answers = executor.map(nap, [0.1] * 20)
        yield next(answers)
        event()
        yield from answers


def test_the_scheduler_closes():
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as local,
        pytest.raises(ql.NotConvergedError, match=r"scheduler is gone.* --checkpoint"),
    ):
        list(interrupted(local.scheduler_address, local.close, patience=3.0))


def test_the_scheduler_is_killed(tmp_path, caplog):
    """Its client would log a traceback."""
    where = tmp_path / "scheduler.json"
    options = ("--scheduler-file", str(where), "--no-dashboard")
    dask = (sys.executable, "-m", "dask")
    with (
        subprocess.Popen([*dask, "scheduler", *options, "--port", "0"]) as boss,
        subprocess.Popen([*dask, "worker", *options, "--no-nanny"]) as worker,
    ):
        try:
            while not where.exists():
                time.sleep(0.05)
            address = json.loads(where.read_text())["address"]
            with pytest.raises(ql.NotConvergedError, match=r"scheduler is gone.* --checkpoint"):
                list(interrupted(address, boss.kill))
        finally:
            boss.kill()
            worker.kill()
    assert not [record for record in caplog.records if record.exc_info]


def test_all_workers_go(monkeypatch):
    monkeypatch.setattr(parallel, "GLANCE", 0.1)
    monkeypatch.setattr(parallel, "DESERTED", 1.0)
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as local,
        pytest.raises(ql.NotConvergedError, match=r"none came for 1 s.* --checkpoint"),
    ):
        list(interrupted(local.scheduler_address, lambda: local.scale(0)))


def test_long_tasks_are_waited_for(cluster, monkeypatch):
    """Longer than workers may be gone, as long as they are there."""
    monkeypatch.setattr(parallel, "GLANCE", 0.1)
    monkeypatch.setattr(parallel, "DESERTED", 0.3)
    with scheduler(cluster.scheduler_address) as executor:
        assert list(executor.map(nap, [1.0])) == [1.0]


def test_workers_come_back(monkeypatch):
    monkeypatch.setattr(parallel, "GLANCE", 0.1)
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as local:

        def replaced():
            local.scale(0)
            while local.scheduler.workers:
                time.sleep(0.01)
            local.scale(1)

        assert list(interrupted(local.scheduler_address, replaced)) == [0.1] * 20


def refuse_slowly(_):
    raise TimeoutError("the license server is slow")


def test_a_task_with_a_timeout_of_its_own(cluster):
    with (
        scheduler(cluster.scheduler_address) as executor,
        pytest.raises(TimeoutError, match="license server"),
    ):
        list(executor.map(refuse_slowly, [0]))


def test_bad_input_on_a_worker_is_bad_input_here(cluster):
    with (
        scheduler(cluster.scheduler_address) as executor,
        pytest.raises(ql.InputError, match="7 is not wanted"),
    ):
        list(executor.map(refuse, [7]))


@pytest.fixture
def silent():
    """The address of a program that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def clients_left_open():
    """Clients that were begun and not closed."""
    everything = gc.get_objects()
    return [one for one in everything if isinstance(one, Client) and one.status != "closed"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://127.0.0.1:1", r"within 0\.5 s"),
        ("nonsense:x", "invalid literal"),
        ("http://127.0.0.1:1", "unknown address scheme"),
        ("127.0.0.1", "missing port number"),
        ("tls://127.0.0.1:1", "TLS"),
    ],
)
def test_nobody_answers(address, words):
    """A client left half open would hang a process that collects it at the wrong moment."""
    with (
        pytest.raises(ql.InputError, match=f"No Dask scheduler answers .*{words}"),
        scheduler(address, patience=0.5),
    ):
        pass
    assert not clients_left_open()


def test_somebody_else_answers(cluster, silent):
    nanny = cluster.workers[0].address
    for address, patience, words in (
        (nanny, 30.0, "it is a nanny"),
        (silent, 0.5, r"nothing that Dask understands within 0\.5 s"),
    ):
        with (
            pytest.raises(ql.InputError, match=words),
            scheduler(address, patience=patience),
        ):
            pass
    assert not clients_left_open()


def test_from_inside_a_running_loop(cluster):
    """As in a notebook's cell."""

    async def cell():
        with scheduler(cluster.scheduler_address) as executor:
            return list(executor.map(abs, [-1, 2]))

    assert asyncio.run(cell()) == [1, 2]


def test_no_workers():
    with (
        LocalCluster(n_workers=0, dashboard_address=":0") as local,
        pytest.raises(ql.InputError, match="has no workers"),
        scheduler(local.scheduler_address, patience=3.0),
    ):
        pass


def test_another_version(cluster, monkeypatch):
    monkeypatch.setattr(ql, "__version__", "0.0.1")
    with (
        pytest.raises(ql.InputError, match=r"and this is 0\.0\.1"),
        scheduler(cluster.scheduler_address),
    ):
        pass


def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ql.InputError, match=r"qlowrank\[distributed\]"), scheduler("tcp://a:1"):
        pass


def test_threads():
    with pytest.raises(ql.InputError, match="at least 1"), parallel.threads(0):
        pass
