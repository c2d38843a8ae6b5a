# SPDX-License-Identifier: Apache-2.0
"""Exact Coulomb and exchange matrices: what no pivot's column holds, from PySCF's direct build."""

from typing import Any

import numpy as np

from qlowrank.checks import Array
from qlowrank.integrals.direct.shells import CUTOFF, Integers, Shells


def remaining_fields(
    mol: Any, shells: Shells, pivots: Integers, densities: Array
) -> tuple[Array, Array]:
    """Return J and K of integrals that have a pivot's shell pair on neither side, Hartree.

    Args:
        mol: PySCF's molecule.
        shells: Its shells.
        pivots: Pairs of atomic orbitals.
        densities: Symmetric, shape (n, nao, nao).
    """
    from pyscf.scf import _vhf, hf

    screen = _vhf._VHFOpt(  # noqa: SLF001 (what its own mean field makes)
        mol, "int2e", "CVHFnrs8_prescreen", "CVHFnr_int2e_q_cond", "CVHFnr_dm_cond", CUTOFF
    )
    bounds = screen.q_cond.copy()
    done = shells.pairs[np.unique(shells.owner[pivots])]
    bounds[done[:, 0], done[:, 1]] = 0.0
    bounds[done[:, 1], done[:, 0]] = 0.0
    screen.q_cond = bounds
    coulomb, exchange = hf.get_jk(mol, densities, hermi=1, vhfopt=screen)
    return np.asarray(coulomb), np.asarray(exchange)
