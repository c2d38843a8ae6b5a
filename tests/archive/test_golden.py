# SPDX-License-Identifier: Apache-2.0
"""Files of every schema version are read, for ever; and there is a way to raise the version."""

from pathlib import Path

import h5py
import numpy as np
import pytest

import qlowrank as ql
from qlowrank.archive import check_integrity, migrations, opening
from qlowrank.archive.format import SCHEMA_VERSION
from qlowrank.checks import InputError

FOLDER = Path(__file__).parent / "golden"
GOLDEN = FOLDER / "v1.h5"


def test_there_is_a_file_and_a_migration_for_every_version():
    versions = range(1, SCHEMA_VERSION + 1)

    assert sorted(path.name for path in FOLDER.glob("*.h5")) == [f"v{n}.h5" for n in versions]
    assert sorted(migrations.MIGRATIONS) == list(versions[:-1])


def test_version_one_is_read():
    """H2 in STO-3G at 1.0 Å; every number below is that of the file when it was written."""
    study = ql.load(GOLDEN)

    assert study.kinds == ("hamiltonian", "factorization", "fci_state", "plan", "run")
    assert study.provenance["schema_version"] == 1
    assert study.provenance["creator_version"] == "0.1.0"
    hamiltonian = study.hamiltonian
    assert hamiltonian.source.molecule.formula == "H2"
    assert hamiltonian.source.molecule.basis == "sto-3g"
    assert hamiltonian.source.reference("HF").energy == -1.0661086493179366
    assert hamiltonian.constants.nuclear_repulsion == 0.52917721092
    assert (hamiltonian.norb, hamiltonian.nelec, hamiltonian.rank) == (2, (1, 1), 3)
    assert hamiltonian.factors[0, 0, 0] == 0.7693172604096604
    assert study.factorization.n_leaves == 3
    assert study.factorization.status.method == "cholesky"
    assert study.state.label == "fci"
    assert study.state.energy == -1.1011503302326182
    assert study.state.vector.shape == (2, 2)
    plan = study.plan
    assert plan.n_groups == 4
    assert plan.shots.tolist() == [26958, 3247, 28372, 1833]
    assert plan.pricing.state == "fci"
    assert plan.fragments.method == "plain"
    assert study.run.parameters == '{"molecule": "h2", "state": "fci"}'
    assert study.run.seed is None


def test_version_one_is_verified():
    assert ql.verify(GOLDEN).passed


def test_version_one_is_small():
    assert GOLDEN.stat().st_size < 100_000


def test_version_one_is_published():
    """The plan's cost is the published one of plain double factorization, 0.1366 Hartree²."""
    study = ql.load(GOLDEN)
    eigen = ql.double_factorize(study.hamiltonian, gauge=ql.EigenGauge())

    # the published figure has four digits
    assert abs(ql.plan_measurement(eigen, study.state).epsilon2_shots - 0.1366) < 5e-5


@pytest.fixture
def version_two(monkeypatch):
    """A qlowrank of the future: kappa is renamed, the rank left out, a constant comes apart."""

    def migrate(datasets):
        new = dict(datasets)
        new["hamiltonian/kappa"] = new.pop("hamiltonian/chi")
        new["hamiltonian/truncation/rank"] = np.array(len(new["hamiltonian/factors"]))
        new["hamiltonian/source/molecule"] = None
        return new

    monkeypatch.setattr(migrations, "SCHEMA_VERSION", 2)
    monkeypatch.setattr(opening, "SCHEMA_VERSION", 2)
    monkeypatch.setattr(check_integrity, "SCHEMA_VERSION", 2)
    monkeypatch.setitem(migrations.MIGRATIONS, 1, migrate)


def test_an_old_file_is_migrated_as_it_is_read(version_two, tmp_path, records):
    """Renamed datasets, computed ones and None; slices and verification work as well."""
    path = tmp_path / "old.h5"
    ql.save(path, records["hamiltonian"])
    with h5py.File(path, "r+") as file:
        file.move("hamiltonian/kappa", "hamiltonian/chi")
        del file["hamiltonian/truncation/rank"], file["hamiltonian/source/molecule"]
    study = ql.load(path)

    np.testing.assert_array_equal(study.hamiltonian.kappa, records["hamiltonian"].kappa)
    assert study.hamiltonian.truncation.rank == records["hamiltonian"].rank
    assert study.hamiltonian.source.molecule is None
    assert study.slice("hamiltonian/kappa", 1, 2).shape == (1, records["hamiltonian"].norb)
    names = {check.name: check.passed for check in ql.verify(path).checks}
    assert names["hashes"]
    assert names["hamiltonian: residual trace"]
    assert not names["content hash"], "datasets were taken out of this file"
    assert "labels" not in names, "an old file has the labels of its own time"


def test_a_newer_file_is_refused(tmp_path, records):
    ql.save(tmp_path / "a.h5", records["run"])
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file.attrs["schema_version"] = SCHEMA_VERSION + 1
    message = f"schema version 2, and this qlowrank reads up to {SCHEMA_VERSION}. Upgrade qlowrank"

    for verb in (ql.load, ql.verify):
        with pytest.raises(InputError, match=message):
            verb(tmp_path / "a.h5")
