# SPDX-License-Identifier: Apache-2.0
"""States reached from one determinant: Hartree-Fock itself, and CISD on it."""

from dataclasses import dataclass, field

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.states.generating import Amplitudes, moments_of_one, moments_of_two
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
        if self._excited_weight() > 1 + 1e-8:
            raise checks.InputError(
                f"The excitations have a norm² of {self._excited_weight():.6f}; at most 1 is left "
                "for them in a normalised state. Divide all coefficients by the norm."
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
        amplitudes = Amplitudes(
            self.reference_coefficient, self.singles, self.doubles_same, self.doubles_opposite
        )
        return _moments(operator, self.determinant, amplitudes)

    def _excited_weight(self) -> float:
        """Norm² of everything but the reference."""
        weight = sum(float(np.sum(c**2)) for c in self.singles)
        weight += sum(float(np.sum(c**2)) / 4 for c in self.doubles_same)
        return weight + float(np.sum(self.doubles_opposite**2))


def _moments(
    operator: DiagonalOperator, determinant: DeterminantState, amplitudes: Amplitudes | None
) -> Moments:
    """Mean and variance of a linear form plus weighted squares of linear forms in occupations.

    Each form is centred on its mean m first, v̂ = x + m with x small, so that
    F = Σ_m w (m²/2 + m x + x²/2) + â has no large parts that cancel.
    """
    squares = operator.squares()
    frame = determinant.orbitals.T @ squares.frame
    nelec = determinant.nelec
    electrons = max(sum(nelec), 1)

    def centred(values: Array) -> tuple[float, Array]:
        mean = float(moments_of_one(frame, values, nelec, amplitudes)[1])
        return mean, values - mean / electrons

    means, forms = [], []
    for direction in squares.directions:
        mean, form = centred(direction)
        means.append(mean)
        forms.append(form)
    linear = squares.linear + sum(
        (w * m * f for w, m, f in zip(squares.weights, means, forms, strict=True)),
        np.zeros((2, operator.norb)),
    )
    offset, linear = centred(linear)
    constant = offset + sum(w * m**2 / 2 for w, m in zip(squares.weights, means, strict=True))
    if len(forms) == 1 and _parallel(linear, forms[0]):
        weight, form = squares.weights[0], forms[0]
        slope = float(np.sum(linear * form) / max(np.sum(form**2), np.finfo(float).tiny))
        _, m1, m2, m3, m4 = moments_of_one(frame, form, nelec, amplitudes)
        mean = weight * m2 / 2 + slope * m1
        square = weight**2 * m4 / 4 + weight * slope * m3 + slope**2 * m2
    else:
        mean, square = _mixed(frame, linear, squares.weights, forms, nelec, amplitudes)
    return Moments(mean=float(constant + mean), variance=max(float(square - mean**2), 0.0))


def _parallel(linear: Array, form: Array) -> bool:
    """Tell whether one linear form is a multiple of another, within rounding."""
    overlap = np.sum(linear * form) ** 2
    norms = np.sum(linear**2) * np.sum(form**2)
    return bool(overlap >= norms * (1 - 1e-13) or norms == 0.0)


def _mixed(
    frame: Array,
    linear: Array,
    weights: Array,
    forms: list[Array],
    nelec: tuple[int, int],
    amplitudes: Amplitudes | None,
) -> tuple[float, float]:
    """⟨F⟩ and ⟨F²⟩ of F = linear + ½ Σ w_m x_m², from moments of pairs of forms."""
    _, first, second, *_ = moments_of_one(frame, linear, nelec, amplitudes)
    mean, square = float(first), float(second)
    for i, (weight, form) in enumerate(zip(weights, forms, strict=True)):
        _, _, m2, _, m4 = moments_of_one(frame, form, nelec, amplitudes)
        mean += weight * m2 / 2
        square += weight**2 * m4 / 4
        square += weight * moments_of_two(frame, form, linear, nelec, amplitudes)[2, 1]
        for other, partner in zip(weights[:i], forms[:i], strict=True):
            joint = moments_of_two(frame, form, partner, nelec, amplitudes)[2, 2]
            square += weight * other * joint / 2
    return mean, square
