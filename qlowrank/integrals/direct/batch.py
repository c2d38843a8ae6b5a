# SPDX-License-Identifier: Apache-2.0
"""What is learnt from one batch of columns of integrals."""

from dataclasses import dataclass, field

from qlowrank.checks import Array
from qlowrank.integrals.direct.shells import Integers


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """What one batch of columns adds."""

    vectors: Array = field(metadata={"units": "hartree^0.5", "axes": "vector,row"})
    """L on the rows that are kept."""
    pivots: Integers = field(metadata={"units": "1", "axes": "vector"})
    """Position of each vector's pivot among the rows."""
    squares: Array = field(metadata={"units": "hartree", "axes": "row"})
    """Σ_t L² on the rows, pivots aside."""
    shell_pairs: Integers = field(metadata={"units": "1", "axes": "shell pair"})
    """Shell pairs whose columns were computed for the first time."""
    coulomb: Array = field(metadata={"units": "hartree", "axes": "density,function,function"})
    """J of their integrals with each other and with shell pairs not yet computed."""
    exchange: Array = field(metadata={"units": "hartree", "axes": "density,function,function"})
    """K of the same."""
