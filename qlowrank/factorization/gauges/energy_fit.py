# SPDX-License-Identifier: Apache-2.0
"""Fit squares until the energy holds: trials from coarse to fine, each measured."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from qlowrank import checks
from qlowrank.checks import InputError, NotConvergedError
from qlowrank.factorization.gauges.encoding import SquareEncoding
from qlowrank.factorization.gauges.fit import (
    CUT,
    MAX_STEPS,
    WEIGHT,
    FitReference,
    SquareFit,
    fit_squares,
)
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank import Progress

FINER = 2.0
"""By how much the weight grows and the cut falls from one fit to the next."""

CORRECTABLE = 5.0
"""An energy that is off by more than this many times what is asked is not corrected: the fit is
made finer instead."""

MOST_CORRECTIONS = 2
"""Corrections of one fit."""

LEAST_CUT = 1e-9
"""A correction goes on with all eigenvectors that the fit has, Hartree."""

HARTREE = {"units": "hartree"}


class EnergyReference(FitReference, Protocol):
    """A reference that can measure as well; `ql.coupled_cluster_reference` makes one."""

    def error(self, approximate: Any) -> Any:
        """Return a record whose `error` is how far an operator's energy is off, Hartree."""
        ...


@dataclass(frozen=True, slots=True)
class EnergyTrial:
    """One fit of a search, and what was measured of it."""

    weight: float = field(metadata={"units": "hartree^-1"})
    """Of the error of the integrals, 1/Hartree."""
    cut: float = field(metadata=HARTREE)
    """Of eigenvalues at the start, Hartree."""
    pair_energy: float = field(metadata=HARTREE)
    """What the predicted change of the energy was held at, Hartree; zero but for corrections."""
    n_eigenvectors: int = field(metadata={"units": "1"})
    """Eigenvectors of all leaves."""
    one_norm: float = field(metadata=HARTREE)
    """Hartree."""
    frobenius_error: float = field(metadata=HARTREE)
    """Of all (pq|rs), Hartree."""
    energy_error: float = field(metadata=HARTREE)
    """Measured error of the total energy, Hartree; nan where the measurement did not converge."""


@dataclass(frozen=True, eq=False)
class EnergyFit:
    """A fit whose energy was measured, and all that was tried."""

    fit: SquareFit
    """The last fit if it holds the target, else the one of the smallest error."""
    trials: tuple[EnergyTrial, ...]
    """In the order they were made."""
    target_energy_error: float = field(metadata=HARTREE)
    """What was asked for, Hartree."""
    converged: bool
    """Whether the target is held, at a one-norm below that of the exact encoding."""
    message: str
    """How the search ended, in words."""

    @property
    def trial(self) -> EnergyTrial:
        """The trial that `fit` is from."""
        if self.converged:
            return self.trials[-1]
        return min(self.trials, key=lambda trial: _size(trial.energy_error))

    @property
    def energy_error(self) -> float:
        """Measured error of the total energy, Hartree."""
        return self.trial.energy_error

    @property
    def uncorrected_error(self) -> float:
        """The same of the fit that was not corrected, Hartree: how far off the operator is."""
        trial = self.trial
        same = (t for t in self.trials if (t.weight, t.cut) == (trial.weight, trial.cut))
        return next(same).energy_error

    def __repr__(self) -> str:
        """Say how it ended."""
        return (
            f"EnergyFit({self.trial.n_eigenvectors} eigenvectors, one-norm "
            f"{self.trial.one_norm:.4f} Hartree, energy off by {1e3 * self.energy_error:.3f} "
            f"mHartree, {1e3 * self.uncorrected_error:.3f} before correction, "
            f"{len(self.trials)} trials; {self.message})"
        )


def fit_squares_to_energy(  # noqa: PLR0913 (start, integrals and reference, and five numbers)
    encoding: SquareEncoding,
    hamiltonian: Hamiltonian,
    reference: EnergyReference,
    *,
    target_energy_error: float = 2e-4,
    weight: float = WEIGHT,
    cut: float = CUT,
    max_fits: int = 4,
    max_steps: int = MAX_STEPS,
    progress: Progress | None = None,
) -> EnergyFit:
    r"""Fit squares, measure the energy, and go on until it holds.

    The first fit (`ql.fit_squares`) is coarse. Where its measured energy is off by more than is
    asked, but by less than five times that, it is corrected: the fit goes on with its predicted
    change of the energy held at minus the error (then by the secant through two trials), at most
    twice. Where it is off by more, or corrections do not help, or its one-norm is not below that of
    the exact encoding, a fit with twice the weight and half the cut takes its place. Nothing is
    chosen by hand or for a molecule.

    A correction moves one number, the energy of the reference; how far off the operator is
    elsewhere is said by the error before it (`uncorrected_error`), so it must be small already.

    Args:
        encoding: Where to begin, from `ql.encode_squares` without projection.
        hamiltonian: The integrals, of the same molecule.
        reference: Steers and measures: `ql.coupled_cluster_reference(hamiltonian)`.
        target_energy_error: Largest error of the total energy, Hartree.
        weight: Of the first fit, 1/Hartree.
        cut: Of the first fit, Hartree.
        max_fits: Most fits that are not corrections.
        max_steps: Most steps in each of two stages of a fit; a correction takes a quarter.
        progress: Called after every step, and after every trial.

    Returns:
        The fit, and every trial with its settings and its error. Where none holds the target,
        `converged` is False and the best is returned.

    Raises:
        InputError: A target, a weight or a cut that is not above zero, no fits, or what
            `ql.fit_squares` refuses.

    >>> import qlowrank as ql
    >>> exact = ql.from_example("water")
    >>> start = ql.encode_squares(exact)
    >>> found = fit_squares_to_energy(start, exact, ql.coupled_cluster_reference(exact))
    >>> found.converged, abs(found.energy_error) <= 2e-4
    (True, True)
    >>> found.fit.encoding.one_norm() < start.one_norm()
    True
    """
    checks.positive("target_energy_error", target_energy_error)
    if checks.whole("max_fits", max_fits) < 1:
        raise InputError(f"max_fits must be at least 1; got {max_fits}.")
    if not hasattr(reference, "error"):
        raise InputError(
            "reference must measure energies: ql.coupled_cluster_reference(hamiltonian); got "
            f"{reference!r:.60}."
        )
    search = _Search(encoding, hamiltonian, reference, target_energy_error, max_steps, progress)
    for number in range(max_fits):
        factor = FINER**number
        search.fit(weight * factor, cut / factor)
        search.correct(weight * factor, cut / factor)
        if search.holds:
            break
    return search.result()


class _Search:
    """Trials so far, and the best fit of them."""

    def __init__(
        self,
        encoding: SquareEncoding,
        hamiltonian: Hamiltonian,
        reference: EnergyReference,
        target: float,
        max_steps: int,
        progress: Progress | None,
    ) -> None:
        self.hamiltonian, self.reference, self.target = hamiltonian, reference, target
        self.max_steps, self.progress = max_steps, progress
        self.encoding, self.one_norm = encoding, encoding.one_norm()
        self.trials: list[EnergyTrial] = []
        self.fits: list[SquareFit] = []

    @property
    def holds(self) -> bool:
        """Whether the last trial does what is asked."""
        return self._lower and _size(self.trials[-1].energy_error) <= self.target

    @property
    def _lower(self) -> bool:
        """Whether its one-norm is below that of the exact encoding: else it is of no use."""
        return self.trials[-1].one_norm < self.one_norm

    def fit(self, weight: float, cut: float) -> None:
        """Make and measure a fit from the start."""
        self._try(self.encoding, weight, cut, cut, 0.0, self.max_steps)

    def correct(self, weight: float, cut: float) -> None:
        """Move the energy of the last fit to where it should be, if that is near."""
        asked, errors = [0.0], [self.trials[-1].energy_error]
        for _ in range(MOST_CORRECTIONS):
            near = self._lower and _size(errors[-1]) <= CORRECTABLE * self.target
            if self.holds or not near:
                return
            asked.append(asked[-1] - errors[-1] / _slope(asked, errors))
            encoding, steps = self.fits[-1].encoding, max(self.max_steps // 4, 1)
            self._try(encoding, weight, cut, LEAST_CUT, asked[-1], steps)
            errors.append(self.trials[-1].energy_error)

    def _try(
        self,
        encoding: SquareEncoding,
        weight: float,
        cut: float,
        own_cut: float,
        pair_energy: float,
        max_steps: int,
    ) -> None:
        """Fit, measure, and note both."""
        fit = fit_squares(
            encoding,
            self.hamiltonian,
            self.reference,
            weight=weight,
            cut=own_cut,
            pair_energy=pair_energy,
            max_steps=max_steps,
            progress=self.progress,
        )
        try:
            error = float(self.reference.error(fit.factorization).error)
        except NotConvergedError:
            error = float("nan")
        if self.progress is not None:
            self.progress("measuring fits", len(self.fits) + 1, None)
        self.fits.append(fit)
        self.trials.append(
            EnergyTrial(
                weight=weight,
                cut=cut,
                pair_energy=pair_energy,
                n_eigenvectors=int(np.count_nonzero(fit.encoding.eigenvalues)),
                one_norm=fit.encoding.one_norm(),
                frobenius_error=fit.frobenius_error,
                energy_error=error,
            )
        )

    def result(self) -> EnergyFit:
        """Return how it ended."""
        if self.holds:
            message = f"held to {1e3 * self.target:g} mHartree"
        else:
            message = (
                f"no trial is within {1e3 * self.target:g} mHartree at a one-norm below the exact "
                f"{self.one_norm:.4f} Hartree; the best energy is returned. Begin with a larger "
                "weight or a smaller cut, or allow more fits"
            )
        best = min(range(len(self.trials)), key=lambda i: _size(self.trials[i].energy_error))
        return EnergyFit(
            fit=self.fits[-1] if self.holds else self.fits[best],
            trials=tuple(self.trials),
            target_energy_error=self.target,
            converged=self.holds,
            message=message,
        )


def _slope(asked: list[float], errors: list[float]) -> float:
    """Return by how much the error moves with what is asked: one at first, then by the secant."""
    if len(asked) < 2:
        return 1.0
    slope = (errors[-1] - errors[-2]) / (asked[-1] - asked[-2])
    return float(np.clip(slope, 0.3, 3.0)) if slope > 0 else 1.0


def _size(error: float) -> float:
    """Return |error|, infinite where it is not known."""
    return abs(error) if np.isfinite(error) else float("inf")
