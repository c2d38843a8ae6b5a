# SPDX-License-Identifier: Apache-2.0
"""Shots as an objective: leaves that vary little in a given state."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.norms import linear_part
from qlowrank.factorization.compression.objective import Evaluate, Supplement
from qlowrank.factorization.compression.problem import Point, Problem, Slope

SMOOTHING = 1e-4
"""Hartree; standard deviations below this are treated as squares."""


class VarianceSource(Protocol):
    """What a state must offer.

    States of `ql.hartree_fock_state`, `cisd_state`, `fci_state` and `ground_state_mps` do, the last
    up to a million determinants.
    """

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        ...

    @property
    def nelec(self) -> tuple[int, int]:
        """(n_alpha, n_beta)."""
        ...

    def one_body_covariance(self) -> Array:
        """Return ⟨E_pq E_rs⟩ − ⟨E_pq⟩⟨E_rs⟩, symmetrised in p,q and in r,s, shape (norb,)*4."""
        ...

    def form_slope(self, frame: Array, core: Array) -> Any:
        """Return `variance` of ½ Σ_kl Z_kl ñ_k ñ_l, and its derivatives `frame` and `core`."""
        ...


@dataclass(frozen=True, eq=False)
class ShotCost(Supplement):
    r"""Shots times squared precision for measuring the leaves in a state, Hartree².

    .. math:: \epsilon^2 M = \Big( \sqrt{\mathrm{Var}\,\hat T}
              + \sum_t \sqrt{\mathrm{Var}\,\hat F_t} \Big)^2, \qquad
              \hat T = \sum_{pq} \kappa_{pq} E_{pq}, \quad
              \hat F_t = \tfrac12 \sum_{kl} Z^t_{kl} \tilde n^t_k \tilde n^t_l

    smoothed by :math:`\sqrt{v} \to \sqrt{v + s^2} - s`. These are the groups that
    `plan_measurement` makes of the result, and :math:`\epsilon^2 M` is its `epsilon2_shots`.

    Beside `SectorError` each leaf can take one-body operators over from the others: with
    :math:`Z = a 1^T + 1 a^T` it is :math:`\eta\, \hat a` for η electrons, and κ loses what leaves
    gain. Beside `FrobeniusError` it cannot, and little is saved.

    In one determinant, many operators have no variance at all, which misleads: prefer a correlated
    state, where its CI vector fits. One value costs a rotation of the CI vector for every leaf, or
    norb⁴ for a determinant.
    """

    state: VarianceSource
    """In which state, over the orbitals of the factorization."""
    smoothing: float = SMOOTHING
    """s, Hartree."""

    def __post_init__(self) -> None:
        missing = [name for name in ("one_body_covariance", "form_slope") if not self._has(name)]
        if missing:
            raise InputError(
                f"ShotCost needs a state with {' and '.join(missing)}(), such as "
                "ShotCost(ql.cisd_state(hamiltonian)), ql.fci_state or ql.hartree_fock_state; got "
                f"{self.state!r:.60}."
            )
        checks.positive("smoothing", self.smoothing)

    def _has(self, name: str) -> bool:
        """Whether the state, an object and no class, has a method."""
        return not isinstance(self.state, type) and hasattr(self.state, name)

    @property
    def name(self) -> str:
        """Name to report."""
        return f"shots ({getattr(self.state, 'label', 'given state')})"

    @cached_property
    def _covariance(self) -> Array:
        """Γ over pairs of orbitals, shape (norb², norb²)."""
        return self.state.one_body_covariance().reshape(self.state.norb**2, -1)

    def prepare(self, problem: Problem) -> Evaluate:
        """Return the function of leaves and cores.

        Raises:
            InputError: The state has other orbitals or electrons than the factorization.
        """
        if (self.state.norb, tuple(self.state.nelec)) != (problem.norb, tuple(problem.nelec)):
            raise InputError(
                f"The state of ShotCost has {self.state.norb} orbitals and nelec="
                f"{tuple(self.state.nelec)}, the factorization {problem.norb} and nelec="
                f"{tuple(problem.nelec)}. Use a state of the Hamiltonian that was factorized."
            )
        return lambda point: self._evaluate(problem, point)

    def _evaluate(self, problem: Problem, point: Point) -> Slope:
        """Return value and derivatives."""
        moved = problem.hidden - 1.0  # zero, or minus what the sector's one-body part loses
        kappa = problem.one_body + moved * linear_part(point) if moved else problem.one_body
        image = (self._covariance @ kappa.ravel()).reshape(kappa.shape)
        slopes = [
            self.state.form_slope(leaf, core)
            for leaf, core in zip(point.leaves, point.cores, strict=True)
        ]
        variances = np.array([np.sum(kappa * image), *(slope.variance for slope in slopes)])
        roots = np.sqrt(np.maximum(variances, 0.0) + self.smoothing**2)
        total = float(np.sum(roots - self.smoothing))
        weights = total / roots
        leaves = np.array([w * s.frame for w, s in zip(weights[1:], slopes, strict=True)])
        cores = np.array([w * s.core for w, s in zip(weights[1:], slopes, strict=True)])
        if moved:
            pull = 2 * moved * weights[0] * image
            turned = pull @ point.leaves
            rows = np.einsum("tpk,tpk->tk", point.leaves, turned)
            leaves += 2 * turned * point.cores.sum(axis=2)[:, None, :]
            cores += (rows[:, :, None] + rows[:, None, :]) / 2
        return Slope(total**2, leaves, cores)
