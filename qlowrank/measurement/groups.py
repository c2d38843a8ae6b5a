# SPDX-License-Identifier: Apache-2.0
"""From a factorization to groups of commuting operators, one orbital frame each."""

from typing import Any

import numpy as np
from opt_einsum import contract

from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.record import CompressedFactorization
from qlowrank.factorization.gauge import with_positive_peak
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.diagonal import DiagonalOperator

Leaves = DoubleFactorization | CompressedFactorization
"""What groups are made of: frames with cores, of rank one or full."""


def check_leaves(record: Any, *, squares: bool) -> None:
    """Refuse what has no leaves, or where fragments need squares, leaves with full cores.

    Raises:
        InputError: As said.
    """
    if isinstance(record, DoubleFactorization):
        return
    if not isinstance(record, CompressedFactorization):
        raise InputError(
            "A plan measures leaves, which ql.double_factorize, ql.optimize_gauge and ql.compress "
            f"make; got {type(record).__name__}."
        )
    if squares:
        raise InputError(
            "These fragments move parts between squares; a compressed factorization has full cores "
            "in its leaves. Use PlainFragments(), or the explicit factorization."
        )


def plain_groups(factorization: Leaves) -> tuple[DiagonalOperator, ...]:
    r"""Return the one-body operator and every square, each in the frame that makes it diagonal.

    .. math:: H - E_0 = \sum_k \eta_k \tilde n_k
              + \sum_t \tfrac12 \Big(\sum_k \varepsilon^t_k \tilde n^t_k\Big)^2

    Args:
        factorization: The leaves and the one-body part, kappa.

    Returns:
        One-body group first, then the leaves in their order; together they are H − E0 exactly.

    Source:
        W. J. Huggins et al., npj Quantum Information 7, 23 (2021), arXiv:1907.13117.

    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> len(plain_groups(double_factorize(from_example("h2"))))
    4
    """
    return shifted_groups(factorization, np.zeros((factorization.n_leaves, factorization.norb)))


def shifted_groups(factorization: Leaves, shifts: Array) -> tuple[DiagonalOperator, ...]:
    r"""Return the squares less a one-body operator in their own frames, and the rest as one group.

    .. math:: F_t = \tfrac12 \Big(\sum_k \varepsilon^t_k \tilde n^t_k\Big)^2
              - \sum_k c^t_k \tilde n^t_k, \qquad
              F_0 = \sum_{pq} \kappa_{pq} E_{pq} + \sum_t \sum_k c^t_k \tilde n^t_k

    Args:
        factorization: The leaves and kappa.
        shifts: c, shape (n_leaves, norb), Hartree.

    Returns:
        F_0 in its own eigenframe, then the leaves in their order.
    """
    moved = contract("tpk,tk,tqk->pq", factorization.leaves, shifts, factorization.leaves)
    energies, frame = np.linalg.eigh(factorization.one_body + moved)
    nothing = np.zeros((factorization.norb, factorization.norb))
    one_body = DiagonalOperator(with_positive_peak(frame), energies, nothing, nothing)
    squares = (
        DiagonalOperator(leaf, -shift, core, core)
        for leaf, shift, core in zip(factorization.leaves, shifts, factorization.cores, strict=True)
    )
    return (one_body, *squares)
