# SPDX-License-Identifier: Apache-2.0
"""From a factorization to groups of commuting operators, one orbital frame each."""

import numpy as np

from qlowrank.factorization.gauge import with_positive_peak
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.diagonal import DiagonalOperator


def plain_groups(factorization: DoubleFactorization) -> tuple[DiagonalOperator, ...]:
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
    norb = factorization.norb
    energies, frame = np.linalg.eigh(factorization.one_body)
    nothing = np.zeros((norb, norb))
    one_body = DiagonalOperator(
        frame=with_positive_peak(frame), linear=energies, same_spin=nothing, opposite_spin=nothing
    )
    squares = (
        DiagonalOperator(frame=leaf, linear=np.zeros(norb), same_spin=core, opposite_spin=core)
        for leaf, core in zip(factorization.leaves, factorization.cores, strict=True)
    )
    return (one_body, *squares)
