# SPDX-License-Identifier: Apache-2.0
"""How many terms of a decomposition to keep: one rule each, one record for all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.lowrank.truncation import Truncation

SAME = 1e-12
"""Relative; weights that rise by no more than this are sorted."""


@dataclass(frozen=True, eq=False, slots=True)
class Spectrum:
    """What every rank of a positive semidefinite decomposition would cost.

    Terms are kept from the first on, so that rank r costs the terms r, r + 1, … and whatever the
    decomposition had left out before. Make one with `spectrum_of`.
    """

    weights: Array = field(metadata={"units": "hartree", "axes": "term"})
    """Trace of each term, shape (n,), at least zero."""
    discarded: Array = field(metadata={"units": "hartree", "axes": "rank"})
    """Trace of what is left out at each rank, shape (n + 1,), never rising."""
    max_error: Array = field(metadata={"units": "hartree", "axes": "rank"})
    """No element of what is left out at each rank is larger than this, shape (n + 1,)."""

    def __post_init__(self) -> None:
        n = len(self.weights)
        for name, shape in (("weights", n), ("discarded", n + 1), ("max_error", n + 1)):
            values = checks.readonly(name, getattr(self, name), (shape,))
            object.__setattr__(self, name, values)
            if values.min(initial=0.0) < 0:
                raise InputError(f"{name} must be at least 0; got {values.min():g}.")

    def cut(self, rank: int, *, tolerance: float) -> Truncation:
        """Return the record of keeping the first `rank` terms.

        Args:
            rank: 0 to n.
            tolerance: What was asked of every element; the error itself where that was not asked.
        """
        return Truncation(
            rank=rank,
            tolerance=tolerance,
            max_error=float(self.max_error[rank]),
            discarded=float(self.discarded[rank]),
        )

    def falling(self, rule: str) -> Array:
        """Return the weights, or say that `rule` needs them sorted."""
        weights = self.weights
        if np.any(np.diff(weights) > SAME * weights.max(initial=0.0)):
            raise InputError(
                f"{rule} needs weights by falling size, such as eigenvalues or singular values; "
                "those of Cholesky factors are not. Diagonalise first (ql.principal_factors)."
            )
        return weights


def spectrum_of(weights: Array, *, discarded: float = 0.0, max_error: float = 0.0) -> Spectrum:
    r"""Return what each rank costs for eigenvalues of a positive semidefinite matrix.

    The residual's norm is the largest eigenvalue that is left out, and no element exceeds it.

    Args:
        weights: Eigenvalues, largest first.
        discarded: Trace of what was left out before.
        max_error: Largest element of what was left out before.

    >>> spectrum_of(np.array([4.0, 2.0, 1.0])).discarded
    array([7., 3., 1., 0.])
    """
    values = checks.readonly("weights", weights, (len(weights),))
    tails = np.append(np.cumsum(values[::-1])[::-1], 0.0)
    return Spectrum(values, tails + discarded, np.append(values, 0.0) + max_error)


class RankRule(Protocol):
    """Chooses a rank."""

    def __call__(self, spectrum: Spectrum) -> Truncation:
        """Return the record of the rank that is chosen."""
        ...


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """Rule: the least rank at which no element is off by more than a tolerance.

    >>> ErrorRule(1.5)(spectrum_of(np.array([4.0, 2.0, 1.0]))).rank
    2
    """

    tolerance: float
    """Largest permitted error of any element."""

    def __post_init__(self) -> None:
        checks.tolerance(self.tolerance)

    def __call__(self, spectrum: Spectrum) -> Truncation:
        """Choose."""
        rank = _first(spectrum.max_error <= self.tolerance, "an error", spectrum.max_error)
        return spectrum.cut(rank, tolerance=self.tolerance)


@dataclass(frozen=True, slots=True)
class TraceRule:
    """Rule: the least rank at which the trace that is left out is at most this.

    >>> TraceRule(1.5)(spectrum_of(np.array([4.0, 2.0, 1.0]))).rank
    2
    """

    trace: float
    """Largest permitted trace of the residual."""

    def __post_init__(self) -> None:
        if checks.finite("trace", self.trace) < 0:
            raise InputError(f"trace must be at least 0; got {self.trace:g}.")

    def __call__(self, spectrum: Spectrum) -> Truncation:
        """Choose."""
        rank = _first(spectrum.discarded <= self.trace, "a trace", spectrum.discarded)
        return spectrum.cut(rank, tolerance=self.trace)  # no element exceeds the trace


@dataclass(frozen=True, slots=True)
class CertificateRule:
    """Rule: the least rank whose certificate meets a target, found by bisection.

    >>> CertificateRule(2.5, lambda rank: 10.0 / (1 + rank))(spectrum_of(np.ones(5))).rank
    3
    """

    target: float
    """Largest permitted value of the certificate."""
    certificate: Callable[[int], float]
    """What is proven at a rank; never rises with it."""

    def __post_init__(self) -> None:
        checks.positive("target", self.target)

    def __call__(self, spectrum: Spectrum) -> Truncation:
        """Choose."""
        low, high = -1, len(spectrum.weights)
        reached = self.certificate(high)
        if not reached <= self.target:
            raise InputError(
                f"All {high} terms prove {reached:.1e}, and {self.target:.1e} was asked for. "
                "Decompose with a smaller tolerance, or ask for less."
            )
        while high - low > 1:
            middle = (low + high) // 2
            if self.certificate(middle) <= self.target:
                high = middle
            else:
                low = middle
        return spectrum.cut(high, tolerance=float(spectrum.max_error[high]))


@dataclass(frozen=True, slots=True)
class GapRule:
    """Rule: cut where the ratio of neighbouring weights is largest.

    A gap tells signal from noise where there is noise. Integrals have none: their spectra fall
    smoothly, and the largest ratio among them is an accident.

    >>> GapRule()(spectrum_of(np.array([4.0, 2.0, 1e-3, 9e-4]))).rank
    2
    """

    least: int = 1
    """Keep at least so many terms."""

    def __post_init__(self) -> None:
        if checks.whole("least", self.least) < 0:
            raise InputError(f"least must be at least 0; got {self.least}.")

    def __call__(self, spectrum: Spectrum) -> Truncation:
        """Choose."""
        weights = spectrum.falling("A gap")
        floor = weights.max(initial=0.0) * len(weights) * np.finfo(float).eps  # below, rounding
        above = np.append(weights[weights > floor], floor)
        start = min(max(self.least, 1), len(above) - 1)
        if start == 0:  # nothing but zeros
            return spectrum.cut(0, tolerance=float(spectrum.max_error[0]))
        ratios = above[start - 1 : -1] / above[start:]
        rank = start + int(np.argmax(ratios[:-1])) if len(ratios) > 1 else start
        return spectrum.cut(rank, tolerance=float(spectrum.max_error[rank]))


@dataclass(frozen=True, slots=True)
class InformationRule:
    r"""Rule: the number of signals that an information criterion finds above white noise.

    .. math:: -n (p - k) \ln \frac{\text{geometric mean}}{\text{arithmetic mean}}
              \text{ of } \lambda_{k+1} \dots \lambda_p
              \; + \; c \, \frac{k (2p - k + 1)}{2}

    is least at the chosen k; the criterion gives c. The weights are eigenvalues of the covariance
    of n real samples. On spectra without noise, such as those of integrals, every eigenvalue is
    signal and nearly all are kept: use it on sampled matrices.

    Source:
        M. Wax, T. Kailath, IEEE Trans. ASSP 33, 387 (1985), for real samples.

    >>> noisy = spectrum_of(np.array([9.0, 4.0, 1.02, 1.0, 0.98]))
    >>> InformationRule(100, penalty=minimum_description_length)(noisy).rank
    2
    """

    samples: int
    """n, how many samples the covariance was estimated from."""
    penalty: Callable[[int], float]
    """c for n samples: `akaike` or `minimum_description_length`."""

    def __post_init__(self) -> None:
        if checks.whole("samples", self.samples) < 1:
            raise InputError(f"samples must be at least 1; got {self.samples}.")

    def __call__(self, spectrum: Spectrum) -> Truncation:
        """Choose."""
        weights = spectrum.falling("An information criterion")
        total = len(weights)
        tiny = np.finfo(float).tiny
        logs = np.log(np.maximum(weights, tiny))
        costs = []
        for kept in range(total):
            rest = weights[kept:]
            flatness = logs[kept:].mean() - np.log(max(rest.mean(), tiny))
            parameters = kept * (2 * total - kept + 1) / 2
            fit = -self.samples / 2 * len(rest) * flatness
            costs.append(fit + self.penalty(self.samples) * parameters)
        rank = int(np.argmin(costs)) if costs else 0
        return spectrum.cut(rank, tolerance=float(spectrum.max_error[rank]))


@dataclass(frozen=True, slots=True)
class AkaikeRule:
    r"""Rule: the rank of a matrix in white noise of unknown size, by Akaike's criterion.

    .. math:: mn \ln \sum_{k \ge r} \sigma_k^2 + \frac{2 p\, mn}{mn - p - 1}, \qquad
              p = r (m + n - r)

    is least at the chosen r: a matrix of rank r has p parameters. Without the denominator, the
    correction for few samples, the criterion would keep nearly everything. The weights are squared
    singular values, so that what is left out at a rank is the squared Frobenius error. Without
    noise, all that rise above rounding are kept, as far as parameters are fewer than entries.

    Source:
        H. Akaike, IEEE Trans. Autom. Control 19, 716 (1974); C. M. Hurvich, C.-L. Tsai, Biometrika
        76, 297 (1989) (few samples).

    >>> rng = np.random.default_rng(1)
    >>> noisy = np.outer(rng.normal(size=20), rng.normal(size=9)) + 0.1 * rng.normal(size=(20, 9))
    >>> squares = np.linalg.svd(noisy, compute_uv=False) ** 2
    >>> AkaikeRule(20, 9)(spectrum_of(squares)).rank
    1
    """

    rows: int
    """m."""
    columns: int
    """n."""

    def __post_init__(self) -> None:
        for name in ("rows", "columns"):
            if checks.whole(name, getattr(self, name)) < 1:
                raise InputError(f"{name} must be at least 1; got {getattr(self, name)}.")

    def __call__(self, spectrum: Spectrum) -> Truncation:
        """Choose."""
        weights = spectrum.falling("Akaike's criterion")
        least = min(self.rows, self.columns)
        if len(weights) > least:
            raise InputError(
                f"A {self.rows} × {self.columns} matrix has at most {least} singular values; got "
                f"{len(weights)} weights."
            )
        size = self.rows * self.columns
        tails = np.append(np.cumsum(weights[::-1])[::-1], 0.0)
        rounding = (least * np.finfo(float).eps) ** 2 * float(tails[0]) * size
        ranks = np.arange(len(tails))
        parameters = ranks * (self.rows + self.columns - ranks)
        left = size - parameters - 1
        if tails[0] == 0 or size < 3:  # nothing to explain, or nothing to tell from noise
            return spectrum.cut(0, tolerance=float(spectrum.max_error[0]))
        costs = size * np.log(np.maximum(tails, rounding))
        costs += np.where(left > 0, 2 * parameters * size / np.maximum(left, 1), np.inf)
        rank = int(np.argmin(costs))
        return spectrum.cut(rank, tolerance=float(spectrum.max_error[rank]))


def akaike(samples: int) -> float:
    """Penalty of a parameter in Akaike's criterion: one, whatever the number of samples."""
    return 1.0 if samples else 0.0


def minimum_description_length(samples: int) -> float:
    """Penalty of a parameter in the minimum description length: ½ ln n."""
    return float(np.log(samples)) / 2


def _first(meets: np.ndarray, what: str, costs: Array) -> int:
    """Return the least rank that meets a condition, or say what the last one costs."""
    if not meets[-1]:
        raise InputError(
            f"All {len(costs) - 1} terms leave {what} of {costs[-1]:.1e}, more than was asked for. "
            "Decompose with a smaller tolerance, or ask for less."
        )
    return int(np.argmax(meets))
