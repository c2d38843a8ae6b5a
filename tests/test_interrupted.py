# SPDX-License-Identifier: Apache-2.0
"""Interrupted commands go on; changed ones, full disks and too little memory are refused."""

import json
import resource
from contextlib import contextmanager

import pytest

import qlowrank as ql
from qlowrank import cli
from qlowrank.integrals.direct import budget, read
from qlowrank.job import molecule, run
from qlowrank.report import progress
from tests.test_cli import WATER

ARGUMENTS = ("run", "water.xyz", "--basis", "6-31g", "--state", "hf", "--tolerance", "1e-5")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with water.xyz in it; molecules of any size are decomposed shell by shell."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(read, "DIRECT_FROM", 2)
    monkeypatch.setattr(budget, "MOST", 10)
    (tmp_path / "water.xyz").write_text(WATER)
    return tmp_path


def told(capsys, *arguments):
    """Exit status, standard output, standard error."""
    status = cli.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refused(capsys, *arguments):
    """The one line that a bad input gets."""
    status, out, err = told(capsys, *arguments)
    assert status == 2, err
    assert out == ""
    assert err.count("\n") == 1
    assert "unexpected" not in err
    return err


def interrupt(capsys, monkeypatch, *arguments, task="Columns of integrals", count=3):
    """Press the interrupt key at the n-th report of a task."""
    seen = []

    def report(name, *_):
        seen.append(name)
        if seen.count(task) == count:
            raise KeyboardInterrupt

    @contextmanager
    def bars(**_):
        yield report

    with monkeypatch.context() as patched:
        patched.setattr(progress, "progress_bars", bars)
        status, _, err = told(capsys, *arguments)
    assert status == 130, err


def test_the_same_command_goes_on(folder, capsys, monkeypatch):
    """The same archive, byte for byte; the SCF is not done again."""
    assert told(capsys, *ARGUMENTS, "-o", "whole.h5", "--quiet")[0] == 0
    arguments = (*ARGUMENTS, "--checkpoint", "work", "-o", "parts.h5")
    interrupt(capsys, monkeypatch, *arguments)
    assert (folder / "work").is_dir()
    monkeypatch.setattr(molecule, "converge", None)
    status, _, err = told(capsys, *arguments, "--quiet")
    assert status == 0, err
    assert (folder / "whole.h5").read_bytes() == (folder / "parts.h5").read_bytes()
    assert not (folder / "work").exists()


def test_a_finished_hamiltonian_is_kept_until_the_job_is_done(capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run, "factorized", stop)
        assert told(capsys, *ARGUMENTS, "--checkpoint", "work", "--quiet")[0] == 130
    monkeypatch.setattr(molecule, "mean_field_of", None)
    status, out, err = told(capsys, *ARGUMENTS, "--checkpoint", "work", "--json", "--quiet")
    assert status == 0, err
    assert json.loads(out)["hamiltonian"]["tolerance"] == 1e-5


def test_changed_commands_are_refused(folder, capsys, monkeypatch):
    arguments = (*ARGUMENTS, "--checkpoint", "work")
    interrupt(capsys, monkeypatch, *arguments)
    for change, words in (
        (("--tolerance", "1e-4"), "another --tolerance (1e-05 then, 0.0001 now)"),
        (("--basis", "sto-3g"), "another --basis (6-31g then, sto-3g now)"),
        (("--active", "4,4"), "another --active (none then, 4,4 now)"),
        (("--charge", "2"), "another --charge (none then, 2 now)"),
    ):
        assert words in refused(capsys, *arguments, *change)
    (folder / "water.xyz").write_text(WATER.replace("0.59", "0.58"))
    assert "another contents of the geometry" in refused(capsys, *arguments)
    (folder / "water.xyz").write_text(WATER)
    (folder / "methane.xyz").write_text(WATER)
    other = refused(capsys, "run", "methane.xyz", *ARGUMENTS[2:], "--checkpoint", "work")
    assert "another molecule (water.xyz then, methane.xyz now)" in other
    assert told(capsys, *arguments, "--max-memory", "1GB", "--quiet")[0] == 0


def test_a_folder_of_someone_else_is_left_alone(folder, capsys):
    (folder / "thesis").mkdir()
    (folder / "thesis" / "chapter.tex").write_text("...")
    assert "holds no interrupted work" in refused(capsys, *ARGUMENTS, "--checkpoint", "thesis")
    assert "holds no interrupted work" in refused(capsys, *ARGUMENTS, "--checkpoint", "water.xyz")
    assert (folder / "thesis" / "chapter.tex").exists()


def test_files_of_integrals_have_nothing_to_keep(capsys):
    assert told(capsys, "convert", "h2", "-o", "h2.fcidump", "--quiet")[0] == 0
    assert "leave out --checkpoint" in refused(capsys, "run", "h2.fcidump", "--checkpoint", "work")


@contextmanager
def files_of_at_most(size):
    """Let the system refuse more bytes, as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk(capsys):
    """It is said before a batch is begun, and what was done before is kept."""
    arguments = (*ARGUMENTS, "--checkpoint", "work", "--quiet")
    with files_of_at_most(40_000):
        line = refused(capsys, *arguments)
    assert "There is no room for 0.00 GB of scratch in work/integrals" in line
    assert "raise max_memory" in line
    assert told(capsys, *arguments)[0] == 0


def test_too_little_memory_for_a_shell_pair(capsys):
    line = refused(capsys, *ARGUMENTS, "--max-memory", "10KB")
    assert "One shell pair's integrals with all others needs" in line
    assert "and the limit is 10.00 kB. Raise max_memory to at least that" in line
    least = line.split("needs ")[1].split(" of memory")[0].replace(" ", "")
    number = float(least[:-2]) * 1.01
    status, _, err = told(capsys, *ARGUMENTS, "--max-memory", f"{number}{least[-2:]}", "--quiet")
    assert status == 0, err


def test_a_tolerance_below_double_precision(capsys):
    line = refused(
        capsys, "run", "water.xyz", "--basis", "6-31g", "--tolerance", "1e-16", "--quiet"
    )
    assert "below what double precision can resolve from these atomic orbitals" in line
    assert "ask for at least that, or for 0" in line


@pytest.mark.parametrize("direct_from", [2, 1000])
def test_nothing_is_left_of_the_repulsion(capsys, monkeypatch, direct_from):
    """A tolerance above every integral leaves no square; the one-body part is still measured."""
    monkeypatch.setattr(read, "DIRECT_FROM", direct_from)
    status, out, err = told(
        capsys, "run", "water.xyz", "--basis", "sto-3g", "--tolerance", "100", "--state", "fci",
        "-o", "none.h5", "--json", "--quiet",
    )  # fmt: skip
    assert status == 0, err
    answer = json.loads(out)
    assert answer["hamiltonian"]["rank"] == answer["factorization"]["n_leaves"] == 0
    exact = ql.fci_state(ql.from_xyz("water.xyz", basis="sto-3g")).energy
    assert answer["energy"]["lower"] < exact < answer["energy"]["upper"]
    assert told(capsys, "verify", "none.h5")[0] == 0


@pytest.mark.parametrize("direct_from", [2, 1000])
def test_linearly_dependent_functions(folder, capsys, monkeypatch, direct_from):
    """Two atoms at almost the same place: functions that double precision barely tells apart."""
    from pyscf import gto, mcscf, scf

    monkeypatch.setattr(read, "DIRECT_FROM", direct_from)
    (folder / "close.xyz").write_text("2\n\nHe 0 0 0\nHe 0 0 0.02\n")
    arguments = ("run", "close.xyz", "--basis", "aug-cc-pvdz", "--active", "2,4", "--state", "fci")
    status, out, err = told(capsys, *arguments, "--tolerance", "1e-4", "--json", "--quiet")
    assert status == 0, err
    energy = json.loads(out)["energy"]
    mol = gto.M(atom="close.xyz", basis="aug-cc-pvdz", verbose=0)
    mean_field = scf.RHF(mol).run(conv_tol=1e-11)
    exact = mcscf.CASCI(mean_field, 4, 2).run(verbose=0).e_tot
    assert energy["lower"] <= exact <= energy["upper"]


def test_linear_dependence_costs_precision(folder, capsys):
    """What these functions cannot give is refused, with what they can."""
    (folder / "close.xyz").write_text("2\n\nHe 0 0 0\nHe 0 0 0.02\n")
    arguments = ("factorize", "close.xyz", "--basis", "aug-cc-pvdz", "--quiet")
    line = refused(capsys, *arguments, "--tolerance", "1e-6")
    assert "below what double precision can resolve from these atomic orbitals" in line
    least = line.split("atomic orbitals, ")[1].split(";")[0]
    assert told(capsys, *arguments, "--tolerance", str(1.05 * float(least)))[0] == 0


def test_what_a_large_molecule_takes_is_said_before_work_begins(capsys, monkeypatch):
    """On standard error, within a factor of two in vectors; nothing when quiet."""
    monkeypatch.setattr(molecule, "converge", None)
    status, _, err = told(capsys, *ARGUMENTS)
    assert status != 0  # nothing was converged: the estimate comes before
    line = err.splitlines()[0]
    assert line.startswith("qlowrank: expecting about")
    for words in ("Cholesky vectors over 13 orbitals", "GB of memory", "after the mean field"):
        assert words in line


def test_estimates_are_of_the_right_size(capsys):
    status, out, err = told(capsys, *ARGUMENTS, "--json")
    assert status == 0, err
    vectors = int(err.split("about ")[1].split()[0])
    assert 0.5 < vectors / json.loads(out)["hamiltonian"]["rank"] < 2
    status, _, err = told(capsys, *ARGUMENTS, "--quiet")
    assert (status, err) == (0, "")
