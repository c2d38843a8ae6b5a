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
from qlowrank.measurement import Bias

FOLDER = Path(__file__).parent / "golden"
GOLDEN = FOLDER / "v1.h5"
SECOND = FOLDER / "v2.h5"
THIRD = FOLDER / "v3.h5"
NEXT = SCHEMA_VERSION + 1


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
    assert plan.bias == Bias(0.0, "sector", 0)
    assert plan.pricing.spent.tolist() == [0, 0, 0, 0]
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


def test_version_two_is_read():
    """LiH in STO-3G at 1.0 Å, truncated and measured; the numbers are those of that day."""
    study = ql.load(SECOND)

    assert study.provenance["schema_version"] == 2
    assert study.kinds[-4:] == ("plan", "measurements", "estimate", "run")
    plan, measured = study.plan, study.measurements
    assert (plan.bias.scope, plan.bias.dropped) == ("sector", 3)
    assert plan.bias.bound == 0.0011841982515738753
    assert (plan.n_groups, plan.total_shots) == (19, 8043)
    assert plan.circuits_id == measured.circuits == "8ac920582d0d2ba9"
    assert (measured.total_shots, len(measured.counts)) == (8043, 227)
    assert study.estimate.energy == -7.810386779645184
    assert study.estimate.selection.method == "post-selected"
    assert study.estimate.shots.tolist() == plan.shots.tolist()
    assert study.state.energy == -7.784460280031227


def test_version_two_is_verified():
    verification = ql.verify(SECOND)

    assert verification.passed
    assert "estimate: means from the counts" in {check.name for check in verification.checks}


def test_version_two_took_its_errors_from_samples():
    estimate = ql.load(SECOND).estimate

    np.testing.assert_array_equal(estimate.believed, estimate.variances)
    assert estimate.sample_standard_error == pytest.approx(estimate.standard_error, rel=1e-14)


def test_version_three_is_read_and_verified():
    """H2 in STO-3G at 1.0 Å, measured and simulated; the numbers are those of that day."""
    study, verification = ql.load(THIRD), ql.verify(THIRD)

    assert study.provenance["schema_version"] == 3
    estimate, experiments = study.estimate, study.experiments
    assert estimate.standard_error == 0.051929011517484865
    assert estimate.sample_standard_error == 0.059478369952761664
    assert experiments.standard_errors[0] == 0.05075551278958709
    assert experiments.sample_standard_errors[0] == 0.050587613647973234
    assert verification.passed
    names = {check.name for check in verification.checks}
    assert "estimate: believed variances from the counts" in names


def test_an_estimate_of_version_one_counted_all_shots(tmp_path, records):
    """Version 1 had estimates without their shots: those of the plan beside them, or unknown."""
    new = ("shots", "selection/method", "selection/discarded", "selection/shift")
    estimate = records["plan"].estimate(records["measurements"])
    for held, shots in (((records["plan"],), records["plan"].shots), ((), 0 * estimate.shots)):
        path = tmp_path / "old.h5"
        ql.save(path, *held, estimate, overwrite=True)
        with h5py.File(path, "r+") as file:
            file.attrs["schema_version"] = 1
            for name in (*new, "selection/shift_error"):
                del file[f"estimate/{name}"]
        back = ql.load(path).estimate

        assert back.energy == estimate.energy
        assert back.shots.tolist() == shots.tolist()
        assert back.selection.method == "all"
        assert not back.selection.discarded.any()
        assert (back.selection.shift, back.selection.shift_error) == (0.0, 0.0)


@pytest.fixture
def next_version(monkeypatch):
    """A qlowrank of the future: kappa is renamed, the rank left out, a constant comes apart."""

    def migrate(datasets):
        new = dict(datasets)
        new["hamiltonian/kappa"] = new.pop("hamiltonian/chi")
        new["hamiltonian/truncation/rank"] = np.array(len(new["hamiltonian/factors"]))
        new["hamiltonian/source/molecule"] = None
        return new

    for module in (migrations, opening, check_integrity):
        monkeypatch.setattr(module, "SCHEMA_VERSION", NEXT)
    monkeypatch.setitem(migrations.MIGRATIONS, SCHEMA_VERSION, migrate)


def test_an_old_file_is_migrated_as_it_is_read(next_version, tmp_path, records):
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
        file.attrs["schema_version"] = NEXT
    message = (
        f"schema version {NEXT}, and this qlowrank reads up to {SCHEMA_VERSION}. Upgrade qlowrank"
    )

    for verb in (ql.load, ql.verify):
        with pytest.raises(InputError, match=message):
            verb(tmp_path / "a.h5")
