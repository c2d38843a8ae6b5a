# SPDX-License-Identifier: Apache-2.0
"""How many steps of the walk phase estimation takes."""

from dataclasses import dataclass, field
from math import ceil, pi, sqrt
from typing import Protocol

from qlowrank import checks
from qlowrank.checks import InputError


class PhaseEstimation(Protocol):
    """A method that turns a one-norm and a precision into a number of steps."""

    @property
    def name(self) -> str:
        """Name to report."""
        ...

    def effective_norm(self, one_norm: float) -> float:
        """What stands for the one-norm in the number of steps, Hartree."""
        ...


@dataclass(frozen=True, slots=True)
class Qubitization:
    r"""Phase estimation of the walk itself, whose eigenphases are arccos(E / λ).

    .. math:: \text{steps} = \lceil \pi \lambda / (2 \Delta E) \rceil

    Source:
        R. Babbush et al., Phys. Rev. X 8, 041015 (2018); J. Lee et al., PRX Quantum 2, 030305
        (2021), Eq. (45).

    >>> phase_estimation_steps(Qubitization(), one_norm=72.49779513025341, precision=1e-3)
    113880
    """

    @property
    def name(self) -> str:
        """Name to report."""
        return "qubitization"

    def effective_norm(self, one_norm: float) -> float:
        """Return the one-norm itself."""
        return one_norm


@dataclass(frozen=True, slots=True)
class SpectrumAmplification:
    r"""Phase estimation of the square root of the Hamiltonian less a lower bound.

    .. math:: \lambda_\text{eff} = \sqrt{\Delta (2 \lambda - \Delta)}

    Energies near the bottom of the spectrum are magnified by the square root. Δ is how far the
    energy sought lies above the lower bound that the squares prove; the closer, the fewer steps.
    The cost of a step is taken to be that of the plain walk. λ_eff is no one-norm: do not compare
    it with one.

    Source:
        G. H. Low et al., Phys. Rev. X 15, 041016 (2025).

    >>> round(SpectrumAmplification(gap=4.0535).effective_norm(58.344), 2)
    21.37
    """

    gap: float = field(metadata={"units": "hartree"})
    """Δ, Hartree; above zero and at most λ."""

    def __post_init__(self) -> None:
        checks.positive("gap", self.gap)

    @property
    def name(self) -> str:
        """Name to report."""
        return "spectrum amplification"

    def effective_norm(self, one_norm: float) -> float:
        """Return λ_eff, Hartree.

        Raises:
            InputError: The gap is larger than the one-norm.
        """
        if self.gap > one_norm:
            raise InputError(
                f"gap must be at most the one-norm, {one_norm:g} Hartree; got {self.gap:g}. "
                "Use Qubitization() where the energy is not near a lower bound."
            )
        return sqrt(self.gap * (2 * one_norm - self.gap))


def phase_estimation_steps(method: PhaseEstimation, *, one_norm: float, precision: float) -> int:
    r"""Steps of the walk for an energy to a precision.

    .. math:: \lceil \pi \lambda_\text{eff} / (2 \Delta E) \rceil

    Args:
        method: `Qubitization()` or `SpectrumAmplification(gap=...)`.
        one_norm: λ, Hartree; zero or more.
        precision: ΔE, Hartree; above zero.

    Raises:
        InputError: A negative one-norm, or a precision that is not above zero.
    """
    one_norm, precision = (
        checks.finite("one_norm", one_norm),
        checks.positive("precision", precision),
    )
    if one_norm < 0:
        raise InputError(f"one_norm must be at least 0 Hartree; got {one_norm:g}.")
    return ceil(pi * method.effective_norm(one_norm) / (2 * precision))
