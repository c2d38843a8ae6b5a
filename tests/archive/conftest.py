# SPDX-License-Identifier: Apache-2.0
"""Records of every kind, a way to compare them, and a way to forge an archive with good hashes."""

import dataclasses

import h5py
import numpy as np
import pytest

import qlowrank as ql
from qlowrank.archive import RunRecord
from qlowrank.archive.datasets import content_digest, digest
from qlowrank.measurement.outcomes import Outcomes


def random_measurements(plan, rng):
    """Shots of random outcomes, nine in ten of them with the plan's numbers of electrons."""
    bits = rng.random((plan.total_shots, 2 * plan.norb)) < 0.5
    for shot in np.flatnonzero(rng.random(len(bits)) < 0.9):
        bits[shot] = False
        bits[shot, rng.permutation(plan.norb)[: plan.nelec[0]]] = True
        bits[shot, plan.norb + rng.permutation(plan.norb)[: plan.nelec[1]]] = True
    parts = np.split(bits, plan.shots.cumsum()[:-1])
    found = [Outcomes(None, None, part, np.ones(len(part), int)) for part in parts]
    return ql.Measurements.empty(plan).including(found, range(plan.n_groups))


@pytest.fixture(scope="session")
def records():
    """One record of every kind, of one study: H2 in 6-31G, truncated so that residuals show."""
    hamiltonian = ql.from_example("h2", basis="6-31g", tolerance=3e-3)
    factorization = ql.double_factorize(hamiltonian)
    state = ql.fci_state(hamiltonian)
    plan = ql.plan_measurement(factorization, state, precision=1e-2)
    measured = random_measurements(plan, np.random.default_rng(2))
    mps = ql.mps_from_ci(state.vector, state.norb, state.nelec)
    return {
        "hamiltonian": hamiltonian,
        "factorization": factorization,
        "gauge_status": ql.optimize_gauge(
            hamiltonian, method=ql.GaugeDescent(max_steps=2)
        ).optimizer,
        "compressed": ql.compress(factorization, n_leaves=4, objective=ql.SectorError()),
        "hypercontraction": ql.hypercontract(hamiltonian, n_points=8),
        "square_fit": ql.fit_squares(
            ql.encode_squares(hamiltonian, method=ql.GaugeDescent(max_steps=5)),
            hamiltonian,
            ql.hartree_fock_state(hamiltonian),
            cut=1e-3,
            max_steps=5,
        ),
        "determinant_state": ql.hartree_fock_state(hamiltonian),
        "cisd_state": ql.cisd_state(hamiltonian),
        "fci_state": state,
        "mps_state": ql.ground_state_mps(hamiltonian),
        "mps": mps,
        "entanglement": ql.entanglement(mps),
        "plan": plan,
        "measurements": measured,
        "estimate": plan.estimate(measured, selection=ql.PostSelected()),
        "experiments": ql.simulate_measurement(
            plan, state, repetitions=50, rng=np.random.default_rng(1)
        ),
        "run": RunRecord(command="run", parameters='{"state": "fci"}', seed=1),
    }


@pytest.fixture
def archive(records, tmp_path):
    """Path of an archive of all of them."""
    path = tmp_path / "study.h5"
    ql.save(path, *records.values())
    return path


@pytest.fixture(scope="session")
def same():
    """A function that fails unless two values are the same to the last bit, types included."""

    def compare(old, new):
        assert type(new) is type(old)
        if dataclasses.is_dataclass(old):
            for field in dataclasses.fields(old):
                compare(getattr(old, field.name), getattr(new, field.name))
        elif isinstance(old, np.ndarray):
            assert new.dtype == old.dtype
            assert new.shape == old.shape
            assert new.tobytes() == old.tobytes()
            assert not new.flags.writeable
        elif isinstance(old, tuple):
            assert len(new) == len(old)
            for one, other in zip(old, new, strict=True):
                compare(one, other)
        elif isinstance(old, float):
            assert new.hex() == old.hex()
        else:
            assert new == old

    return compare


@pytest.fixture
def forge():
    """A function that changes datasets and makes all hashes right again, as a forger would."""

    def change(path, **changes):
        with h5py.File(path, "r+") as file:
            for name, function in changes.items():
                dataset = file[name]
                dataset[()] = function(dataset[()])
                dataset.attrs["sha256"] = digest(np.asarray(dataset[()]))
            digests = {}
            file.visititems(
                lambda name, item: (
                    digests.update({name: item.attrs["sha256"]})
                    if isinstance(item, h5py.Dataset)
                    else None
                )
            )
            file.attrs["content_sha256"] = content_digest(digests.items())

    return change
