# SPDX-License-Identifier: Apache-2.0
"""Post-selection: what counts, what that does to the energy, and how well the shift is known."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorSampler

from qlowrank.checks import InputError
from qlowrank.circuits import determinant_circuit
from qlowrank.measurement import (
    AllShots,
    Measurements,
    PostSelected,
    plan_measurement,
    simulate_counts,
)
from qlowrank.measurement.outcomes import Outcomes
from qlowrank.states import hartree_fock_state

EPS = np.finfo(float).eps


def with_readout_errors(measured, probability, rng):
    """The same shots, every bit read wrongly with a probability."""
    rows = np.repeat(measured.bits, measured.counts, axis=0)
    owners = np.repeat(measured.groups, measured.counts)
    rows = rows ^ (rng.random(rows.shape) < probability)
    found = [
        Outcomes(None, None, rows[owners == group], np.ones(np.sum(owners == group), int))
        for group in range(measured.n_groups)
    ]
    empty = Measurements(
        measured.circuits, measured.n_groups, np.zeros(0, int), measured.bits[:0], np.zeros(0, int)
    )
    return empty.including(found, range(measured.n_groups))


@pytest.fixture(scope="module")
def noisy(system):
    """H3, (2, 1) electrons, one bit in fifty read wrongly."""
    molecule, rng = system("h3"), np.random.default_rng(7)
    measured = simulate_counts(molecule.plan, molecule.state, rng=rng)
    return molecule, with_readout_errors(measured, 0.02, rng)


@pytest.mark.parametrize("name", ["h2", "h3", "lih"])
def test_nothing_changes_without_noise(name, system, rng):
    molecule = system(name)
    measured = simulate_counts(molecule.plan, molecule.state, rng=rng)
    selected = molecule.plan.estimate(measured, selection=PostSelected())
    plain = molecule.plan.estimate(measured)

    assert selected.energy == plain.energy
    assert selected.standard_error == plain.standard_error
    assert not selected.selection.discarded.any()
    assert (selected.selection.shift, selected.selection.shift_error) == (0.0, 0.0)
    assert selected.selection.method == "post-selected"
    assert plain.selection.method == "all"
    assert selected.kept_share == plain.kept_share == 1.0


def test_every_group_shows_the_numbers_of_electrons(system):
    """One electron too many or too few before the rotation: no shot of any group counts.

    Many groups of LiH leave orbitals together that they do not depend on; their bits mean nothing
    one by one, and still the sum over each spin is its number of electrons.
    """
    plan, state = system("lih").plan, hartree_fock_state(system("lih").hamiltonian)
    assert sum(not group.needed.all() for group in plan.groups) >= 10
    plan = plan.with_shots(np.full(plan.n_groups, 3))
    for flips, wrong in (((), 0), ((0,), 3), ((11,), 3)):
        preparation = determinant_circuit(state.orbitals, state.nelec)
        for flip in flips:
            preparation.x(flip)
        result = StatevectorSampler(seed=1).run(plan.pubs(preparation)).result()
        assert (plan.estimate(result).wrong_sector == wrong).all()

    with pytest.raises(InputError, match=r"Group 0 has 0 of 3 shots that count \(post-selected\)"):
        plan.estimate(result, selection=PostSelected())


def test_numbers_of_one_spin_are_not_enough(system):
    """An electron moved from alpha to beta keeps the total: each spin is looked at by itself."""
    plan = system("h3").plan
    swapped = QuantumCircuit(6)
    swapped.x([0, 3, 4])
    result = StatevectorSampler(seed=1).run(plan.pubs(swapped)).result()
    assert (plan.estimate(result).wrong_sector == plan.shots).all()


def test_only_shots_of_the_sector_count(noisy):
    """Means, variances and shots by the shot, and the shift with its error, by the formulas."""
    molecule, measured = noisy
    plan, norb = molecule.plan, molecule.plan.norb
    estimate = plan.estimate(measured, selection=PostSelected())
    raw = plan.estimate(measured, selection=AllShots())

    shift, squared = 0.0, 0.0
    for number, group in enumerate(plan.groups):
        bits, counts = measured.of_group(number)
        rows = np.repeat(bits, counts, axis=0).astype(float)
        right = (rows[:, :norb].sum(1) == 2) & (rows[:, norb:].sum(1) == 1)
        values = group.values(rows[:, :norb], rows[:, norb:])
        size = 64 * EPS * max(np.abs(values).max(), 1.0) ** 2
        assert estimate.shots[number] == right.sum()
        assert estimate.selection.discarded[number] == (~right).sum()
        assert estimate.means[number] == pytest.approx(values[right].mean(), abs=size)
        assert estimate.variances[number] == pytest.approx(values[right].var(ddof=1), abs=size)
        shift += values[right].mean() - values.mean()
        moves = right * (values - values[right].mean()) / right.mean() - (values - values.mean())
        squared += moves.var(ddof=1) / len(moves)
    error = np.sqrt(np.sum(estimate.variances / estimate.shots))
    assert estimate.sample_standard_error == pytest.approx(error, rel=1e-12)
    assert estimate.selection.shift == pytest.approx(shift, abs=1e-12)
    assert estimate.selection.shift == pytest.approx(estimate.energy - raw.energy, abs=1e-12)
    assert estimate.selection.shift_error == pytest.approx(np.sqrt(squared), rel=1e-10)
    assert (raw.wrong_sector == estimate.wrong_sector).all()
    assert estimate.wrong_sector.sum() > 1000
    assert estimate.total_shots == raw.total_shots == measured.total_shots


def test_selection_brings_the_energy_closer(noisy):
    """Reading errors mostly change a number of electrons; the shift says that they mattered."""
    molecule, measured = noisy
    raw = molecule.plan.estimate(measured)
    selected = molecule.plan.estimate(measured, selection=PostSelected())
    exact = molecule.state.energy

    # the raw bias is far outside its error bar, and the shift is significant
    assert abs(raw.energy - exact) > 5 * raw.standard_error
    assert abs(selected.selection.shift) > 5 * selected.selection.shift_error
    assert abs(selected.energy - exact) < abs(raw.energy - exact) / 2
    assert "left out, which moved it by" in repr(selected)
    assert "left out" not in repr(raw)


def test_the_error_of_the_shift_is_its_spread(system):
    """Over 200 runs the spread of the shift is what each run says it is."""
    molecule, rng, runs = system("h2"), np.random.default_rng(11), 200
    found = []
    for _ in range(runs):
        measured = simulate_counts(molecule.plan, molecule.state, rng=rng)
        measured = with_readout_errors(measured, 0.03, rng)
        found.append(molecule.plan.estimate(measured, selection=PostSelected()).selection)
    spread = np.std([outcome.shift for outcome in found], ddof=1)
    stated = np.sqrt(np.mean([outcome.shift_error**2 for outcome in found]))

    # A standard deviation of n normal numbers is known to 1 / sqrt(2 (n - 1)); four times that is
    # exceeded once in 16 000 seeds.
    assert abs(spread / stated - 1) < 4 / np.sqrt(2 * (runs - 1))


def test_one_shot_that_counts_is_too_few(system):
    plan = plan_measurement(system("h2").factorization, system("h2").state, precision=0.1)
    good, bad = [True, False, True, False], [True, True, False, False]
    bits = np.array([bad, good])
    counts = np.array([[shots - 1, 1] for shots in plan.shots])
    found = [Outcomes(None, None, bits, number) for number in counts]
    measured = Measurements.empty(plan).including(found, range(plan.n_groups))

    assert plan.estimate(measured).wrong_sector.tolist() == (plan.shots - 1).tolist()
    with pytest.raises(InputError, match=r"1 of \d+ shots that count .* 2 are needed.*AllShots"):
        plan.estimate(measured, selection=PostSelected())
