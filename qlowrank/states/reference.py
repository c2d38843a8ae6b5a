# SPDX-License-Identifier: Apache-2.0
"""States reached from one determinant: Hartree-Fock itself, and CISD on it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.diagonal import DiagonalOperator, Squares
from qlowrank.states.covariance import cisd_density, cisd_rdms, covariance_from_rdms, rotated
from qlowrank.states.forms import FormSlope, cisd_vector, determinant_form_slope, vector_form_slope
from qlowrank.states.generating import Amplitudes, central_moments
from qlowrank.states.response import square_covariances
from qlowrank.states.squares import square_slope
from qlowrank.states.state import Moments


@dataclass(frozen=True, eq=False)
class DeterminantState:
    """One Slater determinant. Make one with `ql.hartree_fock_state`."""

    orbitals: Array = field(metadata={"units": "1", "axes": "orbital,reference_orbital"})
    """Orthogonal, shape (norb, norb); the first n_alpha and n_beta columns are filled."""
    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """(n_alpha, n_beta)."""
    energy: float = field(metadata={"units": "hartree"})
    """Total energy, Hartree."""

    def __post_init__(self) -> None:
        norb = len(self.orbitals)
        orbitals = checks.readonly("orbitals", self.orbitals, (norb, norb))
        object.__setattr__(self, "orbitals", orbitals)
        object.__setattr__(self, "nelec", checks.electrons(self.nelec, norb))
        gap = np.abs(orbitals.T @ orbitals - np.eye(norb)).max(initial=0.0)
        if gap > 1e-8:
            raise InputError(f"orbitals must be orthogonal; CᵀC misses the identity by {gap:.1e}.")

    def __repr__(self) -> str:
        """Say how large it is."""
        return (
            f"DeterminantState({self.norb} orbitals, nelec={self.nelec}, "
            f"energy {self.energy:.8f} Hartree)"
        )

    @property
    def label(self) -> str:
        """Name of the method."""
        return "hf"

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        return len(self.orbitals)

    def moments(self, operator: DiagonalOperator) -> Moments:
        """Return mean and variance of `operator`, exactly."""
        return _moments(operator, self, None)

    def spin_densities(self) -> Array:
        """Return the density matrices of alpha and beta, shape (2, norb, norb)."""
        filled = [self.orbitals[:, :n] for n in self.nelec]
        return np.stack([orbitals @ orbitals.T for orbitals in filled])

    def one_body_density(self) -> Array:
        """Return γ_pq = ⟨E_pq⟩, spin-summed, shape (norb, norb)."""
        return np.asarray(self.spin_densities().sum(axis=0))

    def one_body_covariance(self) -> Array:
        """Return Γ of `covariance.covariance_from_rdms`, shape (norb,)*4."""
        virtual = [self.norb - n for n in self.nelec]
        singles = [np.zeros((n, v)) for n, v in zip(self.nelec, virtual, strict=True)]
        (n_alpha, n_beta), (v_alpha, v_beta) = self.nelec, virtual
        doubles = [
            np.zeros((n_alpha, n_alpha, v_alpha, v_alpha)),
            np.zeros((n_alpha, n_beta, v_alpha, v_beta)),
            np.zeros((n_beta, n_beta, v_beta, v_beta)),
        ]
        rdms = cisd_rdms(self.nelec, self.norb, 1.0, singles, doubles)
        return rotated(covariance_from_rdms(*rdms), self.orbitals)

    def square_covariances(self, frame: Array, values: Array) -> Array:
        """Return Cov(½(Σ_k values_k ñ_k)², ñ_l) for every l, shape (norb,)."""
        return square_covariances(
            self.orbitals.T @ frame, np.stack([values, values]), self.nelec, None
        )

    def form_slope(self, frame: Array, core: Array) -> FormSlope:
        """Return Var ½ Σ_kl Z_kl ñ_k ñ_l and its derivatives by frame and core, exactly."""
        return determinant_form_slope(self.spin_densities(), frame, core)


@dataclass(frozen=True, eq=False)
class CISDState:
    r"""A determinant with single and double excitations, normalised, c_0 > 0.

    Make one with `ql.cisd_state`. Coefficients are those of
    :class:`qlowrank.states.generating.Amplitudes`.
    """

    determinant: DeterminantState
    """The reference determinant; its energy is the mean field's."""
    singles: tuple[Array, Array] = field(metadata={"units": "1", "axes": "occupied,virtual"})
    """c^α and c^β, shapes (occupied, virtual)."""
    doubles_same: tuple[Array, Array] = field(
        metadata={"units": "1", "axes": "occupied,occupied,virtual,virtual"}
    )
    """c^αα and c^ββ, antisymmetric in occupied and in virtual indices."""
    doubles_opposite: Array = field(
        metadata={"units": "1", "axes": "occupied_alpha,occupied_beta,virtual_alpha,virtual_beta"}
    )
    """c^αβ."""
    energy: float = field(metadata={"units": "hartree"})
    """Total energy, Hartree."""

    def __post_init__(self) -> None:
        occupied = self.nelec
        virtual = [self.norb - n for n in occupied]
        singles = tuple(
            checks.readonly("singles", c, (o, v))
            for c, o, v in zip(self.singles, occupied, virtual, strict=True)
        )
        same = tuple(
            checks.readonly("doubles_same", c, (o, o, v, v))
            for c, o, v in zip(self.doubles_same, occupied, virtual, strict=True)
        )
        object.__setattr__(self, "singles", singles)
        object.__setattr__(self, "doubles_same", same)
        opposite = checks.readonly("doubles_opposite", self.doubles_opposite, (*occupied, *virtual))
        object.__setattr__(self, "doubles_opposite", opposite)
        gap = max(
            float(np.abs(c + c.transpose(swap)).max(initial=0.0))
            for c in same
            for swap in ((1, 0, 2, 3), (0, 1, 3, 2))
        )
        if gap > 1e-8:
            raise InputError(
                "doubles_same must change sign when two occupied or two virtual indices change "
                f"places; it misses by up to {gap:.1e}."
            )
        if self._excited_weight() > 1 + 1e-8:
            raise InputError(
                f"The excitations have a norm² of {self._excited_weight():.6f}; at most 1 is left "
                "for them in a normalised state. Divide all coefficients by the norm."
            )

    def __repr__(self) -> str:
        """Say how large it is."""
        return (
            f"CISDState({self.norb} orbitals, nelec={self.nelec}, reference coefficient "
            f"{self.reference_coefficient:.4f}, energy {self.energy:.8f} Hartree)"
        )

    @property
    def label(self) -> str:
        """Name of the method."""
        return "cisd"

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        return self.determinant.norb

    @property
    def nelec(self) -> tuple[int, int]:
        """(n_alpha, n_beta)."""
        return self.determinant.nelec

    @property
    def reference_coefficient(self) -> float:
        """c_0, which normalisation fixes."""
        return float(np.sqrt(max(1.0 - self._excited_weight(), 0.0)))

    def moments(self, operator: DiagonalOperator) -> Moments:
        """Return mean and variance of `operator`, exactly, without the FCI space."""
        return _moments(operator, self.determinant, self._amplitudes())

    def one_body_density(self) -> Array:
        """Return γ_pq = ⟨E_pq⟩, spin-summed, shape (norb, norb)."""
        doubles = (self.doubles_same[0], self.doubles_opposite, self.doubles_same[1])
        amplitudes = (self.reference_coefficient, self.singles, doubles)
        orbitals = self.determinant.orbitals
        return np.asarray(orbitals @ cisd_density(self.nelec, self.norb, *amplitudes) @ orbitals.T)

    def one_body_covariance(self) -> Array:
        """Return Γ of `covariance.covariance_from_rdms`, shape (norb,)*4."""
        doubles = (self.doubles_same[0], self.doubles_opposite, self.doubles_same[1])
        rdms = cisd_rdms(self.nelec, self.norb, self.reference_coefficient, self.singles, doubles)
        return rotated(covariance_from_rdms(*rdms), self.determinant.orbitals)

    def square_covariances(self, frame: Array, values: Array) -> Array:
        """Return Cov(½(Σ_k values_k ñ_k)², ñ_l) for every l, shape (norb,)."""
        return square_covariances(
            self.determinant.orbitals.T @ frame,
            np.stack([values, values]),
            self.nelec,
            self._amplitudes(),
        )

    def square_slope(self, factor: Array) -> tuple[float, Array]:
        """Return Var ½(L̂ − ⟨L̂⟩)² and its derivative with respect to L, a symmetric matrix.

        Args:
            factor: L, symmetric, shape (norb, norb).
        """
        orbitals = self.determinant.orbitals
        variance, slope = square_slope(
            orbitals.T @ factor @ orbitals, self.nelec, self._amplitudes()
        )
        return variance, np.asarray(orbitals @ slope @ orbitals.T)

    def form_slope(self, frame: Array, core: Array) -> FormSlope:
        """Return Var ½ Σ_kl Z_kl ñ_k ñ_l and its derivatives by frame and core, exactly.

        Raises:
            InputError: Its CI vector, which this goes through, does not fit.
        """
        turned = self.determinant.orbitals.T @ frame
        slope = vector_form_slope(self._vector, self.nelec, turned, core)
        return FormSlope(slope.variance, self.determinant.orbitals @ slope.frame, slope.core)

    @cached_property
    def _vector(self) -> Array:
        """The CI vector over the reference orbitals."""
        doubles = (self.doubles_same[0], self.doubles_opposite, self.doubles_same[1])
        return cisd_vector(self.nelec, self.norb, self.reference_coefficient, self.singles, doubles)

    def _amplitudes(self) -> Amplitudes:
        """Return the coefficients with c_0."""
        return Amplitudes(
            self.reference_coefficient, self.singles, self.doubles_same, self.doubles_opposite
        )

    def _excited_weight(self) -> float:
        """Norm² of everything but the reference."""
        weight = sum(float(np.sum(c**2)) for c in self.singles)
        weight += sum(float(np.sum(c**2)) / 4 for c in self.doubles_same)
        return weight + float(np.sum(self.doubles_opposite**2))


@dataclass(frozen=True, eq=False, slots=True)
class _Term:
    """One term s x + ½ w x² of an operator, x = v̂ − ⟨v̂⟩ a one-body operator about its mean."""

    values: Array
    """v, shape (2, norb), of norm one."""
    slope: float
    """s, Hartree."""
    weight: float
    """w, Hartree."""
    powers: Array
    """⟨x^k⟩, k = 1 to 4 behind an entry of no meaning."""


def _moments(
    operator: DiagonalOperator, determinant: DeterminantState, amplitudes: Amplitudes | None
) -> Moments:
    r"""Mean and variance of :math:`F = \sum_m (a_m \hat v_m + \tfrac12 w_m \hat v_m^2)`.

    Written about the means, F = constant + Σ_m (s_m x_m + ½ w_m x_m²) with s = a + w⟨v̂⟩ has no
    large parts that cancel in the variance.
    """
    squares = operator.squares()
    frame = determinant.orbitals.T @ squares.frame

    def moments_of(values: Array) -> Array:
        return central_moments(frame, values, determinant.nelec, amplitudes)

    mean, terms = 0.0, []
    for values, linear, weight in _forms(squares):
        powers = moments_of(values)
        mean += linear * powers[0] + weight * (powers[0] ** 2 + powers[2]) / 2
        terms.append(_Term(values, linear + weight * powers[0], weight, powers))
    variance = 0.0
    for index, term in enumerate(terms):
        variance += _variance(term)
        for other in terms[:index]:
            plus, minus = (moments_of(term.values + s * other.values) for s in (1, -1))
            variance += 2 * _covariance(term, other, plus, minus)
    return Moments(mean=float(mean), variance=max(float(variance), 0.0))


def _forms(squares: Squares) -> Iterator[tuple[Array, float, float]]:
    """Values, linear coefficient and weight of each form; last, what of â is in no square."""
    rest = squares.linear
    for values, weight in zip(squares.directions, squares.weights, strict=True):
        linear = float(np.sum(rest * values))
        rest = rest - linear * values
        yield values, linear, float(weight)
    size = float(np.linalg.norm(rest))
    if size > rest.size * np.finfo(float).eps * np.linalg.norm(squares.linear):
        yield rest / size, size, 0.0


def _variance(term: _Term) -> float:
    """Var(s x + ½ w x²)."""
    _, _, second, third, fourth = term.powers
    return float(
        term.slope**2 * second
        + term.slope * term.weight * third
        + term.weight**2 * (fourth - second**2) / 4
    )


def _covariance(term: _Term, other: _Term, plus: Array, minus: Array) -> float:
    """Covariance of s x + ½ w x² and t y + ½ u y² from the moments of x + y and x − y."""
    x, y = term.powers, other.powers
    xy = (plus[2] - minus[2]) / 4
    xxy = (plus[3] - minus[3] - 2 * y[3]) / 6
    xyy = (plus[3] + minus[3] - 2 * x[3]) / 6
    xxyy = (plus[4] + minus[4] - 2 * x[4] - 2 * y[4]) / 12
    return float(
        term.slope * other.slope * xy
        + term.weight * other.slope * xxy / 2
        + term.slope * other.weight * xyy / 2
        + term.weight * other.weight * (xxyy - x[2] * y[2]) / 4
    )
