# SPDX-License-Identifier: Apache-2.0
"""Any leaves as squares with a sign each: what a core of full rank is a sum of."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from opt_einsum import contract

from qlowrank.checks import Array, InputError


@dataclass(frozen=True, eq=False)
class SignedSquares:
    r"""Two-electron integrals as squares in the frames of leaves.

    .. math:: (pq|rs) = \sum_m s_m L^m_{pq} L^m_{rs}, \qquad
              L^m_{pq} = \sum_k U^{t(m)}_{pk} \varepsilon^m_k U^{t(m)}_{qk}
    """

    signs: Array = field(metadata={"units": "1", "axes": "square"})
    """s, +1 or -1, shape (n_squares,)."""
    eigenvalues: Array = field(metadata={"units": "hartree^0.5", "axes": "square,rotated"})
    """epsilon, shape (n_squares, norb), Hartree^½."""
    leaf: NDArray[np.int64] = field(metadata={"units": "1", "axes": "square"})
    """t, the leaf each square lives in, shape (n_squares,)."""
    frames: Array = field(metadata={"units": "1", "axes": "leaf,orbital,rotated"})
    """U of the leaves, shape (n_leaves, norb, norb)."""

    @property
    def n_squares(self) -> int:
        """Number of squares."""
        return len(self.signs)

    @property
    def n_eigenvectors(self) -> int:
        """Rotated orbitals of all squares together."""
        return int(np.count_nonzero(self.eigenvalues))

    def factors(self) -> Array:
        """Return L of each square, shape (n_squares, norb, norb), Hartree^½."""
        frames = self.frames[self.leaf]
        return np.asarray(contract("mpk,mk,mqk->mpq", frames, self.eigenvalues, frames))


def signed_squares(factorization: Any) -> SignedSquares:
    r"""Split every core into squares, :math:`Z^t = \sum_m s_m \varepsilon^m (\varepsilon^m)^T`.

    Leaves whose cores have rank one are squares already. A core of full rank gives as many as it
    has eigenvalues beyond rounding; those of negative eigenvalues have the sign -1.

    Args:
        factorization: A `DoubleFactorization` or `CompressedFactorization`.

    Raises:
        InputError: It has no leaves with cores.

    >>> from qlowrank.factorization.double import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> signed_squares(double_factorize(from_example("h2"))).n_squares
    3
    """
    if hasattr(factorization, "eigenvalues") and hasattr(factorization, "leaves"):
        number = len(factorization.eigenvalues)
        return SignedSquares(
            signs=np.ones(number),
            eigenvalues=factorization.eigenvalues,
            leaf=np.arange(number),
            frames=factorization.leaves,
        )
    if not (hasattr(factorization, "leaves") and hasattr(factorization, "cores")):
        raise InputError(
            "Squares need leaves with cores, as ql.double_factorize and ql.compress make them; got "
            f"{type(factorization).__name__}."
        )
    values, vectors = np.linalg.eigh(factorization.cores)
    sizes = np.abs(values)
    noise = 8 * values.shape[-1] * np.finfo(float).eps * sizes.max(initial=0.0)
    leaf, column = np.nonzero(sizes > noise)
    roots = np.sqrt(sizes[leaf, column])[:, None]
    return SignedSquares(
        signs=np.sign(values[leaf, column]),
        eigenvalues=vectors[leaf, :, column] * roots,
        leaf=leaf.astype(np.int64),
        frames=factorization.leaves,
    )
