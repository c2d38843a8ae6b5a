# SPDX-License-Identifier: Apache-2.0
"""A chain of orbitals as a chain of qubits whose amplitudes belong to block order."""

from qlowrank.checks import Array
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import Blocks
from qlowrank.mps.spin_sites import split_orbitals


def qubit_tensors(mps: MPS) -> tuple[Array, ...]:
    r"""Return tensors over qubits α0 β0 α1 β1 …, with the signs of all alpha before all beta.

    An MPS creates electrons orbital by orbital; Jordan-Wigner in block order wants all alpha
    electrons first, which costs the sign

    .. math:: (-1)^{\sum_p n_{p\beta}\, \#\{q > p : n_{q\alpha} = 1\}} .

    The bond on the right of orbital p knows how many alpha electrons are on its left, and the total
    is conserved, so that each factor is a sign of one block: the signs are absorbed into the
    tensors, at no cost in bond dimension or gates.

    Args:
        mps: One site per spatial orbital, of definite (n_alpha, n_beta).

    Returns:
        2 norb arrays (left, 2, right). The amplitude of bits (n_α0, n_β0, n_α1, …) is that of
        qubits in block order with the same occupations.

    Raises:
        InputError: Sites that are no spatial orbitals.
    """
    n_alpha = mps.nelec[0]
    sites = [_signed(mps.site_blocks(site), n_alpha) for site in range(mps.n_sites)]
    return split_orbitals(MPS.from_blocks(sites, mps.sites)).tensors


def _signed(blocks: Blocks, n_alpha: int) -> Blocks:
    """Change the sign where a beta electron has an odd number of alpha electrons on its right."""
    found: Blocks = {}
    for (left, right), block in blocks.items():
        beta, alpha_beyond = right[1] - left[1], n_alpha - right[0]
        found[left, right] = -block if beta * alpha_beyond % 2 else block
    return found
