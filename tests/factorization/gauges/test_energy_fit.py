# SPDX-License-Identifier: Apache-2.0
"""The search for a fit whose energy holds: its rule, by a reference that answers as told."""

from dataclasses import dataclass, field

import numpy as np
import pytest

import qlowrank as ql
from qlowrank.checks import InputError, NotConvergedError
from qlowrank.factorization.gauges import energy_fit


@dataclass(frozen=True)
class Answer:
    error: float


@dataclass
class Scripted:
    """Measures what it was told to; None stands for a measurement that does not converge."""

    state: object
    errors: list
    seen: list = field(default_factory=list)

    def spin_densities(self):
        return self.state.spin_densities()

    def error(self, factorization):
        self.seen.append(factorization)
        value = self.errors[len(self.seen) - 1]
        if value is None:
            raise NotConvergedError("no", best=None)
        return Answer(value)


@pytest.fixture(scope="module")
def water():
    hamiltonian = ql.from_example("water")
    start = ql.encode_squares(hamiltonian, method=ql.GaugeDescent(30))
    return hamiltonian, ql.hartree_fock_state(hamiltonian), start


def searched(water, errors, **settings):
    hamiltonian, state, start = water
    settings = {"max_steps": 4, "target_energy_error": 2e-4, **settings}
    return ql.fit_squares_to_energy(start, hamiltonian, Scripted(state, errors), **settings)


def test_the_first_that_holds_ends_it(water):
    found = searched(water, [-1.9e-4])
    assert (found.converged, len(found.trials)) == (True, 1)
    assert found.energy_error == found.uncorrected_error == -1.9e-4
    assert found.trials[0].weight == energy_fit.WEIGHT
    assert found.trials[0].one_norm == found.fit.encoding.one_norm()


def test_steps_and_trials_are_reported(water):
    seen = []
    searched(water, [8e-4, 1e-4], progress=lambda *step: seen.append(step))
    assert [step for step in seen if step[0] == "measuring fits"] == [
        ("measuring fits", 1, None),
        ("measuring fits", 2, None),
    ]
    assert sum(step[0] == "fitting leaves of low rank" for step in seen) == 2 * 4 + 2 * 1


def test_near_ones_are_corrected_by_the_secant(water):
    """Asked for −e first; then, where that moved 0.5 of what was asked, for twice the rest."""
    found = searched(water, [8e-4, 4e-4, 1e-4])
    assert found.converged
    np.testing.assert_allclose([t.pair_energy for t in found.trials], [0, -8e-4, -1.6e-3])
    assert (found.energy_error, found.uncorrected_error) == (1e-4, 8e-4)
    assert len({(t.weight, t.cut) for t in found.trials}) == 1
    assert "0.800 before correction" in repr(found)


def test_far_ones_are_made_finer_and_never_corrected(water):
    found = searched(water, [1.1e-3, None, -1e-4])
    assert found.converged
    assert [t.pair_energy for t in found.trials] == [0.0, 0.0, 0.0]
    assert [t.weight / energy_fit.WEIGHT for t in found.trials] == [1, 2, 4]
    assert [t.cut / energy_fit.CUT for t in found.trials] == [1, 0.5, 0.25]
    assert np.isnan(found.trials[1].energy_error)
    assert found.trials[2].n_eigenvectors > found.trials[0].n_eigenvectors


def test_the_best_is_returned_where_none_holds(water):
    hamiltonian, state, start = water
    reference = Scripted(state, [5e-3, -9e-4, 3e-4, 4e-4])
    found = ql.fit_squares_to_energy(start, hamiltonian, reference, max_steps=4, max_fits=2)
    assert not found.converged
    assert "no trial is within 0.2 mHartree at a one-norm below" in found.message
    assert (found.energy_error, found.uncorrected_error) == (3e-4, -9e-4)
    assert found.fit.factorization is reference.seen[2]


def test_a_fit_that_costs_more_than_the_exact_encoding_is_not_taken():
    """Of two orbitals, the first cuts leave so little that the one-norm rises."""
    hamiltonian = ql.from_example("h2")
    start = ql.encode_squares(hamiltonian)
    reference = ql.coupled_cluster_reference(hamiltonian)
    found = ql.fit_squares_to_energy(start, hamiltonian, reference)
    assert found.trials[0].one_norm > start.one_norm()
    assert len({trial.weight for trial in found.trials}) > 1
    assert found.converged
    assert found.fit.encoding.one_norm() < start.one_norm()
    assert abs(found.energy_error) <= 2e-4


def test_the_secant_keeps_its_head():
    assert energy_fit._slope([0.0], [1.0]) == 1.0
    assert energy_fit._slope([0.0, -1.0], [1.0, 0.99]) == 0.3
    assert energy_fit._slope([0.0, -1.0], [1.0, -9.0]) == 3.0
    assert energy_fit._slope([0.0, -1.0], [1.0, 1.2]) == 1.0


def test_on_a_molecule_the_energy_holds(water):
    """Full CI is the judge of what CCSD(T) was asked for: 0.2 mHartree, and what CCSD(T) misses."""
    hamiltonian, _, start = water
    reference = ql.coupled_cluster_reference(hamiltonian)
    found = ql.fit_squares_to_energy(start, hamiltonian, reference)
    assert found.converged
    assert abs(found.energy_error) <= 2e-4
    assert found.fit.encoding.one_norm() < start.one_norm()
    exact = ql.fci_state(hamiltonian).energy
    fitted = ql.fci_state(found.fit.factorization.to_hamiltonian()).energy
    assert fitted - exact == pytest.approx(found.energy_error, abs=1e-4)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"target_energy_error": 0.0}, "target_energy_error"),
        ({"max_fits": 0}, "max_fits must be at least 1"),
        ({"weight": -1.0}, "weight"),
        ({"cut": np.inf}, "cut"),
    ],
)
def test_bad_numbers(water, change, match):
    with pytest.raises(InputError, match=match):
        searched(water, [0.0], **change)


def test_a_reference_must_measure(water):
    hamiltonian, state, start = water
    with pytest.raises(InputError, match="must measure energies"):
        ql.fit_squares_to_energy(start, hamiltonian, state)
