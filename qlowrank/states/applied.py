# SPDX-License-Identifier: Apache-2.0
r"""Moments of an operator in an MPS, by applying its one-body factors one after the other.

With :math:`F = \hat a + \tfrac12 \sum_m w_m \hat v_m^2`, each :math:`\hat v_m` about its mean in
the state (electrons are conserved, so a multiple of the identity may be shared among the orbitals),

.. math:: |\varphi_m\rangle \approx \hat v_m |\psi\rangle, \qquad
          \mathrm{Var}\,F = \lVert x \rVert^2 - \langle\psi|x\rangle^2, \qquad
          |x\rangle = \hat a |\psi\rangle + \tfrac12 \sum_m w_m \hat v_m |\varphi_m\rangle .

Only :math:`\varphi_m` is a fit, of limited bond dimension; what it cuts off is known exactly. The
norm of x is that of the full product and exact. Means need no fit:
:math:`\langle \hat v^2 \rangle = \lVert \hat v \psi \rVert^2`. Beside that, singular values of the
operators' off-diagonal blocks are left out below a share of 1e-7. In localised orbitals of a chain
of 50 atoms that takes 14 to 22 channels a bond where all need 90, see
docs/explanations/tensor_trains_measured.md.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.mps.action import ChainOperator, Image, one_body_operator
from qlowrank.mps.record import MPS
from qlowrank.states.state import Moments


@dataclass(frozen=True, slots=True)
class Fitting:
    """How an operator is applied to an MPS."""

    growth: float = 1.5
    """Largest bond dimension of an image, as a multiple of the state's."""
    tolerance: float = 1e-12
    """Share of an image's squared norm that may be cut off where `growth` does not bind."""
    cutoff: float = 1e-7
    """Singular values of an operator's off-diagonal blocks below this share of its norm are left
    out."""

    def __post_init__(self) -> None:
        checks.positive("growth", self.growth)
        for name in ("tolerance", "cutoff"):
            if checks.finite(name, getattr(self, name)) < 0:
                raise InputError(f"{name} must be at least 0; got {getattr(self, name):g}.")

    def max_bond(self, mps: MPS) -> int:
        """Return the largest bond dimension of an image."""
        return max(4, round(self.growth * mps.max_bond_dimension))


class Applied:
    """An operator applied to a normalised MPS.

    Args:
        mps: ψ.
        operator: F, in the orbitals in which the columns of `orbitals` are written.
        orbitals: Orbitals of the sites.
        fitting: How.
    """

    def __init__(
        self, mps: MPS, operator: DiagonalOperator, orbitals: Array, fitting: Fitting
    ) -> None:
        if operator.norb != mps.n_sites:
            raise InputError(
                f"The operator has {operator.norb} orbitals, the state {mps.n_sites}. Make both "
                "from the same Hamiltonian."
            )
        self._mps = mps
        self._fitting = fitting
        self._frame = orbitals.T @ operator.frame
        squares = operator.squares()
        self._weights = squares.weights
        self._squares = [self._centred(values) for values in squares.directions]
        means = np.array([mean for _, mean in self._squares])
        linear = squares.linear.copy()
        for weight, (values, mean) in zip(self._weights, self._squares, strict=True):
            linear += weight * mean * values
        self._linear, mean = self._centred(linear)
        self._constant = mean + float(self._weights @ means**2) / 2

    def moments(self) -> Moments:
        """Return mean and variance of F."""
        mean, terms = self.mean(), self._terms
        if not terms:
            return Moments(mean=mean, variance=0.0)
        image = Image(*terms)
        variance = image.norm_squared() - image.overlap(self._mps) ** 2
        return Moments(mean=mean, variance=max(variance, 0.0))

    def mean(self) -> float:
        """Return the mean of F, for which nothing is fitted."""
        second = [self._image(values).norm_squared() for values in self._directions]
        return self._constant + float(self._weights @ np.array(second)) / 2

    def number_covariances(self) -> Array:
        """Return Cov(F, ñ_l) for every rotated orbital l, shape (norb,)."""
        norb = self._mps.n_sites
        found = np.zeros(norb)
        if not self._terms:
            return found
        image = Image(*self._terms)
        fitted = image.compressed(
            max_bond=self._fitting.max_bond(self._mps), tolerance=self._fitting.tolerance
        )
        mean = fitted.overlap(self._mps)
        for orbital in range(norb):
            values = np.zeros((2, norb))
            values[:, orbital] = 1.0
            number = Image((self._operator(values), self._mps))
            found[orbital] = number.overlap(fitted) - mean * number.overlap(self._mps)
        return found

    @cached_property
    def error(self) -> float:
        """Largest share of a squared norm that was cut off in the fits."""
        shares = [0.0]
        for fit in self._fits:
            cut = float(fit.discarded_weights.sum())
            shares.append(cut / (cut + fit.norm() ** 2) if cut else 0.0)
        return max(shares)

    @property
    def _directions(self) -> list[Array]:
        """Values of each v̂_m about its mean, (2, norb)."""
        return [values for values, _ in self._squares]

    @cached_property
    def _fits(self) -> list[MPS]:
        """φ_m."""
        bond, tolerance = self._fitting.max_bond(self._mps), self._fitting.tolerance
        return [
            self._image(values).compressed(max_bond=bond, tolerance=tolerance)
            for values in self._directions
            if values.any()
        ]

    @cached_property
    def _terms(self) -> list[tuple[ChainOperator, MPS]]:
        """Operators and chains whose images add up to x, but for a multiple of ψ."""
        used = [k for k, values in enumerate(self._directions) if values.any()]
        linear = self._linear
        terms = []
        for k, fit in zip(used, self._fits, strict=True):
            values = self._directions[k]
            share = float(np.vdot(values, linear) / np.vdot(values, values))
            linear = linear - share * values  # â's share of v̂ψ is in φ already
            operator = self._operator(self._weights[k] / 2 * values, constant=share)
            terms.append((operator, fit))
        size = max(float(np.abs(self._linear).max(initial=0.0)), 1e-300)
        if np.abs(linear).max(initial=0.0) > 1e-13 * size:
            terms.append((self._operator(linear), self._mps))
        return terms

    def _centred(self, values: Array) -> tuple[Array, float]:
        """Shift values so that the mean is zero; return them and the mean.

        A spin whose shell is empty or full has nothing left to vary: its values become zero.
        """
        norb, nelec = self._mps.n_sites, self._mps.nelec
        if not values.any():
            return np.zeros((2, norb)), 0.0
        shifted = values.copy()
        offset = 0.0
        for spin, electrons in enumerate(nelec):
            level = float(values[spin].mean())
            offset += level * electrons
            shifted[spin] -= level
            if electrons in (0, norb):
                shifted[spin] = 0.0
        mean = self._image(shifted).overlap(self._mps) if shifted.any() else 0.0
        varying = [spin for spin, electrons in enumerate(nelec) if 0 < electrons < norb]
        if varying:
            shifted[varying] -= mean / sum(nelec[spin] for spin in varying)
        return shifted, offset + mean

    def _image(self, values: Array) -> Image:
        """Σ_σk values[σ,k] ñ_kσ |ψ⟩."""
        return Image((self._operator(values), self._mps))

    def _operator(self, values: Array, constant: float = 0.0) -> ChainOperator:
        """The one-body operator with these values in the rotated orbitals, over the sites."""
        matrices = np.einsum("pk,sk,qk->spq", self._frame, values, self._frame)
        return one_body_operator(matrices, constant=constant, cutoff=self._fitting.cutoff)
