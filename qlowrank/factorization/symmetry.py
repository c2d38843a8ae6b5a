# SPDX-License-Identifier: Apache-2.0
"""What a symmetry shift moved: enough to undo it, and to know where it is exact."""

from dataclasses import dataclass, field

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError


@dataclass(frozen=True, eq=False)
class SymmetryShift:
    r"""The multiples of :math:`\hat N - \eta` that a shifted factorization lacks.

    .. math:: H' = H - (\hat N - \eta)\, \hat O, \qquad
              \hat O = \mu + \sum_t c_t \hat L_t
                       - \tfrac12 \sum_t c_t^2 (\hat N + \eta)

    H' and H are the same operator on states of η electrons, and on no others.
    """

    electrons: int = field(metadata={"units": "1"})
    """η, electrons of both spins together."""
    leaf_shifts: Array = field(metadata={"units": "hartree^0.5", "axes": "leaf"})
    """c, taken from all eigenvalues of each leaf, shape (n_leaves,), Hartree^½."""
    chemical_potential: float = field(metadata={"units": "hartree"})
    """μ, taken from all eigenvalues of the one-body part, Hartree."""

    def __post_init__(self) -> None:
        electrons = checks.whole("electrons", self.electrons)
        if electrons < 0:
            raise InputError(f"electrons must be at least 0; got {electrons}.")
        shifts = checks.readonly("leaf_shifts", self.leaf_shifts, np.shape(self.leaf_shifts)[:1])
        object.__setattr__(self, "electrons", electrons)
        object.__setattr__(self, "leaf_shifts", shifts)
        potential = checks.finite("chemical_potential", self.chemical_potential)
        object.__setattr__(self, "chemical_potential", potential)

    def __repr__(self) -> str:
        """Say where the shifted operator is the original one."""
        return (
            f"SymmetryShift(exact for {self.electrons} electrons only: {len(self.leaf_shifts)} "
            f"leaves shifted by up to {np.abs(self.leaf_shifts).max(initial=0.0):.3f} Hartree^½)"
        )
