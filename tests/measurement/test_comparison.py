# SPDX-License-Identifier: Apache-2.0
"""The comparison says of each method what its own functions say."""

import numpy as np
import pytest

import qlowrank as ql
from qlowrank import measurement as m
from qlowrank.measurement import comparison as module
from qlowrank.report.comparison_plot import comparison_figure


@pytest.fixture(scope="module")
def lih():
    hamiltonian = ql.from_example("lih")
    return ql.double_factorize(hamiltonian, gauge=ql.EigenGauge()), ql.fci_state(hamiltonian)


@pytest.fixture(scope="module")
def comparison(lih):
    methods = [ql.PlainFragments(), ql.FluidFragments()]
    return ql.compare_measurements(*lih, methods=methods, repetitions=300, seed=4)


def test_rows_are_the_published_and_the_planned(lih, comparison):
    """Sorted insertion on LiH: 0.953 (qubit-wise) and 0.882 (fully commuting), Choi et al. 2022."""
    assert comparison["Pauli, qubit-wise, interleaved"].epsilon2_shots == pytest.approx(
        0.953, abs=5e-4
    )
    assert comparison["Pauli, fully commuting"].epsilon2_shots == pytest.approx(0.882, abs=5e-4)
    plan = ql.plan_measurement(*lih, fragments=ql.FluidFragments())
    row = comparison["fluid"]
    assert row.epsilon2_shots == pytest.approx(plan.epsilon2_shots)
    assert row.total_shots == plan.total_shots
    assert row.two_qubit_depth == plan.max_two_qubit_depth()


def test_every_row_keeps_its_promise(comparison):
    """Sampled within what 300 normal energies allow: 5 sigma is 5/sqrt(2*300) = 20 %."""
    for row in comparison.rows:
        assert row.predicted_error <= comparison.precision
        assert row.sampled_error == pytest.approx(row.predicted_error, rel=0.21)


def test_same_seed_same_table(lih, comparison):
    again = ql.compare_measurements(*lih, methods=[ql.PlainFragments()], repetitions=300, seed=4)
    assert again.rows == comparison.rows[:4]


def test_table_and_picture(comparison, tmp_path):
    lines = str(comparison).splitlines()
    assert len(lines) == len(comparison.rows) + 2
    assert lines[1].startswith("Pauli, qubit-wise ")
    comparison_figure(comparison).savefig(tmp_path / "c.png")
    assert (tmp_path / "c.png").stat().st_size > 1000


def test_sampling_out_of_reach_is_said(lih, monkeypatch):
    monkeypatch.setattr(module, "MOST_AMPLITUDES", 10)
    comparison = ql.compare_measurements(*lih, methods=[], repetitions=2)
    assert all(np.isnan(row.sampled_error) for row in comparison.rows)
    assert str(comparison).splitlines()[1].split()[-3] == "-"
    comparison_figure(comparison)


def test_bad_input(lih, comparison):
    leaves, state = lih
    with pytest.raises(ql.InputError, match="full-CI"):
        ql.compare_measurements(leaves, ql.hartree_fock_state(ql.from_example("lih")))
    with pytest.raises(ql.InputError, match="at least 2"):
        ql.compare_measurements(leaves, state, repetitions=1)
    with pytest.raises(ql.InputError, match="precision"):
        ql.compare_measurements(leaves, state, precision=0.0)
    with pytest.raises(ql.InputError, match="There is no row 'best'"):
        comparison["best"]
    assert m.compare_measurements is ql.compare_measurements
