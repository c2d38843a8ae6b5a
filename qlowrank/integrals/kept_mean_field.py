# SPDX-License-Identifier: Apache-2.0
"""A converged mean field in a file, so that an interrupted job need not converge it again.

The orbitals come back to the last bit: what was begun with them can go on with them.
"""

from pathlib import Path
from typing import Any

import numpy as np

from qlowrank.checks import Array, InputError

SOLUTION = ("e_tot", "mo_coeff", "mo_energy", "mo_occ")
"""What a converged mean field consists of."""


def keep_mean_field(path: Path, mean_field: Any) -> None:
    """Write a converged RHF or ROHF object, all at once."""
    draft = path.with_suffix(".part.npz")
    solution = {name: getattr(mean_field, name) for name in SOLUTION}
    arrays: dict[str, Any] = {**_molecule(mean_field.mol), **solution}
    np.savez(draft, **arrays)
    draft.replace(path)


def restore_mean_field(path: Path, mean_field: Any) -> None:
    """Fill an RHF or ROHF object that was not run with what a file kept of the same molecule.

    Raises:
        InputError: The file is of another molecule or basis.
    """
    with np.load(path) as kept:
        for name, array in _molecule(mean_field.mol).items():
            if not np.array_equal(kept[name], array):
                raise InputError(
                    f"The mean field in {path} is that of another molecule, basis, charge or spin. "
                    "Repeat the job with the same input, or name a new folder."
                )
        for name in SOLUTION:
            setattr(mean_field, name, kept[name][()])
    mean_field.converged = True


def _molecule(mol: Any) -> dict[str, Array]:
    """Return the arrays that tell molecules, bases, charges and spins apart."""
    names = {"atm": mol._atm, "bas": mol._bas, "env": mol._env, "ecp": mol._ecpbas}  # noqa: SLF001
    return {**{name: np.asarray(a) for name, a in names.items()}, "nelec": np.asarray(mol.nelec)}
