# SPDX-License-Identifier: Apache-2.0
"""Occupation strings of one spin, their order, and the sign from strings to sites.

A string is an integer whose bit p says whether orbital p is occupied, as in PySCF. PySCF's CI
matrix belongs to determinants with all alpha operators left of all beta operators; sites have alpha
and beta of each orbital side by side. Moving each beta operator to its site gives `site_signs`.
"""

from functools import lru_cache

import numpy as np

from qlowrank.checks import Array
from qlowrank.mps.sectors import IntArray


@lru_cache(maxsize=1024)
def rising(norb: int, n: int) -> IntArray:
    """Strings with n electrons in rising order: PySCF's; the last orbital varies slowest."""
    if not 0 <= n <= norb:
        return np.zeros(0, dtype=np.int64)
    if n == 0:
        return np.zeros(1, dtype=np.int64)
    empty, occupied = rising(norb - 1, n), rising(norb - 1, n - 1)
    return np.concatenate([empty, occupied | (1 << (norb - 1))])


@lru_cache(maxsize=1024)
def mirrored(norb: int, n: int) -> IntArray:
    """Strings with n electrons, ordered so that the first orbital varies slowest."""
    strings = rising(norb, n)
    found = np.zeros_like(strings)
    for orbital in range(norb):
        found |= ((strings >> orbital) & 1) << (norb - 1 - orbital)
    return found


def occupations(strings: IntArray, norb: int) -> Array:
    """Occupation of each orbital, shape (strings, norb), as floats 0 and 1."""
    return ((strings[:, None] >> np.arange(norb)) & 1).astype(np.float64)


def site_signs(alpha: IntArray, beta: IntArray, norb: int) -> IntArray:
    r"""Signs from PySCF's determinants to products over sites, shape (alpha strings, beta strings).

    .. math:: (-1)^{\sum_p n_{p\beta} \cdot \#\{q > p : n_{q\alpha} = 1\}}
    """
    bits = occupations(alpha, norb)
    above = bits.sum(axis=1, keepdims=True) - np.cumsum(bits, axis=1)
    swaps = (above @ occupations(beta, norb).T).astype(np.int32)
    return 1 - 2 * (swaps & 1)
