# SPDX-License-Identifier: Apache-2.0
r"""From a CISD state to a CI vector that holds what independent pairs add beyond doubles.

A CISD state ends at double excitations. In an exact one, pairs are excited together, to a good
approximation independently of each other; that is the exponential

.. math:: |\psi\rangle \propto e^{\hat T_1 + \hat T_2} |0\rangle, \qquad
          \hat T_1 = \hat C_1 / c_0, \quad
          \hat T_2 = \hat C_2 / c_0 - \tfrac12 (\hat C_1 / c_0)^2,

with all coefficients up to doubles in the ratios of the CISD state, and products of them beyond.

Source:
    The cluster analysis of a CI vector: J. Čížek, J. Chem. Phys. 45, 4256 (1966).
"""

from math import comb

import numpy as np
from scipy.sparse import csr_matrix

from qlowrank.checks import Array
from qlowrank.states.reference import CISDState

NOTHING = 1e-14
"""Singular values and terms below this are left out."""


def completed(state: CISDState) -> Array:
    """Return the normalised exponential in the determinants of the state's reference orbitals.

    Args:
        state: With c_0 > 0.

    Returns:
        CI vector, PySCF's order, (n_alpha_strings, n_beta_strings).
    """
    moves = [_excitations(state.norb, n) for n in state.nelec]
    within = [_one_spin(state, spin, moves[spin]) for spin in (0, 1)]
    across = _both_spins(state, moves)
    shape = [comb(state.norb, n) for n in state.nelec]
    term = np.zeros(shape)
    term[0, 0] = 1.0
    total = term.copy()
    for power in range(1, sum(state.nelec) + 1):
        image = within[0] @ term + (within[1] @ term.T).T
        for alpha, beta in across:
            image += alpha @ (beta @ term.T).T
        term = image / power
        total += term
        if np.abs(term).max() < NOTHING:
            break
    return np.asarray(total / np.linalg.norm(total))


def _excitations(norb: int, electrons: int) -> list[csr_matrix]:
    """a†_a a_i over the strings of one spin, i first, then a."""
    from pyscf.fci import cistring

    if not 0 < electrons < norb:
        return []
    links = np.asarray(cistring.gen_linkstr_index(range(norb), electrons))
    size = len(links)
    start = np.broadcast_to(np.arange(size)[:, None], links.shape[:2])
    create, destroy, end, sign = links.transpose(2, 0, 1)
    found = []
    for i in range(electrons):
        for a in range(electrons, norb):
            here = (create == a) & (destroy == i)
            entries = (sign[here].astype(float), (end[here], start[here]))
            found.append(csr_matrix(entries, shape=(size, size)))
    return found


def _summed(weights: Array, matrices: list[csr_matrix], size: int) -> csr_matrix:
    """Σ w M."""
    total = csr_matrix((size, size))
    for weight, matrix in zip(weights, matrices, strict=True):
        if weight:
            total = total + weight * matrix
    return total


def _one_spin(state: CISDState, spin: int, moves: list[csr_matrix]) -> csr_matrix:
    """T₁ + T₂ of one spin over its strings."""
    size = comb(state.norb, state.nelec[spin])
    single = state.singles[spin] / state.reference_coefficient
    product = np.einsum("ia,jb->ijab", single, single)
    double = state.doubles_same[spin] / state.reference_coefficient
    double = double - product + product.transpose(0, 1, 3, 2)
    pairs = double.transpose(0, 2, 1, 3).reshape(len(moves), len(moves))
    total = _summed(single.ravel(), moves, size)
    for move, weights in zip(moves, pairs, strict=True):
        total = total + move @ _summed(weights / 4, moves, size)
    return total


def _both_spins(
    state: CISDState, moves: list[list[csr_matrix]]
) -> list[tuple[csr_matrix, csr_matrix]]:
    """T₂ of opposite spins as a sum of products, by singular values."""
    first, second = (c / state.reference_coefficient for c in state.singles)
    double = state.doubles_opposite / state.reference_coefficient
    double = double - np.einsum("ia,jb->ijab", first, second)
    pairs = double.transpose(0, 2, 1, 3).reshape(first.size, second.size)
    left, sizes, right = np.linalg.svd(pairs, full_matrices=False)
    strings = [comb(state.norb, n) for n in state.nelec]
    return [
        (
            _summed(size * left[:, k], moves[0], strings[0]),
            _summed(right[k], moves[1], strings[1]),
        )
        for k, size in enumerate(sizes)
        if size > NOTHING
    ]
