# SPDX-License-Identifier: Apache-2.0
"""The schedule of DMRG, with a session that plays back numbers instead of block2."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyscf.fci import direct_nosym

from qlowrank.checks import InputError, NotConvergedError
from qlowrank.states.dmrg import Block2DMRG, Convergence
from qlowrank.states.dmrg.record import Blocks, Integrals, Trial

INTEGRALS = Integrals(np.zeros((2, 2)), np.zeros((2,) * 4), 0.0, (1, 0))

TRIAL = Trial(occupations=np.array([0.8, 0.2]), energy=-0.4)

ELECTRON = Blocks(
    table=np.array([[0, 1, 0, 0, 1, 1, 1, 1], [1, 0, 1, 1, 1, 1, 1, 1]]),
    values=np.array([2.0, 1.0]),
    centre=0,
)
"""One alpha electron on the first of two orbitals, of norm 2."""


class Played:
    """A session whose sweeps return given energies; an exception among them is raised."""

    def __init__(self, energies, found=()):
        self.energies = iter(energies)
        self.found = iter(found)
        self.begun = []
        self.asked = []

    def __call__(self, integrals, settings):
        self.settings = settings
        return self._open()

    @contextmanager
    def _open(self):
        yield self

    def begin(self, bond, seed, occupations):
        self.begun.append((bond, seed, occupations))

    def sweep(self, bond, noise, threshold):
        self.asked.append((bond, noise))
        energy = next(self.energies)
        if isinstance(energy, BaseException):
            raise energy
        return energy, 10.0 ** -len(self.asked)

    def state(self):
        return ELECTRON, next(self.found, -0.5)


def test_stages_double_and_noise_ends():
    played = Played([-1, -2, -3, -4, -4, -5, -6, -6])
    method = Block2DMRG(stages=2)
    calls = []
    solution = method.solve(
        INTEGRALS, TRIAL, 8, opened=played, progress=lambda *call: calls.append(call)
    )
    bonds, noises = zip(*played.asked, strict=True)
    assert bonds == (4,) * 5 + (8,) * 3
    assert [noise > 0 for noise in noises] == [True] * 3 + [False] * 2 + [True, False, False]
    convergence = solution.convergence
    assert convergence.status == "converged"
    assert convergence.converged
    assert convergence.bond_dimensions.tolist() == [4, 8]
    assert convergence.energies.tolist() == [-4, -6]
    assert convergence.sweeps.tolist() == [5, 3]
    assert solution.energy == -0.5
    assert solution.mps.norm() == pytest.approx(1.0)
    assert solution.mps.to_ci()[0, 0] == pytest.approx(1.0)
    ((bond, seed, occupations),) = played.begun
    assert (bond, seed) == (20, 7)
    np.testing.assert_allclose(occupations, [0.86, 0.44])  # 0.3 of the way from 0.8, 0.2 to one
    assert calls[-1] == ("DMRG sweeps, bond 8", 8, 60)


ENDS = [
    (KeyboardInterrupt(), "interrupted"),
    (OSError("There is no room left"), "stopped: There is no room left"),
    (NotConvergedError("block2 ended with status 9"), "stopped: block2 ended with status 9"),
]


@pytest.mark.parametrize(("end", "status"), ENDS)
def test_an_early_end_keeps_the_last_sweep(end, status):
    solution = Block2DMRG().solve(INTEGRALS, TRIAL, 8, opened=Played([-1, -2, -3, end]))
    assert solution.convergence.status == status
    assert not solution.convergence.converged
    assert solution.convergence.energies.tolist() == [-3]
    assert solution.energy == -0.5
    assert solution.mps.norm() == pytest.approx(1.0)


@pytest.mark.parametrize(("end", "status"), ENDS)
def test_an_end_before_the_first_sweep_is_passed_on(end, status):
    with pytest.raises(type(end)):
        Block2DMRG().solve(INTEGRALS, TRIAL, 8, opened=Played([end]))


def test_sweeps_that_run_out_are_told():
    played = Played(-float(k) for k in range(100))
    solution = Block2DMRG(stages=2, max_sweeps=6).solve(INTEGRALS, TRIAL, 8, opened=played)
    assert solution.convergence.status == "not converged"
    assert solution.convergence.sweeps.tolist() == [6, 6]


def convergence(energies, weights):
    count = len(energies)
    return Convergence(np.arange(count), np.array(energies), np.array(weights), np.ones(count), "")


def test_a_straight_line_is_followed():
    weights = np.array([4e-4, 2e-4, 1e-4])
    found = convergence(-2.0 + 3 * weights, weights).extrapolation()
    assert found.energy == pytest.approx(-2.0, abs=1e-12)
    assert found.uncertainty == pytest.approx(3e-4 * 2**0.5, rel=1e-6)


def test_the_uncertainty_reaches_to_the_other_line():
    """Where energies follow the root of the weight, the exact one is just within."""
    weights = np.array([4e-2, 1e-2, 1e-3])
    found = convergence(-2.0 + 3 * weights**0.5, weights).extrapolation()
    assert abs(found.energy - -2.0) == pytest.approx(found.uncertainty, rel=1e-9)


def test_no_line_no_extrapolation():
    one = convergence([-1.0], [1e-6]).extrapolation()
    assert (one.energy, one.uncertainty) == (-1.0, 0.0)
    rising = convergence([-1.0, -1.5, -1.6], [1e-6, 2e-6, 1e-6]).extrapolation()
    assert (rising.energy, rising.uncertainty) == (-1.6, pytest.approx(0.6))
    nothing = convergence([-1.0, -1.5], [1e-6, 0.0]).extrapolation()
    assert (nothing.energy, nothing.uncertainty) == (-1.5, 0.0)


def test_a_start_above_the_determinant_is_given_up():
    """The second start ends below it, so that there is no third."""
    stage = [-1.0, -1.0, -1.0, -1.0]
    played = Played(stage * 2, found=[-0.3] * 4 + [-0.5] * 4)
    solution = Block2DMRG(stages=1).solve(INTEGRALS, TRIAL, 8, opened=played)
    assert [seed for _, seed, _ in played.begun] == [7, 8]
    assert solution.convergence.status == "converged"
    assert solution.convergence.sweeps.tolist() == [4]
    assert solution.energy == -0.5


def test_a_state_above_the_determinant_is_told():
    played = Played([-1.0] * 12, found=[-0.3] * 12)
    solution = Block2DMRG(stages=1).solve(INTEGRALS, TRIAL, 8, opened=played)
    assert len(played.begun) == 3
    assert np.array_equal(played.begun[-1][2], np.ones(2))
    assert solution.convergence.status == "above the Hartree-Fock energy, -0.400000 Hartree"
    assert not solution.convergence.converged


@given(st.integers(0, 2**32 - 1), st.floats(1e-12, 1e-1))
def test_left_out_integrals_change_no_energy_by_more(seed, energy):
    """In a random state of two alpha and one beta electron, and with integrals of all sizes."""
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((4, 3, 3)) * 10.0 ** rng.uniform(-5, 0, (4, 3, 3))
    factors += factors.transpose(0, 2, 1)
    two_body = np.einsum("tpq,trs->pqrs", factors, factors)
    kept = Integrals(np.zeros((3, 3)), two_body, 0.0, (2, 1)).without_negligible(energy).two_body
    state = rng.standard_normal((3, 3))
    state /= np.linalg.norm(state)
    change = direct_nosym.energy(np.zeros((3, 3)), two_body - kept, state, 3, (2, 1))
    assert abs(change) <= energy * (1 + 1e-9)
    assert np.array_equal(kept, np.where(kept == 0, 0.0, two_body))


def test_refusals():
    for name in ("stages", "max_sweeps", "starts", "threads", "memory"):
        with pytest.raises(InputError, match=f"{name} must be at least 1; got 0"):
            Block2DMRG(**{name: 0})
    with pytest.raises(InputError, match="tolerance must be above 0"):
        Block2DMRG(tolerance=0.0)
