# SPDX-License-Identifier: Apache-2.0
"""The Hamiltonian as a certified sum of squares, and how it is read and exchanged."""

from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.hamiltonian.read import (
    decompose,
    from_example,
    from_fcidump,
    from_integrals,
    from_openfermion,
    from_pyscf,
    from_xyz,
)
from qlowrank.hamiltonian.record import Hamiltonian

__all__ = [
    "DiagonalOperator",
    "Hamiltonian",
    "decompose",
    "from_example",
    "from_fcidump",
    "from_integrals",
    "from_openfermion",
    "from_pyscf",
    "from_xyz",
]
