# SPDX-License-Identifier: Apache-2.0
"""Plain, mean-field and fluid fragments: squares, with one-body parts moved between groups."""

from dataclasses import dataclass

import numpy as np
from opt_einsum import contract

from qlowrank.checks import Array, InputError
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.lowrank import Progress
from qlowrank.measurement.fragments.record import Fragments, FragmentStatus
from qlowrank.measurement.groups import plain_groups, shifted_groups
from qlowrank.states.state import State

CUTOFF = 1e-10
"""Eigenvalues of a covariance below this part of the largest count as zero."""


@dataclass(frozen=True, slots=True)
class PlainFragments:
    """The one-body operator and every square as they stand.

    Source:
        W. J. Huggins et al., npj Quantum Information 7, 23 (2021), arXiv:1907.13117.
    """

    def __call__(
        self,
        factorization: DoubleFactorization,
        state: State,  # noqa: ARG002 (plain fragments look at no state)
        progress: Progress | None = None,  # noqa: ARG002
    ) -> Fragments:
        """Return the fragments; the state is not looked at."""
        groups = plain_groups(factorization)
        return Fragments(groups, factorization.constant, FragmentStatus("plain", converged=True))


@dataclass(frozen=True, slots=True)
class MeanFieldFragments:
    r"""Each square about its mean in the state: :math:`c^t = \langle\hat L_t\rangle \varepsilon^t`.

    ½L̂² − ⟨L̂⟩L̂ = ½(L̂ − ⟨L̂⟩)² − ½⟨L̂⟩²: a closed form that removes the large linear response.
    """

    def __call__(
        self, factorization: DoubleFactorization, state: State, progress: Progress | None = None
    ) -> Fragments:
        """Return the fragments."""
        shifts = mean_field_shifts(factorization, state, progress)
        groups = shifted_groups(factorization, shifts)
        return Fragments(
            groups, factorization.constant, FragmentStatus("mean-field", converged=True)
        )


def mean_field_shifts(
    factorization: DoubleFactorization, state: State, progress: Progress | None = None
) -> Array:
    """Return ⟨L̂_t⟩ ε^t, shape (n_leaves, norb), Hartree."""
    nothing = np.zeros((factorization.norb, factorization.norb))
    shifts = np.empty((factorization.n_leaves, factorization.norb))
    for t, (leaf, values) in enumerate(
        zip(factorization.leaves, factorization.eigenvalues, strict=True)
    ):
        mean = state.moments(DiagonalOperator(leaf, values, nothing, nothing)).mean
        shifts[t] = mean * values
        if progress is not None:
            progress("leaf means", t + 1, factorization.n_leaves)
    return shifts


@dataclass(frozen=True, slots=True)
class FluidFragments:
    r"""The one-body parts c that minimise the number of shots: a convex problem, solved globally.

    .. math:: \min_c \; \sqrt{\mathrm{Var}\,F_0(c)} + \sum_t \sqrt{\mathrm{Var}\,F_t(c^t)}

    Each variance is a square of an affine function of c, so the objective is a sum of seminorms.
    It is minimised by reweighting: with w_g = sqrt(Var F_g + s²) from the step before,
    ½ Σ_g (Var F_g / w_g + w_g) touches the objective from above, and its minimum over c solves a
    linear system of the size of one one-body operator. The smoothing s falls by a third whenever
    a step changes the objective by less than 1e-5 of it.

    Only two- and three-body covariances of the state are needed: its two-particle density matrix,
    and Cov(½L̂_t², ñ_k) leaf by leaf.

    Source:
        S. Choi, I. Loaiza, A. F. Izmaylov, arXiv:2208.14490 (fluid fermionic fragments).
    """

    max_steps: int = 500
    """Most reweighting steps."""
    stop: float = 1e-6
    """Stop when the smoothing has fallen to this share of what it began with."""

    def __post_init__(self) -> None:
        if self.max_steps < 1 or not self.stop > 0:
            raise InputError(
                f"max_steps must be at least 1 and stop above 0; got {self.max_steps}, {self.stop}."
            )

    def __call__(
        self, factorization: DoubleFactorization, state: State, progress: Progress | None = None
    ) -> Fragments:
        """Return the fragments."""
        if state.label == "hf":
            raise InputError(
                "Fluid fragments need a correlated state: in a determinant whole classes of "
                "one-body operators do not vary, and nothing holds them. Use the state cisd, or "
                "mean-field fragments."
            )
        problem = _fluid_problem(factorization, state, progress)
        shifts = mean_field_shifts(factorization, state)
        spread = np.sqrt(problem.variances(shifts))
        objective, smoothing = float(spread.sum()), 0.1 * float(spread.mean())
        last = self.stop * smoothing
        steps = 0
        while steps < self.max_steps and smoothing > last:
            shifts = problem.minimise(np.hypot(spread, smoothing))
            spread = np.sqrt(problem.variances(shifts))
            before, objective = objective, float(np.hypot(spread, smoothing).sum())
            if abs(before - objective) < 1e-5 * objective:
                smoothing /= 3
            steps += 1
            if progress is not None:
                progress("fluid steps", steps, None)
        converged = smoothing <= last
        status = FragmentStatus(
            method="fluid",
            converged=converged,
            iterations=steps,
            message=f"smoothed by {smoothing:.1e} Hartree at the end",
        )
        groups = shifted_groups(factorization, shifts)
        return Fragments(groups, factorization.constant, status)


@dataclass(frozen=True, eq=False, slots=True)
class _FluidProblem:
    """Variances of all groups as quadratic forms in the shifts.

    One-body operators are vectors over the n_pairs = norb (norb + 1) / 2 elements on and above the
    diagonal, those above times √2, so that products of vectors are those of matrices.
    """

    kappa: Array
    """Shape (n_pairs,)."""
    leaves: Array
    """u_k u_k of each leaf, shape (n_leaves, n_pairs, norb)."""
    one_body: Array
    """Γ, shape (n_pairs, n_pairs)."""
    squares: Array
    """Var ½L̂_t², shape (n_leaves,)."""
    mixed: Array
    """Cov(½L̂_t², ñ_k), shape (n_leaves, norb)."""
    occupations: Array
    """Cov(ñ_k, ñ_l), shape (n_leaves, norb, norb)."""
    roots: Array
    """R, RRᵀ the pseudo-inverse of `occupations`, shape (n_leaves, norb, norb)."""

    def variances(self, shifts: Array) -> Array:
        """Return the variances of all groups, one-body group first."""
        moved = self.kappa + contract("txk,tk->x", self.leaves, shifts)
        squares = self.squares - 2 * np.einsum("tk,tk->t", shifts, self.mixed)
        squares += np.einsum("tk,tkl,tl->t", shifts, self.occupations, shifts)
        return np.maximum(np.concatenate([[moved @ self.one_body @ moved], squares]), 0.0)

    def minimise(self, weights: Array) -> Array:
        """Return the shifts that minimise Σ_g Var F_g / w_g.

        Stationarity in c^t reads C_t c^t = v_t − (w_t / w_0) A_tᵀ Γ T with T = κ + Σ A_t c^t and
        C_t = A_tᵀ Γ A_t; eliminating c gives one system for Γ^½ T.
        """
        first, others = weights[0], weights[1:]
        free = contract("tkj,tlj,tl->tk", self.roots, self.roots, self.mixed)
        halves = self.leaves @ (self.roots * np.sqrt(others)[:, None, None])
        flat = halves.transpose(1, 0, 2).reshape(len(self.kappa), -1)
        carried = flat @ flat.T
        start = self.kappa + contract("txk,tk->x", self.leaves, free)
        system = np.eye(len(start)) + carried @ self.one_body / first
        pulled = self.one_body @ np.linalg.solve(system, start)
        pull = contract("tkj,tlj,txl,x->tk", self.roots, self.roots, self.leaves, pulled)
        return np.asarray(free - (others / first)[:, None] * pull)


def _fluid_problem(
    factorization: DoubleFactorization, state: State, progress: Progress | None
) -> _FluidProblem:
    """Collect the covariances that the fluid problem needs."""
    norb, n_leaves = factorization.norb, factorization.n_leaves
    p, q = np.triu_indices(norb)
    weight = np.where(p == q, 1.0, np.sqrt(2.0))
    one_body = state.one_body_covariance()[p[:, None], q[:, None], p, q]
    one_body = one_body * weight[:, None] * weight
    frames = factorization.leaves
    leaves = frames[:, p] * frames[:, q] * weight[:, None]
    squares, mixed = np.empty(n_leaves), np.empty((n_leaves, norb))
    for t, group in enumerate(plain_groups(factorization)[1:]):
        squares[t] = state.moments(group).variance
        mixed[t] = state.square_covariances(group.frame, factorization.eigenvalues[t])
        if progress is not None:
            progress("leaf covariances", t + 1, n_leaves)
    occupations = leaves.transpose(0, 2, 1) @ one_body @ leaves
    return _FluidProblem(
        kappa=factorization.one_body[p, q] * weight,
        leaves=leaves,
        one_body=one_body,
        squares=squares,
        mixed=mixed,
        occupations=occupations,
        roots=_inverse_roots(occupations),
    )


def _inverse_roots(matrices: Array) -> Array:
    """R with RRᵀ the pseudo-inverse of each symmetric positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrices)
    largest = values.max(axis=-1, initial=0.0)[..., None]
    kept = values > CUTOFF * np.maximum(largest, np.finfo(float).tiny)
    inverse = np.divide(1.0, values, out=np.zeros(values.shape), where=kept)
    return np.asarray(vectors * np.sqrt(inverse)[..., None, :])
