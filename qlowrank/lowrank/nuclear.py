# SPDX-License-Identifier: Apache-2.0
"""Shrinkage of singular values, and the same minimum found by descent on two factors."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.lowrank.svd import LowRank, at_least, real_matrix


@dataclass(frozen=True, slots=True)
class NuclearShrinkage:
    r"""Method: subtract a threshold from every singular value, and drop those that vanish.

    .. math:: \min_X \tfrac12 \|X - A\|_F^2 + \tau \|X\|_*, \qquad
              X = \sum_k u_k \max(\sigma_k - \tau, 0)\, v_k^T

    The problem is convex and this is its only solution: the rank comes out, it is not put in.

    Source:
        J.-F. Cai, E. J. Candès, Z. Shen, SIAM J. Optim. 20, 1956 (2010), theorem 2.1.

    >>> NuclearShrinkage(threshold=2.0)([[3.0, 0.0], [0.0, 1.0]]).values
    array([1.])
    """

    threshold: float
    """τ, in the unit of the matrix; zero or more."""

    def __post_init__(self) -> None:
        if checks.finite("threshold", self.threshold) < 0:
            raise InputError(f"threshold must be at least 0; got {self.threshold:g}.")

    def __call__(self, matrix: ArrayLike) -> LowRank:
        """Shrink the singular values of `matrix`; its errors include what was subtracted."""
        left, values, right = np.linalg.svd(real_matrix(matrix), full_matrices=False)
        rank = int(np.sum(values > self.threshold))
        lost = np.minimum(values, self.threshold)
        return LowRank(
            left=left[:, :rank],
            values=values[:rank] - self.threshold,
            right=right[:rank].T,
            frobenius_error=float(np.linalg.norm(lost)),
            spectral_error=float(lost.max(initial=0.0)),
        )


@dataclass(frozen=True, eq=False)
class FactoredFit:
    r"""Two factors found by descent, and how well they were found."""

    left: Array = field(metadata={"units": "1", "axes": "row,term"})
    """F, shape (m, rank)."""
    right: Array = field(metadata={"units": "1", "axes": "column,term"})
    """G, shape (n, rank); the matrix is F Gᵀ."""
    history: Array = field(metadata={"units": "1", "axes": "iteration"})
    """Objective after each iteration, the start first."""
    gradient_norm: float = field(metadata={"units": "1"})
    """Largest component of the gradient at the end."""
    converged: bool
    """Whether the gradient fell below what was asked for."""

    def __post_init__(self) -> None:
        rank = np.shape(self.left)[-1]
        for name in ("left", "right"):
            array = getattr(self, name)
            object.__setattr__(self, name, checks.readonly(name, array, (len(array), rank)))
        object.__setattr__(
            self, "history", checks.readonly("history", self.history, (len(self.history),))
        )

    @property
    def objective(self) -> float:
        """The least value found."""
        return float(self.history[-1])

    def matrix(self) -> Array:
        """Multiply out, shape (m, n)."""
        return self.left @ self.right.T

    def __repr__(self) -> str:
        """Say how it went."""
        word = "converged" if self.converged else "not converged"
        return (
            f"FactoredFit(rank {self.left.shape[1]}, objective {self.objective:.6g}, {word} in "
            f"{len(self.history) - 1} iterations, largest gradient {self.gradient_norm:.1e})"
        )


@dataclass(frozen=True, slots=True)
class FactoredDescent:
    r"""Method: descend on two factors, with weight decay.

    .. math:: \min_{F, G} \tfrac12 \|F G^T - A\|_F^2
              + \tfrac{\tau}{2} \big( \|F\|_F^2 + \|G\|_F^2 \big)

    Although not convex, this has no minima but the best: every other stationary point is a saddle.
    Without decay the minimum is that of `TruncatedSVD(rank)`; with it, the one of
    `NuclearShrinkage(τ)`, or its first `rank` terms where it has more, for
    :math:`\|X\|_* = \min_{F G^T = X} \tfrac12 (\|F\|_F^2 + \|G\|_F^2)`. So decay of weights is
    shrinkage of singular values. A start at random reaches it; a start at zero, a saddle, would
    stay. The descent is SciPy's L-BFGS with this gradient.

    Source:
        N. Srebro, J. Rennie, T. Jaakkola, NIPS 17 (2005); P. Baldi and K. Hornik, Neural Networks
        2, 53 (1989); R. Ge, C. Jin, Y. Zheng, ICML 70, 1233 (2017).

    >>> fit = FactoredDescent(rank=2, decay=2.0, seed=1)([[3.0, 0.0], [0.0, 1.0]])
    >>> np.allclose(fit.matrix(), [[1.0, 0.0], [0.0, 0.0]], rtol=0, atol=1e-6)
    True
    """

    rank: int
    """Columns of the factors."""
    seed: int
    """Of the start."""
    decay: float = 0.0
    """τ, in the unit of the matrix; zero or more."""
    max_iterations: int = 10000
    """When to give up."""
    tolerance: float = 1e-8
    """Largest gradient component allowed, as a share of the matrix's Frobenius norm to 3/2."""

    def __post_init__(self) -> None:
        at_least("rank", self.rank, 1)
        at_least("max_iterations", self.max_iterations, 1)
        checks.positive("tolerance", self.tolerance)
        if checks.finite("decay", self.decay) < 0:
            raise InputError(f"decay must be at least 0; got {self.decay:g}.")

    def __call__(self, matrix: ArrayLike) -> FactoredFit:
        """Fit `matrix`, shape (m, n); where it does not converge, the record says so."""
        matrix = real_matrix(matrix)
        scale = float(np.linalg.norm(matrix)) or 1.0
        target, decay = matrix / scale, self.decay / scale
        rows, columns = target.shape
        start = np.random.default_rng(self.seed).standard_normal((rows + columns) * self.rank)
        start /= np.sqrt(max(rows, columns))
        history = [_objective(start, target, decay)[0]]
        found = minimize(
            _objective,
            start,
            args=(target, decay),
            jac=True,
            method="L-BFGS-B",
            callback=lambda intermediate_result: history.append(intermediate_result.fun),
            options={
                "maxiter": self.max_iterations,
                "maxfun": 2 * self.max_iterations,
                "gtol": self.tolerance,
                "ftol": 0.0,
                "maxcor": 20,
            },
        )
        largest = float(np.abs(found.jac).max(initial=0.0))
        left, right = _split(found.x * np.sqrt(scale), rows, self.rank)
        return FactoredFit(
            left=left,
            right=right,
            history=np.array([*history, found.fun]) * scale**2,
            gradient_norm=largest * scale**1.5,
            converged=largest <= self.tolerance,
        )


def _split(flat: Array, rows: int, rank: int) -> tuple[Array, Array]:
    """Read both factors from one vector."""
    return flat[: rows * rank].reshape(rows, rank), flat[rows * rank :].reshape(-1, rank)


def _objective(flat: Array, matrix: Array, decay: float) -> tuple[float, Array]:
    """Value and gradient."""
    left, right = _split(flat, len(matrix), flat.size // sum(matrix.shape))
    miss = left @ right.T - matrix
    value = (np.sum(miss**2) + decay * np.sum(flat**2)) / 2
    gradient = np.concatenate([(miss @ right).ravel(), (miss.T @ left).ravel()]) + decay * flat
    return float(value), gradient
