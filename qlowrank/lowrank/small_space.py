# SPDX-License-Identifier: Apache-2.0
"""Powers and functions of rank-deficient matrices, computed in the space they act on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import expm

from qlowrank import checks
from qlowrank.checks import InputError

Matrix = NDArray[Any]
"""Real or complex."""


@dataclass(frozen=True, eq=False)
class SmallSpace:
    r"""A multiple of the identity plus a matrix of low rank: :math:`c\,1 + F M G^T`.

    Applied to vectors without ever being formed: r (m + n) operations a vector in place of m n.
    """

    scale: complex
    """c."""
    left: Matrix
    """F, shape (n, r)."""
    middle: Matrix
    """M, shape (r, r)."""
    right: Matrix
    """G, shape (n, r)."""

    def __post_init__(self) -> None:
        left, middle, right = _factors(self.left, self.middle, self.right)
        for name, array in (("left", left), ("middle", middle), ("right", right)):
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    @property
    def rank(self) -> int:
        """Columns of the factors."""
        return len(self.middle)

    def apply(self, vectors: ArrayLike) -> Matrix:
        """Multiply with vectors, shape (n,) or (n, k)."""
        vectors = np.asarray(vectors)
        return self.scale * vectors + self.left @ (self.middle @ (self.right.T @ vectors))

    def matrix(self) -> Matrix:
        """Multiply out, shape (n, n)."""
        return self.scale * np.eye(len(self.left)) + self.left @ self.middle @ self.right.T


def low_rank_power(left: ArrayLike, right: ArrayLike, power: int) -> SmallSpace:
    r"""Power of :math:`A = F G^T`, through the small matrix :math:`G^T F`.

    .. math:: A^n = F (G^T F)^{n-1} G^T

    Args:
        left: F, shape (n, r).
        right: G, shape (n, r).
        power: n, zero or more; zero is the identity.

    >>> low_rank_power([[1.0], [2.0]], [[3.0], [1.0]], 3).matrix()
    array([[ 75.,  25.],
           [150.,  50.]])
    """
    left, right = np.asarray(left), np.asarray(right)
    if checks.whole("power", power) < 0:
        raise InputError(f"power must be at least 0; got {power}.")
    left, _, right = _factors(left, np.eye(left.shape[-1] if left.ndim else 0), right)
    if power == 0:
        return SmallSpace(1.0, left, np.zeros((left.shape[1],) * 2), right)
    middle = np.linalg.matrix_power(right.T @ left, power - 1)
    return SmallSpace(0.0, left, middle, right)


def low_rank_exponential(left: ArrayLike, middle: ArrayLike, right: ArrayLike) -> SmallSpace:
    r"""Exponential of :math:`A = F M G^T`, through a matrix of twice its rank.

    .. math:: e^A = 1 + F \,\varphi(M G^T F)\, M G^T, \qquad
              \varphi(X) = \sum_{k \ge 0} \frac{X^k}{(k + 1)!}, \qquad
              \exp \begin{pmatrix} X & 1 \\ 0 & 0 \end{pmatrix}
              = \begin{pmatrix} e^X & \varphi(X) \\ 0 & 1 \end{pmatrix}

    No inverse is taken, so that :math:`M G^T F` may be singular or zero.

    Args:
        left: F, shape (n, r).
        middle: M, shape (r, r).
        right: G, shape (n, r).

    Source:
        N. J. Higham, Functions of Matrices (SIAM, 2008), theorem 1.35 and section 10.7.4.

    >>> low_rank_exponential([[1.0], [0.0]], [[2.0]], [[0.0], [1.0]]).matrix()
    array([[1., 2.],
           [0., 1.]])
    """
    left, middle, right = _factors(left, middle, right)
    rank = len(middle)
    block = np.zeros((2 * rank, 2 * rank), dtype=np.result_type(left, middle, right, np.float64))
    block[:rank, :rank] = middle @ right.T @ left
    block[:rank, rank:] = np.eye(rank)
    return SmallSpace(1.0, left, expm(block)[:rank, rank:] @ middle, right)


def symmetric_function(
    vectors: ArrayLike, values: ArrayLike, function: Callable[[Matrix], Matrix]
) -> SmallSpace:
    r"""Function of a symmetric matrix of which only the eigenvalues that are not zero are given.

    .. math:: f(U \operatorname{diag}(\varepsilon)\, U^T) = f(0)\, 1
              + U \operatorname{diag}(f(\varepsilon) - f(0))\, U^T

    Args:
        vectors: U, shape (n, r), orthonormal columns.
        values: ε, shape (r,).
        function: f, of an array element by element; it may be complex.

    >>> turn = symmetric_function([[0.6], [0.8]], [np.pi], lambda x: np.exp(1j * x))
    >>> turn.apply([0.6, 0.8]).round(12)
    array([-0.6+0.j, -0.8+0.j])
    """
    vectors, values = np.asarray(vectors), np.asarray(values)
    at_zero = complex(function(np.zeros(1))[0])
    scale = at_zero if at_zero.imag else at_zero.real
    middle = np.diag(function(values) - scale)
    return SmallSpace(scale, vectors, middle, vectors)


def _factors(left: ArrayLike, middle: ArrayLike, right: ArrayLike) -> tuple[Matrix, Matrix, Matrix]:
    """Return the three as arrays that can be multiplied, or say which cannot."""
    left, middle, right = np.asarray(left), np.asarray(middle), np.asarray(right)
    if left.ndim != 2:
        raise InputError(f"left must have two axes; got {left.ndim}.")
    size, rank = left.shape
    for name, array, shape in (("middle", middle, (rank, rank)), ("right", right, (size, rank))):
        if array.shape != shape:
            raise InputError(f"{name} must have shape {shape}; got {array.shape}.")
    for name, array in (("left", left), ("middle", middle), ("right", right)):
        if not np.isfinite(array).all():
            raise InputError(f"{name} has entries that are nan or inf; all must be finite.")
    return left, middle, right
