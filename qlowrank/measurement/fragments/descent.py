# SPDX-License-Identifier: Apache-2.0
r"""Gauss-Newton steps on orbital frames, damped as by Levenberg and Marquardt.

Turning a frame by small angles κ adds Σ κ_pq [X_pq, F_g] to a group, with
X_pq = a†_p a_q − a†_q a_p. To first order these tangents are more features of the group: they have
coordinates, and covariances with the features and each other, as those have. So the same convex
problem, with the penalty μ |κ_g|² w_g on the tangents, yields cores, and angles to turn by.
"""

from dataclasses import dataclass

import numpy as np

from qlowrank.checks import Array
from qlowrank.lowrank import Progress
from qlowrank.measurement.fragments.design import Solution, design, solve
from qlowrank.measurement.fragments.setting import Setting
from qlowrank.measurement.fragments.turning import turned

FIRST_TURNS = 10
"""Turns of the convex problem before the first step."""

MEMORY = 10
"""Steps over which too small a gain ends the descent."""

LEAST_GAIN = 1e-2
"""That gain, relative."""

ATTEMPTS = 8
"""Times the damping is raised before a step is given up."""

LEAST_DAMPING = 1e-9
"""Of the value to lower; below this the damping no longer shortens steps."""

NOTHING = 1e-12
"""Variance below which nothing is left to gain, relative to the Hamiltonian's squared size."""


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a descent ended, and why."""

    frames: Array
    """U, shape (n_groups, norb, norb)."""
    solution: Solution
    """The convex problem's, for these frames."""
    converged: bool
    """Whether gains had become small."""
    steps: int
    """Steps taken."""
    message: str
    """Why it stopped."""


@dataclass(frozen=True, eq=False)
class Slope:
    """Columns and covariances of features and tangents at a point."""

    columns: tuple[Array, ...]
    """Shape (n_coordinates, width + n_pairs) for every group."""
    covariances: tuple[Array, ...]
    """Without the damping, of order width + n_pairs."""


def descend(
    setting: Setting, frames: Array, *, max_steps: int, progress: Progress | None = None
) -> Descent:
    """Turn frames until little is gained.

    Args:
        setting: Hamiltonian and state.
        frames: Where to start, shape (n_groups, norb, norb).
        max_steps: Steps at most.
        progress: Called once a step.
    """
    problem = setting.design(frames)
    solution = solve(problem, np.full(len(frames), 1 / len(frames)))
    for _ in range(FIRST_TURNS):
        solution = solve(problem, solution.improved_shares)
    damping, values = solution.value, [solution.spread]
    small = NOTHING * float(setting.target @ setting.target)
    for step in range(max_steps):
        if solution.spread <= small:
            return Descent(frames, solution, True, step, "no variance is left")
        moved = _step(setting, frames, solution, damping)
        if moved is None:
            return Descent(frames, solution, True, step, "no step lowers the cost any more")
        frames, solution, damping = moved
        values.append(solution.spread)
        if progress is not None:
            progress("fragments", step + 1, max_steps)
        if len(values) > MEMORY and values[-1 - MEMORY] <= (1 + LEAST_GAIN) * values[-1]:
            message = f"the last {MEMORY} steps gained less than {LEAST_GAIN:.0%}"
            return Descent(frames, solution, True, step + 1, message)
    return Descent(frames, solution, False, max_steps, f"stopped after {max_steps} steps")


def _step(
    setting: Setting, frames: Array, solution: Solution, damping: float
) -> tuple[Array, Solution, float] | None:
    """Return frames, solution and damping after one step; None where none goes down."""
    slope = slope_at(setting, frames, solution)
    shares, value = solution.improved_shares, solution.spread
    for _ in range(ATTEMPTS):
        predicted, angles = directions(setting, slope, shares, damping)
        trial_frames = turned(frames, angles)
        trial = solve(setting.design(trial_frames), shares)
        if trial.value < value and setting.exact(trial):
            ratio = (value - trial.value) / (value - predicted) if predicted < value else 1.0
            factor = 1 / 3 if ratio > 0.5 else 2.0 if ratio < 0.2 else 1.0
            return trial_frames, trial, max(damping * factor, LEAST_DAMPING * trial.value)
        damping *= 4
    return None


def slope_at(setting: Setting, frames: Array, solution: Solution) -> Slope:
    """Return features and tangents of every group."""
    basis, width = setting.basis, setting.width
    n_pairs = setting.sector.pairs.shape[1]
    joint = np.zeros((basis.shape[0] + n_pairs, width + n_pairs))
    joint[: basis.shape[0], :width] = basis
    joint[basis.shape[0] :, width:] = np.eye(n_pairs)
    columns, covariances = [], []
    for frame, reduced in zip(frames, solution.coefficients, strict=True):
        coefficients = basis @ reduced
        rotated = setting.statistics.rotated(setting.vector, frame)
        covariance = setting.statistics.joint_covariance(rotated, coefficients)
        covariance = joint.T @ covariance @ joint
        covariance[np.diag_indices(width)] += setting.regularization
        columns.append(
            np.hstack(
                [
                    setting.constraints.columns(frame) @ basis,
                    setting.constraints.tangents(frame, coefficients),
                ]
            )
        )
        covariances.append(covariance)
    return Slope(tuple(columns), tuple(covariances))


def directions(
    setting: Setting, slope: Slope, shares: Array, damping: float
) -> tuple[float, Array]:
    """Return the predicted value and the angles to turn every frame by."""
    width = setting.width
    damped = []
    for covariance, share in zip(slope.covariances, shares, strict=True):
        matrix = covariance.copy()
        tangents = np.arange(width, len(matrix))
        matrix[tangents, tangents] += damping * share
        damped.append(matrix)
    found = solve(design(slope.columns, damped, setting.target), shares)
    return found.value, found.coefficients[:, width:]
