# SPDX-License-Identifier: Apache-2.0
"""The schedule of DMRG, with a session that plays back numbers instead of block2."""

from contextlib import contextmanager

import numpy as np
import pytest

from qlowrank.checks import InputError, NotConvergedError
from qlowrank.states.dmrg import Block2DMRG, Convergence
from qlowrank.states.dmrg.record import Blocks, Integrals

INTEGRALS = Integrals(np.zeros((2, 2)), np.zeros((2,) * 4), 0.0, (1, 0))

ELECTRON = Blocks(
    table=np.array([[0, 1, 0, 0, 1, 1, 1, 1], [1, 0, 1, 1, 1, 1, 1, 1]]),
    values=np.array([2.0, 1.0]),
    centre=0,
)
"""One alpha electron on the first of two orbitals, of norm 2."""


class Played:
    """A session whose sweeps return given energies; an exception among them is raised."""

    def __init__(self, energies):
        self.energies = iter(energies)
        self.asked = []

    def __call__(self, integrals, settings):
        self.settings = settings
        return self._open()

    @contextmanager
    def _open(self):
        yield self

    def sweep(self, bond, noise, threshold):
        self.asked.append((bond, noise))
        energy = next(self.energies)
        if isinstance(energy, BaseException):
            raise energy
        return energy, 10.0 ** -len(self.asked)

    def state(self):
        return ELECTRON, -0.5


def test_stages_double_and_noise_ends():
    played = Played([-1, -2, -3, -4, -4, -5, -6, -6])
    method = Block2DMRG(stages=2)
    calls = []
    solution = method.solve(INTEGRALS, 8, opened=played, progress=lambda *call: calls.append(call))
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
    assert played.settings.bond == 4
    assert calls[-1] == ("DMRG sweeps, bond 8", 8, 60)


ENDS = [
    (KeyboardInterrupt(), "interrupted"),
    (OSError("There is no room left"), "stopped: There is no room left"),
    (NotConvergedError("block2 ended with status 9"), "stopped: block2 ended with status 9"),
]


@pytest.mark.parametrize(("end", "status"), ENDS)
def test_an_early_end_keeps_the_last_sweep(end, status):
    solution = Block2DMRG().solve(INTEGRALS, 8, opened=Played([-1, -2, -3, end]))
    assert solution.convergence.status == status
    assert not solution.convergence.converged
    assert solution.convergence.energies.tolist() == [-3]
    assert solution.energy == -0.5
    assert solution.mps.norm() == pytest.approx(1.0)


@pytest.mark.parametrize(("end", "status"), ENDS)
def test_an_end_before_the_first_sweep_is_passed_on(end, status):
    with pytest.raises(type(end)):
        Block2DMRG().solve(INTEGRALS, 8, opened=Played([end]))


def test_sweeps_that_run_out_are_told():
    played = Played(-float(k) for k in range(100))
    solution = Block2DMRG(stages=2, max_sweeps=6).solve(INTEGRALS, 8, opened=played)
    assert solution.convergence.status == "not converged"
    assert solution.convergence.sweeps.tolist() == [6, 6]


def convergence(energies, weights):
    count = len(energies)
    return Convergence(np.arange(count), np.array(energies), np.array(weights), np.ones(count), "")


def test_a_straight_line_is_followed():
    weights = np.array([4e-4, 2e-4, 1e-4])
    found = convergence(-2.0 + 3 * weights, weights).extrapolation()
    assert found.energy == pytest.approx(-2.0, abs=1e-12)
    assert found.uncertainty == pytest.approx(3e-4 / 5, rel=1e-6)


def test_no_line_no_extrapolation():
    one = convergence([-1.0], [1e-6]).extrapolation()
    assert (one.energy, one.uncertainty) == (-1.0, 0.0)
    flat = convergence([-1.0, -1.5], [1e-6, 1e-6]).extrapolation()
    assert (flat.energy, flat.uncertainty) == (-1.5, 0.5)


def test_refusals():
    for name in ("stages", "max_sweeps", "threads", "memory"):
        with pytest.raises(InputError, match=f"{name} must be at least 1; got 0"):
            Block2DMRG(**{name: 0})
    with pytest.raises(InputError, match="tolerance must be above 0"):
        Block2DMRG(tolerance=0.0)
