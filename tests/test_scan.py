# SPDX-License-Identifier: Apache-2.0
"""Scans: every point is the job that `qlowrank run` would do, wherever it is done."""

import json

import pytest
from distributed import LocalCluster

import qlowrank as ql
from qlowrank import cli, scan
from qlowrank.job import JobRequest, MoleculeRequest
from qlowrank.parallel import Here
from qlowrank.scan import Point, run_scan

FAST = ("--state", "hf", "--quiet")


def run(capsys, *arguments):
    """Exit status, standard output, standard error."""
    status = cli.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_combination_once(folder, capsys):
    status, out, _ = run(
        capsys, "scan", "h2", "lih", "--tolerance", "1e-2", "1e-6", "--json", *FAST
    )

    assert status == 0
    rows = json.loads(out)["scan"]
    assert [row["label"] for row in rows] == [
        "h2 tolerance=0.01",
        "h2 tolerance=1e-06",
        "lih tolerance=0.01",
        "lih tolerance=1e-06",
    ]
    assert all(row["failure"] is None for row in rows)
    ranks = [row["result"]["hamiltonian"]["rank"] for row in rows]
    assert ranks[2] < ranks[3]


def test_a_point_is_the_run_of_its_options(folder, capsys):
    """Same bytes in the archive as `qlowrank run` writes, and the same numbers in JSON."""
    run(capsys, "scan", "h2", "--tolerance", "1e-2", "1e-6", "-o", "points", *FAST)
    status, _, _ = run(capsys, "run", "h2", "--tolerance", "1e-6", "-o", "one.h5", *FAST)

    assert status == 0
    point = folder / "points" / "h2_tolerance=1e-06.h5"
    assert point.read_bytes() == (folder / "one.h5").read_bytes()


def test_an_interrupted_scan_goes_on(folder, capsys, monkeypatch):
    arguments = ("scan", "h2", "lih", "-o", "points", "--json", *FAST)
    _, first, _ = run(capsys, *arguments)
    (folder / "points" / "lih.h5").unlink()
    computed = []

    def counted(request, **options):
        computed.append(request.molecule.name)
        return ql.job.run_job(request, **options)

    monkeypatch.setattr(scan, "run_job", counted)
    status, second, _ = run(capsys, *arguments)

    assert status == 0
    assert computed == ["lih"]
    first, second = (json.loads(text)["scan"] for text in (first, second))
    for before, after in zip(first, second, strict=True):
        for part in ("molecule", "hamiltonian", "energy", "factorization", "measurement"):
            assert before["result"][part] == after["result"][part]


def test_a_partial_archive_is_made_whole(folder, capsys):
    run(capsys, "run", "h2", "-o", "whole.h5", *FAST)
    study = ql.load("whole.h5")
    (folder / "points").mkdir()
    ql.save("points/h2.h5", study.hamiltonian, study.run)

    status, _, _ = run(capsys, "scan", "h2", "-o", "points", *FAST)

    assert status == 0
    assert "plan" in ql.load("points/h2.h5")


def test_foreign_archives_are_not_overwritten(folder, capsys):
    run(capsys, "scan", "h2", "-o", "points", "--precision", "1e-3", *FAST)
    before = (folder / "points" / "h2.h5").read_bytes()

    status, _, err = run(capsys, "scan", "h2", "-o", "points", *FAST)

    assert status == 2
    assert "holds something else" in err
    assert (folder / "points" / "h2.h5").read_bytes() == before


def test_one_failure_does_not_stop_the_others(folder, capsys):
    status, out, err = run(capsys, "scan", "h2", "nowhere", *FAST)

    assert status == 1
    assert "1 of 2 points failed" in err
    assert err.count("\n") == 1
    assert [line.split()[0] for line in out.splitlines()] == ["point", "h2", "nowhere"]


def test_a_state_that_does_not_converge_keeps_the_rest(folder, capsys, monkeypatch):
    def unconverged(_):
        raise ql.NotConvergedError("it went round in circles")

    monkeypatch.setitem(ql.job.STATES, "cisd", unconverged)
    status, out, _ = run(capsys, "scan", "h2", "--json", "--quiet")

    assert status == 1
    (row,) = json.loads(out)["scan"]
    assert "circles" in row["failure"]
    assert row["result"]["factorization"]["n_leaves"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "neither a file nor an example"),
        (["h2", "h2", "-o", "points"], "both be written to"),
        (["h2", "--method", "none"], "invalid choice"),
        (["h2", "--tolerance", "much"], "invalid float"),
        (["h2", "--scheduler", "tcp://127.0.0.1:1x"], "No Dask scheduler"),
        (["h2", "-o", "file"], "is a file"),
    ],
)
def test_bad_input(folder, capsys, arguments, words):
    (folder / "file").touch()
    status, _, err = run(capsys, "scan", *arguments, "--quiet")

    assert status == 2
    assert words in err
    assert err.count("\n") == 1
    assert "unexpected" not in err


def test_no_points():
    with pytest.raises(ql.InputError, match="at least one"):
        run_scan([], Here())


def test_a_scf_that_does_not_converge(monkeypatch):
    from pyscf import scf

    monkeypatch.setattr(scf.hf.SCF, "max_cycle", 1)
    job = JobRequest(MoleculeRequest("water"))
    (result,) = run_scan([Point("water", job, "{}", None)], Here())
    assert result.answer is None
    assert not result.bad_input
    assert "converge" in result.failure


def test_workers_write_the_same_bytes(folder, capsys):
    """Two worker processes of a Dask cluster against this process."""
    arguments = ("scan", "h2", "lih", "water", "--state", "cisd", "--quiet")
    status, _, err = run(capsys, *arguments, "-o", "here")
    assert status == 0, err
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as local:
        address = local.scheduler_address
        status, _, err = run(capsys, *arguments, "-o", folder / "there", "--scheduler", address)
    assert status == 0, err
    for name in ("h2.h5", "lih.h5", "water.h5"):
        assert (folder / "here" / name).read_bytes() == (folder / "there" / name).read_bytes()
