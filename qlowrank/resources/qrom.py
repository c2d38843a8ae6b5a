# SPDX-License-Identifier: Apache-2.0
"""Toffoli counts of table look-ups (QROM), and the block sizes that make them least."""

from dataclasses import dataclass, field
from math import ceil, log2

import numpy as np

from qlowrank import checks
from qlowrank.checks import InputError

LARGEST_PAIR = 16
"""Largest power of two that is tried for each index of a look-up with two indices."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A table look-up with one index, at the block size that costs least."""

    log2_blocks: int = field(metadata={"units": "1"})
    """k: 2^k words are brought out at a time, and one of them is then swapped into place."""
    toffoli: int = field(metadata={"units": "1"})
    """Toffoli gates."""


@dataclass(frozen=True, slots=True)
class PairLookup:
    """A table look-up with two indices, at the block sizes that cost least."""

    blocks: tuple[int, int] = field(metadata={"units": "1", "axes": "index"})
    """Words brought out at a time along each index; powers of two, at least 2."""
    toffoli: int = field(metadata={"units": "1"})
    """Toffoli gates."""


def lookup(entries: int, width: int) -> Lookup:
    r"""Cost of looking up one of `entries` words of `width` bits.

    .. math:: \min_k \left\lceil \frac{d}{2^k} + m (2^k - 1) \right\rceil

    The minimum over real k is rounded down and up. A table shorter than its words is read one by
    one (k = 0).

    Args:
        entries: d, words in the table.
        width: m, bits of a word.

    Source:
        D. W. Berry et al., Quantum 3, 208 (2019), appendix B.

    >>> lookup(12341234, 5670)
    Lookup(log2_blocks=6, toffoli=550042)
    """
    _refuse_negative(entries, width)
    return _best(entries, width, entries / max(width, 1), shift=-1)


def unlookup(entries: int) -> Lookup:
    r"""Cost of erasing what was looked up in a table of `entries` words, of any width.

    .. math:: \min_k \left\lceil \frac{d}{2^k} + 2^k \right\rceil

    Source:
        D. W. Berry et al., Quantum 3, 208 (2019), appendix C.

    >>> unlookup(987654)
    Lookup(log2_blocks=10, toffoli=1989)
    """
    _refuse_negative(entries, 1)
    return _best(entries, 1, entries, shift=0)


def lookup_pair(first: int, second: int, width: int) -> PairLookup:
    r"""Cost of looking up a word of `width` bits by two indices.

    .. math:: \min_{k_1, k_2} \left\lceil \frac{d_1}{2^{k_1}} \right\rceil
              \left\lceil \frac{d_2}{2^{k_2}} \right\rceil + m (2^{k_1 + k_2} - 1)

    Source:
        J. Lee et al., PRX Quantum 2, 030305 (2021), appendix B.

    >>> lookup_pair(712, 340111, 72345)
    PairLookup(blocks=(4, 16), toffoli=8341481)
    """
    _refuse_negative(first, second, width)
    return _best_pair(first, second, width, shift=-1)


def unlookup_pair(first: int, second: int) -> PairLookup:
    """Cost of erasing what was looked up by two indices.

    >>> unlookup_pair(1234, 5678)
    PairLookup(blocks=(32, 64), toffoli=5519)
    """
    _refuse_negative(first, second)
    return _best_pair(first, second, 1, shift=0)


def trailing_zeros(number: int) -> int:
    """Return the exponent of the largest power of two that divides `number`; none for zero.

    >>> trailing_zeros(104), trailing_zeros(3), trailing_zeros(0)
    (3, 0, 0)
    """
    _refuse_negative(number)
    return (number & -number).bit_length() - 1 if number else 0


def index_bits(entries: float) -> int:
    """Qubits that an index into this many entries takes; at least zero.

    >>> index_bits(1), index_bits(64), index_bits(65)
    (0, 6, 7)
    """
    return max(ceil(log2(entries)), 0) if entries > 0 else 0


def _best(entries: int, width: int, square: float, *, shift: int) -> Lookup:
    """Try the powers of two on either side of the square root of `square`."""
    if entries == 0:
        return Lookup(0, 0)
    exponent = max(log2(square) / 2, 0.0)
    powers = sorted({int(np.floor(exponent)), ceil(exponent)})
    costs = [entries / 2**k + width * (2**k + shift) for k in powers]
    best = int(np.argmin(costs))
    return Lookup(powers[best], ceil(costs[best]))


def _best_pair(first: int, second: int, width: int, *, shift: int) -> PairLookup:
    """Try all powers of two up to `LARGEST_PAIR`, the first of equals."""
    powers = 2.0 ** np.arange(1, LARGEST_PAIR + 1)
    blocks = np.outer(np.ceil(first / powers), np.ceil(second / powers))
    costs = blocks + width * (np.outer(powers, powers) + shift)
    row, column = np.unravel_index(int(np.argmin(costs)), costs.shape)
    return PairLookup((2 ** int(row + 1), 2 ** int(column + 1)), int(costs[row, column]))


def _refuse_negative(*numbers: int) -> None:
    """Refuse counts that are negative or no whole numbers."""
    for number in numbers:
        if checks.whole("a table's size", number) < 0:
            raise InputError(f"A table's size must be at least 0; got {number}.")
