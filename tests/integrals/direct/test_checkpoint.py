# SPDX-License-Identifier: Apache-2.0
"""An interrupted run goes on where it stopped, and never takes unfinished work for finished."""

import json

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.integrals.direct import budget, elimination
from qlowrank.integrals.direct.read import read_directly
from tests.integrals.direct.test_read import exact_and_squares
from tests.molecules import mean_field


class StoppedError(Exception):
    """What stops a run in these tests."""


def stop_at(task, count):
    """Return a progress callback that stops a run at the n-th report of a task."""
    seen = []

    def report(name, *_):
        seen.append(name)
        if seen.count(task) == count:
            raise StoppedError

    return report


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(budget, "MOST", 10)


def interrupted(folder, task, count, **changes):
    """Run until stopped; return nothing."""
    options = {"tolerance": 1e-5, **changes}
    with pytest.raises(StoppedError):
        read_directly(
            mean_field("water-631g"), checkpoint=folder, progress=stop_at(task, count), **options
        )
    assert folder.is_dir()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_repeated_run_goes_on(tmp_path, monkeypatch, count):
    """The same factors to the last bit, from the batches that were missing."""
    ran = []
    run = elimination.run
    monkeypatch.setattr(elimination, "run", lambda task: ran.append(task) or run(task))
    whole = read_directly(mean_field("water-631g"), tolerance=1e-5)
    tasks, folder = len(ran), tmp_path / "work"
    ran.clear()
    interrupted(folder, "Columns of integrals", count)
    before = len(ran)
    rest = read_directly(mean_field("water-631g"), tolerance=1e-5, checkpoint=folder)
    assert len(ran) == tasks
    assert 0 < before < tasks
    np.testing.assert_array_equal(rest.factors, whole.factors)
    np.testing.assert_array_equal(rest.kappa, whole.kappa)
    assert rest.truncation == whole.truncation
    assert not folder.exists()


def test_a_batch_without_its_record_is_not_finished(tmp_path):
    """Whatever was written of it is written again."""
    whole = read_directly(mean_field("water-631g"), tolerance=1e-5)
    folder = tmp_path / "work"
    interrupted(folder, "Columns of integrals", 3)
    max(folder.glob("batch-*.npz")).unlink()
    (folder / "draft.h5").write_bytes(b"half of an array")
    again = read_directly(mean_field("water-631g"), tolerance=1e-5, checkpoint=folder)
    np.testing.assert_array_equal(again.factors, whole.factors)
    assert again.truncation == whole.truncation


def test_stopped_after_the_columns(tmp_path, monkeypatch):
    """No integral of a column is computed again."""
    whole = read_directly(mean_field("water-631g"), tolerance=1e-5)
    folder = tmp_path / "work"
    interrupted(folder, "Cholesky vectors", 1)
    monkeypatch.setattr(elimination, "run", None)
    again = read_directly(mean_field("water-631g"), tolerance=1e-5, checkpoint=folder)
    np.testing.assert_array_equal(again.factors, whole.factors)


def test_other_memory_changes_the_batches_only(tmp_path, monkeypatch):
    """Later batches are larger; what they leave is proven all the same."""
    folder = tmp_path / "work"
    interrupted(folder, "Columns of integrals", 3)
    monkeypatch.setattr(budget, "MOST", 37)
    again = read_directly(mean_field("water-631g"), tolerance=1e-5, checkpoint=folder)
    _, packed, _ = exact_and_squares(mean_field("water-631g"), 1e-5)
    rows, cols = np.tril_indices(13)
    vectors = again.factors[:, rows, cols]
    assert np.abs(packed - vectors.T @ vectors).max() <= again.truncation.max_error <= 1e-5


def test_changed_parameters_are_refused(tmp_path):
    folder = tmp_path / "work"
    interrupted(folder, "Columns of integrals", 1)
    with pytest.raises(ql.InputError, match=r"another tolerance \(1e-05 then, 0.0001 now\)"):
        read_directly(mean_field("water-631g"), tolerance=1e-4, checkpoint=folder)
    with pytest.raises(ql.InputError, match=r"another orbitals \(13 then, 6 now\)"):
        read_directly(mean_field("water-631g"), tolerance=1e-5, active=(6, 6), checkpoint=folder)
    moved = mean_field("water-631g").copy()
    moved.mo_coeff = -moved.mo_coeff
    with pytest.raises(ql.InputError, match="another molecule, basis or mean field"):
        read_directly(moved, tolerance=1e-5, checkpoint=folder)
    assert json.loads((folder / "qlowrank-work.json").read_text())["tolerance"] == 1e-5


def test_other_densities_are_refused(tmp_path):
    """The same orbitals, filled otherwise: the fields that are kept would not be theirs."""
    from qlowrank.integrals.direct.checkpoint import open_checkpoint
    from qlowrank.integrals.direct.shells import shells_of

    source = mean_field("water-631g")
    shells, orbitals = shells_of(source.mol), source.mo_coeff
    densities = np.array([source.make_rdm1()])
    open_checkpoint(tmp_path / "work", shells, orbitals, densities, 1e-5)
    open_checkpoint(tmp_path / "work", shells, orbitals, densities, 1e-5)
    with pytest.raises(ql.InputError, match="another molecule, basis or mean field"):
        open_checkpoint(tmp_path / "work", shells, orbitals, densities / 2, 1e-5)


def test_folders_of_others_are_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("...")
    with pytest.raises(ql.InputError, match="not empty and holds no interrupted work"):
        read_directly(mean_field("water"), tolerance=1e-4, checkpoint=tmp_path)
    with pytest.raises(ql.InputError, match="not empty"):
        read_directly(mean_field("water"), tolerance=1e-4, checkpoint=tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_array_of_another_shape_is_refused(tmp_path):
    from qlowrank.files.scratch import mapped_array, reopened

    mapped_array(tmp_path / "a.h5", (2, 3))[...] = 1.0
    assert np.all(reopened(tmp_path / "a.h5", (2, 3)) == 1.0)
    mapped_array(tmp_path / "b.h5", (0, 3))
    assert reopened(tmp_path / "b.h5", (0, 3)).shape == (0, 3)
    with pytest.raises(ql.InputError, match=r"shape \(2, 3\), not \(3, 2\)"):
        reopened(tmp_path / "a.h5", (3, 2))
