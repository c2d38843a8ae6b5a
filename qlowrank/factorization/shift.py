# SPDX-License-Identifier: Apache-2.0
"""Symmetry shifts: take from the Hamiltonian what a fixed number of electrons makes a constant."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from opt_einsum import contract

from qlowrank.checks import Array, InputError
from qlowrank.factorization.double import double_factorize
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.factorization.smoothing import smooth_magnitude, smooth_nuclear_norms
from qlowrank.factorization.symmetry import SymmetryShift
from qlowrank.hamiltonian.record import Hamiltonian

WIDTHS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Widths of the smoothed one-norm, in units of the mean eigenvalue."""


@dataclass(frozen=True, eq=False)
class ShiftProblem:
    r"""The one-norm of a factorization as a convex function of its leaves' shifts.

    .. math:: \lambda(c) = \min_\mu \Big\| T' + (\eta - n) \sum_t c_t L_t - \mu \Big\|_*
              + \tfrac14 \sum_t \Big(\sum_k |\varepsilon^t_k - c_t|\Big)^2
    """

    one_body: Array
    """T' = κ + Σ_t tr(L_t) L_t, shape (norb, norb), Hartree."""
    eigenvalues: Array
    """ε, shape (n_leaves, norb), Hartree^½."""
    factors: Array
    """L, shape (n_leaves, norb, norb), Hartree^½."""
    excess: int
    """η − n, electrons less orbitals; at half filling the shifts leave the one-body part alone."""

    def shifted_one_body(self, shifts: Array) -> Array:
        """Return T' + (η − n) Σ_t c_t L_t, shape (norb, norb), Hartree."""
        moved = contract("t,tpq->pq", shifts, self.factors)
        return np.asarray(self.one_body + self.excess * moved)

    def potential(self, shifts: Array) -> float:
        r"""Return the best μ, Hartree.

        It puts the median of the eigenvalues of κ' + Σ_t tr(L_t − c_t)(L_t − c_t) to zero, which
        is the matrix of the norm above but for :math:`\sum_t (n c_t^2 - c_t \mathrm{tr} L_t)`.
        """
        even = shifts @ (self.eigenvalues.shape[1] * shifts - self.eigenvalues.sum(axis=1))
        return _median(np.linalg.eigvalsh(self.shifted_one_body(shifts))) + float(even)

    def one_norm(self, shifts: Array) -> float:
        """Return λ(c), Hartree."""
        energies = np.linalg.eigvalsh(self.shifted_one_body(shifts))
        squares = np.abs(self.eigenvalues - shifts[:, None]).sum(axis=1) ** 2
        return float(np.abs(energies - _median(energies)).sum() + squares.sum() / 4)


class ShiftMethod(Protocol):
    """A method that chooses the shift of every leaf."""

    @property
    def name(self) -> str:
        """Name to report."""
        ...

    def __call__(self, problem: ShiftProblem) -> Array:
        """Return c, shape (n_leaves,), Hartree^½."""
        ...


@dataclass(frozen=True, slots=True)
class MedianShift:
    """Shift each leaf by the median of its eigenvalues: the least one-norm of every leaf.

    With as many electrons as orbitals no other number shifts have a lower one-norm.
    """

    @property
    def name(self) -> str:
        """Name to report."""
        return "median shift"

    def __call__(self, problem: ShiftProblem) -> Array:
        """Return the medians."""
        if problem.eigenvalues.size == 0:
            return np.zeros(len(problem.eigenvalues))
        return np.asarray(np.median(problem.eigenvalues, axis=1))


@dataclass(frozen=True, slots=True)
class TracelessShift:
    r"""Shift each leaf by the mean of its eigenvalues: the block-invariant shift in closed form.

    Of all :math:`(\hat N - \eta)\hat O` with a symmetric one-body operator O, this one leaves the
    two-body part with the least Frobenius norm; it projects the orbital pairs onto those without
    trace.

    Source:
        I. Loaiza and A. F. Izmaylov, J. Chem. Theory Comput. 19, 8201 (2023), arXiv:2304.13772.
    """

    @property
    def name(self) -> str:
        """Name to report."""
        return "traceless shift"

    def __call__(self, problem: ShiftProblem) -> Array:
        """Return the means."""
        norb = problem.eigenvalues.shape[1]
        return np.asarray(problem.eigenvalues.sum(axis=1) / max(norb, 1))


@dataclass(frozen=True, slots=True)
class OneNormShift:
    """Choose all shifts together for the least one-norm, one-body part included.

    The problem is convex. It is smoothed, solved by SciPy's L-BFGS for falling widths from the
    medians, and the best shifts that were seen are returned: never worse than `MedianShift`.
    """

    max_steps: int = 300
    """Steps at each width."""

    @property
    def name(self) -> str:
        """Name to report."""
        return "one-norm shift"

    def __call__(self, problem: ShiftProblem) -> Array:
        """Return the best shifts."""
        best = MedianShift()(problem)
        if problem.excess == 0 or problem.eigenvalues.size == 0:
            return best
        from scipy.optimize import minimize

        point = np.append(best, _median(np.linalg.eigvalsh(problem.shifted_one_body(best))))
        scale = float(np.abs(problem.eigenvalues).mean())
        for width in WIDTHS:
            result = minimize(
                _smoothed,
                point,
                args=(problem, max(width * scale, 1e-12)),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": self.max_steps},
            )
            point = result.x
            best = min(best, point[:-1], key=problem.one_norm)
        return best


def shift_symmetry(
    source: Hamiltonian | DoubleFactorization, *, method: ShiftMethod | None = None
) -> DoubleFactorization:
    r"""Lower the one-norm by multiples of :math:`\hat N - \eta`, which are zero for η electrons.

    .. math:: \tfrac12 \hat L_t^2 = \tfrac12 (\hat L_t - c_t \hat N)^2 + \eta c_t \hat L_t
              - \tfrac12 \eta^2 c_t^2
              \quad\text{for}\quad \hat N = \eta

    So the eigenvalues become :math:`\varepsilon^t_k - c_t` in the same frames, the one-body part
    :math:`\kappa + \eta \sum_t c_t L_t - \mu`, and the constant
    :math:`E_0 - \tfrac12 \eta^2 \sum_t c_t^2 + \eta \mu`.

    Args:
        source: What to shift; a Hamiltonian is factorized first, by `ql.double_factorize`.
        method: How to choose c: `OneNormShift()` (default), `MedianShift()` or `TracelessShift()`.

    Returns:
        A factorization with the lower `one_norm()`. Its `shift` says what was moved: the operator
        is the molecule's for η electrons (any spins), and another one for every other number.

    Raises:
        InputError: Something else than a Hamiltonian or a factorization, or no method.

    Source:
        V. von Burg et al., arXiv:2007.14460 (the one-norm); I. Loaiza and A. F. Izmaylov,
        arXiv:2304.13772 (block-invariant shifts); D. Rocca et al., arXiv:2403.03502.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> hamiltonian = from_example("water")
    >>> shifted = shift_symmetry(hamiltonian)
    >>> print(f"{double_factorize(hamiltonian).one_norm():.3f} {shifted.one_norm():.3f}")
    50.717 27.570
    """
    if isinstance(source, Hamiltonian):
        source = double_factorize(source)
    if not isinstance(source, DoubleFactorization):
        raise InputError(
            f"shift_symmetry takes a Hamiltonian or a DoubleFactorization; got {source!r:.60}."
        )
    chosen = OneNormShift() if method is None else method
    if isinstance(chosen, type) or not callable(chosen):
        raise InputError(
            f"method must be OneNormShift(), MedianShift() or TracelessShift(); got {chosen!r:.60}."
        )
    problem = shift_problem(source)
    shifts = chosen(problem)
    shifted = shift_by(source, shifts, problem.potential(shifts))
    name = f"{source.status.method}, {chosen.name}"
    return replace(shifted, status=replace(shifted.status, method=name))


def shift_problem(factorization: DoubleFactorization) -> ShiftProblem:
    """Return the one-norm of a factorization as a function of its leaves' shifts."""
    factors = factorization.factors()
    traces = factorization.eigenvalues.sum(axis=1)
    return ShiftProblem(
        one_body=np.asarray(factorization.one_body + contract("t,tpq->pq", traces, factors)),
        eigenvalues=factorization.eigenvalues,
        factors=factors,
        excess=sum(factorization.nelec) - factorization.norb,
    )


def shift_by(
    factorization: DoubleFactorization, shifts: Array, potential: float
) -> DoubleFactorization:
    """Return the factorization shifted by given c (Hartree^½) and μ (Hartree), leaf by leaf.

    Leaves keep their order. A leaf that is a multiple of the number of electrons may lose all its
    eigenvalues; it stays, so that the shift can be undone.
    """
    electrons, norb = sum(factorization.nelec), factorization.norb
    before = factorization.shift
    moved = contract("t,tpq->pq", shifts, factorization.factors())
    constant = electrons * potential - electrons**2 * float(shifts @ shifts) / 2
    eigenvalues = factorization.eigenvalues - shifts[:, None]
    order = np.argsort(-np.abs(eigenvalues), axis=1, kind="stable")
    total = shifts if before is None else shifts + before.leaf_shifts
    cross = 0.0 if before is None else electrons * float(shifts @ before.leaf_shifts)
    added = potential + (0.0 if before is None else before.chemical_potential)
    constants = factorization.constants
    return replace(
        factorization,
        constants=replace(constants, other=constants.other + constant),
        one_body=factorization.one_body + electrons * moved - potential * np.eye(norb),
        eigenvalues=np.take_along_axis(eigenvalues, order, axis=1),
        leaves=np.take_along_axis(factorization.leaves, order[:, None, :], axis=2),
        shift=SymmetryShift(electrons, total, added + cross),
    )


def unshift(factorization: DoubleFactorization) -> DoubleFactorization:
    """Return the factorization before its symmetry shift, to rounding; as it is without one."""
    shift = factorization.shift
    if shift is None:
        return factorization
    squares = float(shift.leaf_shifts @ shift.leaf_shifts)
    potential = shift.electrons * squares - shift.chemical_potential
    return replace(shift_by(factorization, -shift.leaf_shifts, potential), shift=None)


def _smoothed(point: Array, problem: ShiftProblem, width: float) -> tuple[float, Array]:
    """Return λ(c, μ) with rounded corners, and its gradient."""
    shifts, potential = point[:-1], point[-1]
    one_body = problem.shifted_one_body(shifts) - potential * np.eye(len(problem.one_body))
    norms, signs = smooth_nuclear_norms(one_body[None], width)
    magnitudes, slopes = smooth_magnitude(problem.eigenvalues - shifts[:, None], width)
    sums = magnitudes.sum(axis=1)
    value = float(norms[0]) + float(sums @ sums) / 4
    towards = problem.excess * contract("pq,tpq->t", signs[0], problem.factors)
    gradient = towards - sums * slopes.sum(axis=1) / 2
    return value, np.append(gradient, -np.trace(signs[0]))


def _median(values: np.ndarray) -> float:
    """Return the median; zero of nothing."""
    return float(np.median(values)) if values.size else 0.0
