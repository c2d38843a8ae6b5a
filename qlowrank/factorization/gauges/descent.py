# SPDX-License-Identifier: Apache-2.0
"""Descent over gauges: L-BFGS on Cayley coordinates, over corners that get sharper."""

from dataclasses import dataclass, field, replace

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.gauges.landscape import GaugeLandscape, GaugePoint
from qlowrank.factorization.lbfgs import descend
from qlowrank.lowrank import Progress

WIDTHS = (0.1, 0.03, 0.01, 0.003)
"""Widths of the rounded corners, in units of the largest shifted eigenvalue of a leaf, averaged
over leaves at the start."""

MEMORY = 30
"""Steps that L-BFGS remembers."""

STIR = 0.05
"""Size of the random mixing that fills empty leaves at the start."""

ROWS = 2.5
"""Size of the random rows there, in units of the root mean square of the factors."""


@dataclass(frozen=True, eq=False)
class GaugeStatus:
    """How the optimisation of a gauge went. The record beside it holds the best point seen."""

    method: str
    """Name of the method."""
    objective: str
    """What was minimised, in words."""
    converged: bool
    """Whether the last stage ended below the tolerance, and not at its limit of steps."""
    message: str
    """Why it stopped, in words."""
    widths: tuple[float, ...] = field(metadata={"units": "hartree^0.5", "axes": "stage"})
    """Width of the rounded corners in each stage, Hartree^½."""
    one_norms: Array = field(metadata={"units": "hartree", "axes": "point"})
    """One-norm at the start and after each stage, shape (n_stages + 1,), Hartree."""
    history: Array = field(metadata={"units": "hartree", "axes": "step"})
    """Rounded one-norm after every step of every stage, Hartree; it falls within a stage."""
    gradient_norm: float = field(metadata={"units": "hartree"})
    """Norm of the last gradient in the scaled coordinates, Hartree."""
    seed: int = field(metadata={"units": "1"})
    """Seed of the start."""

    def __post_init__(self) -> None:
        for name in ("one_norms", "history"):
            value = getattr(self, name)
            object.__setattr__(self, name, checks.readonly(name, value, np.shape(value)[:1]))

    @property
    def n_steps(self) -> int:
        """Steps taken, over all stages."""
        return len(self.history)

    def __repr__(self) -> str:
        """Say how it went."""
        return (
            f"GaugeStatus({self.method}: {self.objective} from {self.one_norms[0]:.4f} to "
            f"{self.one_norms.min():.4f} Hartree in {self.n_steps} steps, "
            f"{'converged' if self.converged else 'not converged'}: {self.message})"
        )


@dataclass(frozen=True, slots=True)
class GaugeDescent:
    r"""Method: L-BFGS over the orthogonal mixings of the factors.

    :math:`Q = (1 - X)^{-1} (1 + X) Q_0` with an antisymmetric X, whose entries are scaled by an
    estimate of their second derivatives. A nuclear norm has corners, so they are rounded, over four
    widths from a tenth of a leaf's typical largest eigenvalue to 3/1000 of it; each stage begins
    where the last one ended. The problem is not convex: another seed or another start may end
    elsewhere.

    Source:
        C. Zhu, R. H. Byrd, P. Lu, J. Nocedal, ACM Trans. Math. Softw. 23, 550 (1997) (L-BFGS-B).
    """

    max_steps: int = 200
    """Most steps in each of the four stages."""
    tolerance: float = 1e-8
    """A stage ends when a step lowers the one-norm by less than this share of it."""
    seed: int = 0
    """Seed of the mixing that fills further leaves at the start; without them nothing is random."""

    def __post_init__(self) -> None:
        if checks.whole("max_steps", self.max_steps) < 1:
            raise InputError(f"max_steps must be at least 1; got {self.max_steps}.")
        checks.positive("tolerance", self.tolerance)
        if checks.whole("seed", self.seed) < 0:
            raise InputError(f"seed must be at least 0; got {self.seed}.")

    @property
    def name(self) -> str:
        """Name to report."""
        return "gauge"

    def start(self, landscape: GaugeLandscape, n_projected: int) -> GaugePoint:
        """Return the factors with their median shifts, stirred where leaves are empty."""
        rank, n_pairs = landscape.factors.shape
        size = rank + n_projected
        full = np.append(landscape.factors.any(axis=1), np.zeros(n_projected, dtype=bool))
        rng = np.random.default_rng(self.seed)
        typical = np.sqrt(np.mean(landscape.factors[full[:rank]] ** 2)) if full.any() else 1.0
        rows = ROWS * typical * rng.standard_normal((n_projected, n_pairs))
        stir = STIR / np.sqrt(max(size, 1)) * rng.standard_normal((size, size))
        stir[np.ix_(full, full)] = 0.0
        point = GaugePoint(
            mixing=_cayley(stir - stir.T),
            shifts=np.zeros(size),
            offsets=np.zeros(size),
            rows=rows,
            potential=0.0,
        )
        leaves, projected = landscape.leaves(point)
        if not landscape.with_shifts:
            return point
        eigenvalues = np.linalg.eigvalsh(landscape.shifted_leaves(leaves, point.shifts))
        point = replace(point, shifts=np.median(eigenvalues, axis=1))
        energies = np.linalg.eigvalsh(landscape.shifted_one_body(projected, point))
        return replace(point, potential=float(np.median(energies)))

    def __call__(
        self, landscape: GaugeLandscape, n_projected: int, progress: Progress | None = None
    ) -> tuple[GaugePoint, GaugeStatus]:
        """Return the best point seen and how it went."""
        point = self.start(landscape, n_projected)
        leaves, _ = landscape.leaves(point)
        eigenvalues = np.linalg.eigvalsh(landscape.shifted_leaves(leaves, point.shifts))
        scale = max(float(np.abs(eigenvalues).max(axis=1).mean()), 1e-12)
        norms, history, best = [landscape.one_norm(point)], [], point
        for stage, width in enumerate(WIDTHS):

            def note(value: float, stage: int = stage) -> None:
                history.append(value)
                if progress is not None:
                    done = min(len(history), (stage + 1) * self.max_steps)
                    progress("lowering the one-norm", done, len(WIDTHS) * self.max_steps)

            chart = _Chart(landscape, point, width * scale)
            found = descend(
                chart,
                np.zeros(len(chart.scales)),
                max_steps=self.max_steps,
                memory=MEMORY,
                evaluations=3,
                tolerance=self.tolerance,
                note=note,
            )
            point = chart.point(found.place)
            norms.append(landscape.one_norm(point))
            if norms[-1] <= min(norms):
                best = point
        return best, GaugeStatus(
            method="L-BFGS over gauges",
            objective="one-norm",
            converged=found.settled,
            message=(
                f"a step of the last stage gained less than {self.tolerance:.0e} of it"
                if found.settled
                else f"the last stage reached its limit of {self.max_steps} steps or stalled"
            ),
            widths=tuple(width * scale for width in WIDTHS),
            one_norms=np.array(norms),
            history=np.array(history),
            gradient_norm=found.gradient_norm,
            seed=self.seed,
        )


class _Chart:
    """Scaled coordinates about a point: X, shifts, offsets, rows and potential in one vector."""

    def __init__(self, landscape: GaugeLandscape, origin: GaugePoint, width: float) -> None:
        self.landscape, self.origin, self.width = landscape, origin, width
        self.size = len(origin.shifts)
        self.upper = np.triu_indices(self.size, 1)
        self.scales = self._scales()

    def _scales(self) -> Array:
        """Inverse roots of estimated second derivatives.

        Mixing leaf s into leaf t by an angle moves the norm of t by at most ‖L_s‖², over the
        typical size of the eigenvalues of t; all other coordinates likewise.
        """
        landscape, origin, norb = self.landscape, self.origin, self.landscape.norb
        leaves, _ = landscape.leaves(origin)
        eigenvalues = np.linalg.eigvalsh(landscape.shifted_leaves(leaves, origin.shifts))
        norms = np.hypot(eigenvalues, self.width).sum(axis=1) + np.abs(origin.offsets)
        bends = norms / (np.sqrt(np.mean(eigenvalues**2, axis=1)) + self.width)
        whole = np.sum(leaves**2, axis=1)
        squares = np.maximum(whole - (leaves @ landscape.identity) ** 2 / norb, 1e-3 * whole)
        mixing = np.outer(bends, squares)
        mixing = mixing + mixing.T
        mixing += 1e-3 * mixing.mean()
        return np.concatenate(
            [
                1 / np.sqrt(mixing[self.upper]),
                1 / np.sqrt(bends * norb),
                np.ones(self.size),
                np.full(origin.rows.size, 1 / np.sqrt(bends.mean())),
                [np.sqrt(self.width)],
            ]
        )

    def _split(self, coordinates: Array) -> tuple[Array, Array, GaugePoint]:
        """Return (1 − X)⁻¹, the Cayley rotation, and the point."""
        moves = self.scales * coordinates
        pairs = len(self.upper[0])
        edges = pairs + np.array([0, self.size, 2 * self.size, len(moves) - 1 - pairs])
        half = np.zeros((self.size, self.size))
        half[self.upper] = moves[:pairs] / 2
        half -= half.T
        one = np.eye(self.size)
        inverse: Array = np.asarray(np.linalg.inv(one - half), dtype=np.float64)
        rotation = inverse @ (one + half)
        origin = self.origin
        point = GaugePoint(
            mixing=rotation @ origin.mixing,
            shifts=origin.shifts + moves[edges[0] : edges[1]] * self.landscape.with_shifts,
            offsets=origin.offsets + moves[edges[1] : edges[2]] * self.landscape.with_offsets,
            rows=origin.rows + moves[edges[2] : edges[3]].reshape(origin.rows.shape),
            potential=origin.potential + float(moves[-1]) * self.landscape.with_shifts,
        )
        return inverse, rotation, point

    def __call__(self, coordinates: Array) -> tuple[float, Array]:
        """Return the rounded one-norm and its gradient."""
        inverse, rotation, point = self._split(coordinates)
        value, slope = self.landscape.smoothed(point, self.width)
        rank = len(self.landscape.factors)
        kept = self.origin.mixing[:, :rank] @ self.landscape.factors
        free = self.origin.mixing[:, rank:]
        # dλ = ⟨towards, dC⟩ for the rotation C, and dC = (1 − X)⁻¹ dX (C + 1)
        towards = slope.leaves @ (kept + free @ point.rows).T
        towards += np.outer(slope.weights, kept @ slope.projected)
        generator = inverse.T @ towards @ (rotation + np.eye(self.size)).T
        gradient = np.concatenate(
            [
                (generator - generator.T)[self.upper] / 2,
                slope.shifts,
                slope.offsets,
                ((rotation @ free).T @ slope.leaves).ravel(),
                [slope.potential],
            ]
        )
        return value, self.scales * gradient

    def point(self, coordinates: Array) -> GaugePoint:
        """Return the point, its mixing made orthogonal to the last digit."""
        point = self._split(coordinates)[2]
        left, _, right = np.linalg.svd(point.mixing)
        return replace(point, mixing=left @ right)


def _cayley(antisymmetric: Array) -> Array:
    """Return (1 − X/2)⁻¹ (1 + X/2)."""
    one = np.eye(len(antisymmetric))
    return np.asarray(np.linalg.solve(one - antisymmetric / 2, one + antisymmetric / 2))
