# SPDX-License-Identifier: Apache-2.0
"""One molecule on worker processes: the same bits as here, whoever dies on the way."""

import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster

import qlowrank as ql
from qlowrank import cli, parallel
from qlowrank.factorization import double
from qlowrank.integrals.direct import budget, elimination, read
from tests.molecules import mean_field
from tests.test_cli import WATER


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes of one thread each."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as local:
        yield local


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Molecules of any size are decomposed shell by shell, in many tasks."""
    monkeypatch.setattr(read, "DIRECT_FROM", 2)
    monkeypatch.setattr(budget, "MOST", 20)
    monkeypatch.setattr(double, "BATCH", 16)


def dying(function, marker, task):
    """Kill the process that runs the first task, and let the others be."""
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return function(task)


def factorized():
    """Both long steps."""
    hamiltonian = ql.from_pyscf(mean_field("water-631g"), tolerance=1e-5)
    return hamiltonian, ql.double_factorize(hamiltonian)


@pytest.mark.parametrize("step", [None, (elimination, "run"), (double, "eigenpairs")])
def test_the_same_bits(cluster, monkeypatch, tmp_path, step):
    """Shell pairs and leaves on workers, one of which dies with the first task of a step."""
    marker = tmp_path / "died"
    with parallel.threads(1):
        here, leaves = factorized()
    if step is not None:
        module, name = step
        function = partial(dying, getattr(module, name), str(marker))
        monkeypatch.setattr(module, name, function)
    with (
        parallel.threads(1),
        parallel.scheduler(cluster.scheduler_address) as executor,
        parallel.tasks_on(executor),
    ):
        there, other = factorized()
    assert marker.exists() == (step is not None)
    np.testing.assert_array_equal(there.factors, here.factors)
    np.testing.assert_array_equal(there.kappa, here.kappa)
    assert there.truncation == here.truncation
    np.testing.assert_array_equal(other.leaves, leaves.leaves)
    np.testing.assert_array_equal(other.eigenvalues, leaves.eigenvalues)


def test_tasks_go_where_they_are_sent_and_nowhere_else(monkeypatch):
    """The executor of the surroundings gets every task; outside of them nobody does."""
    seen = []

    class Counting:
        def map(self, function, tasks):
            seen.append(function.__name__)
            return map(function, tasks)

    with parallel.tasks_on(Counting()):
        factorized()
    assert set(seen) == {"run", "eigenpairs"}
    seen.clear()
    factorized()
    assert not seen


def test_the_command_line_sends_them_too(cluster, capsys, tmp_path, monkeypatch):
    """The same archive, byte for byte."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "water.xyz").write_text(WATER)
    job = ("run", "water.xyz", "--basis", "6-31g", "--state", "hf", "--quiet")
    assert cli.main([*job, "-o", "here.h5"]) == 0
    address = ("--scheduler", cluster.scheduler_address)
    assert cli.main([*job, "-o", "there.h5", *address]) == 0, capsys.readouterr().err
    assert (tmp_path / "here.h5").read_bytes() == (tmp_path / "there.h5").read_bytes()
