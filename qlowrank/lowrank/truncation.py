# SPDX-License-Identifier: Apache-2.0
"""The one record of a cut: what was kept and what it cost."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Truncation:
    """What a low-rank cut kept, and a proof of what it cost.

    The caller says what the unit is; for electron repulsion integrals it is Hartree.
    """

    rank: int = field(metadata={"units": "1"})
    """Number of terms kept."""
    tolerance: float = field(metadata={"units": "hartree"})
    """What was asked: the largest permitted error of any element."""
    max_error: float = field(metadata={"units": "hartree"})
    """What was reached: no element of the residual is larger than this."""
    discarded: float = field(metadata={"units": "hartree"})
    """Trace of the positive semidefinite residual, the sum of the discarded weights."""
