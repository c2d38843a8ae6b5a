# SPDX-License-Identifier: Apache-2.0
r"""One-norms of block encodings, each as its paper defines it; all in Hartree.

The one-body part that goes with every one of them holds the mean field of the closed shells that
the rewriting in Majorana operators brings out,

.. math:: T'_{pq} = \kappa_{pq} + \sum_r (pq|rr)
                  = h_{pq} - \tfrac12 \sum_r (pr|rq) + \sum_r (pq|rr).
"""

import numpy as np
from numpy.typing import ArrayLike
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.record import Hamiltonian, packed_two_body


def majorana_one_body(hamiltonian: Hamiltonian) -> Array:
    r"""Return :math:`T' = \kappa + \sum_t \mathrm{tr}(L^t) L^t`, shape (norb, norb), Hartree.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> majorana_one_body(from_example("h2")).shape
    (2, 2)
    """
    factors = hamiltonian.factors
    traces = contract("tpp->t", factors)
    return np.asarray(hamiltonian.kappa + contract("t,tpq->pq", traces, factors))


def double_factorized_norm(one_body: ArrayLike, eigenvalues: ArrayLike) -> float:
    r"""One-norm of squares that are each encoded by qubitization of their own.

    .. math:: \lambda = \sum_k |\mathrm{eig}_k(T')|
              + \tfrac14 \sum_t \Big(\sum_k |\varepsilon^t_k|\Big)^2

    Args:
        one_body: T', shape (norb, norb), symmetric, Hartree.
        eigenvalues: epsilon, shape (n_leaves, norb), Hartree^½.

    Source:
        V. von Burg et al., Phys. Rev. Research 3, 033055 (2021), Eqs. (15) to (17).

    >>> double_factorized_norm([[-1.0]], [[2.0]])
    2.0
    """
    one_body = _one_body(one_body)
    eigenvalues = _stack("eigenvalues", eigenvalues, (len(one_body),))
    return _schatten(one_body) + float(np.sum(np.abs(eigenvalues).sum(axis=1) ** 2)) / 4


def single_factorized_norm(one_body: ArrayLike, factors: ArrayLike) -> float:
    r"""One-norm of squares of matrices that are encoded entry by entry.

    .. math:: \lambda = \sum_{pq} |T'_{pq}| + \tfrac14 \sum_t \Big(\sum_{pq} |L^t_{pq}|\Big)^2

    Args:
        one_body: T', shape (norb, norb), symmetric, Hartree.
        factors: L, shape (rank, norb, norb), Hartree^½.

    Source:
        D. W. Berry et al., Quantum 3, 208 (2019); J. Lee et al., PRX Quantum 2, 030305 (2021),
        appendix B.

    >>> single_factorized_norm([[-1.0]], [[[2.0]]])
    2.0
    """
    one_body = _one_body(one_body)
    factors = _stack("factors", factors, one_body.shape)
    squares = np.abs(factors).sum(axis=(1, 2)) ** 2
    return float(np.abs(one_body).sum() + squares.sum() / 4)


def sparse_norm(one_body: ArrayLike, packed: ArrayLike) -> float:
    r"""One-norm of integrals that are encoded one by one.

    .. math:: \lambda = \sum_{pq} |T'_{pq}| + \tfrac12 \sum_{pqrs} |(pq|rs)|

    Args:
        one_body: T', shape (norb, norb), symmetric, Hartree.
        packed: (pq|rs) over pairs p ≥ q and r ≥ s, shape (npair, npair), Hartree.

    Source:
        D. W. Berry et al., Quantum 3, 208 (2019); J. Lee et al., PRX Quantum 2, 030305 (2021),
        appendix A.

    >>> sparse_norm([[-1.0]], [[2.0]])
    2.0
    """
    one_body = _one_body(one_body)
    weights = pair_weights(len(one_body))
    packed = checks.readonly("packed", packed, (len(weights),) * 2)
    return float(np.abs(one_body).sum() + weights @ np.abs(packed) @ weights / 2)


def cores_norm(one_body: ArrayLike, cores: ArrayLike) -> float:
    r"""One-norm of leaves with any cores, as a plain linear combination of unitaries.

    .. math:: \lambda = \sum_k |\mathrm{eig}_k(T')|
              + \tfrac12 \sum_t \sum_{kl} |Z^t_{kl}| - \tfrac14 \sum_t \sum_k |Z^t_{kk}|

    The terms k = l of equal spin are constants, which is what the last sum takes away. For cores of
    rank one this is more than `double_factorized_norm`, whose squares cost half.

    Args:
        one_body: T', shape (norb, norb), symmetric, Hartree.
        cores: Z, shape (n_leaves, norb, norb), symmetric in the last two, Hartree.

    >>> cores_norm([[-1.0]], [[[2.0]]])
    1.5
    """
    one_body = _one_body(one_body)
    sizes = np.abs(_stack("cores", cores, one_body.shape))
    return _schatten(one_body) + float(sizes.sum() / 2 - contract("tkk->", sizes) / 4)


def hypercontracted_norm(one_body: ArrayLike, points: ArrayLike, core: ArrayLike) -> float:
    r"""One-norm of a hypercontraction, its orbitals normalised.

    .. math:: \lambda = \sum_k |\mathrm{eig}_k(T')|
              + \tfrac12 \sum_{\mu\nu} |\zeta_{\mu\nu}| \, \|\chi_\mu\|^2 \|\chi_\nu\|^2, \qquad
              (pq|rs) = \sum_{\mu\nu} \chi_{\mu p} \chi_{\mu q} \zeta_{\mu\nu}
                        \chi_{\nu r} \chi_{\nu s}

    Args:
        one_body: T', shape (norb, norb), symmetric, Hartree.
        points: χ, shape (n_points, norb), of any norm.
        core: ζ, shape (n_points, n_points), Hartree.

    Source:
        J. Lee et al., PRX Quantum 2, 030305 (2021), Eqs. (13) and (18) to (20).

    >>> hypercontracted_norm([[-1.0]], [[2.0]], [[0.125]])
    2.0
    """
    one_body = _one_body(one_body)
    points = _stack("points", points, (len(one_body),))
    core = checks.readonly("core", core, (len(points),) * 2)
    weights = contract("mp,mp->m", points, points)
    return _schatten(one_body) + float(weights @ np.abs(core) @ weights) / 2


def sparse_part(hamiltonian: Hamiltonian, threshold: float) -> tuple[Array, Array, int]:
    """Return T' and the packed (pq|rs) with small ones set to zero, and how many are left.

    Those counted are the integrals of one and of two electrons that symmetry does not make equal.
    """
    rows, cols = np.tril_indices(hamiltonian.norb)
    checks.fits(
        f"The table of (pq|rs) over pairs of {hamiltonian.norb} orbitals",
        16 * len(rows) ** 2,
        None,
        "Use the single or double factorization instead.",
    )
    one_body, packed = majorana_one_body(hamiltonian), packed_two_body(hamiltonian)
    one_body = np.where(np.abs(one_body) >= threshold, one_body, 0.0)
    packed = np.where(np.abs(packed) >= threshold, packed, 0.0)
    kept = np.count_nonzero(one_body[rows, cols]) + np.count_nonzero(np.tril(packed))
    return one_body, packed, int(kept)


def pair_weights(norb: int) -> Array:
    """How many ordered pairs each pair p ≥ q stands for, shape (npair,)."""
    rows, cols = np.tril_indices(norb)
    return np.where(rows == cols, 1.0, 2.0)


def _schatten(matrix: Array) -> float:
    """Sum of the magnitudes of a symmetric matrix's eigenvalues."""
    return float(np.abs(np.linalg.eigvalsh(matrix)).sum())


def _one_body(value: ArrayLike) -> Array:
    """Check a one-body part."""
    return checks.symmetric("one_body", value, len(np.atleast_1d(np.asarray(value))))


def _stack(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Check a stack of arrays of this shape."""
    array = np.asarray(value)
    if array.ndim != len(shape) + 1:
        raise InputError(
            f"{name} must be a stack of arrays of shape {shape}; got {array.ndim} axes."
        )
    return checks.readonly(name, array, (len(array), *shape))
