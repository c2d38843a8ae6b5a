# SPDX-License-Identifier: Apache-2.0
"""Exact Coulomb and exchange matrices: what no column held, from PySCF's direct build."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlowrank.checks import Array
from qlowrank.integrals.direct.shells import CUTOFF, Shells


def remaining_fields(
    mol: Any, shells: Shells, computed: NDArray[np.bool_], densities: Array
) -> tuple[Array, Array]:
    """Return J and K of integrals that have a computed shell pair on neither side, Hartree.

    Args:
        mol: PySCF's molecule.
        shells: Its shells.
        computed: Whether a shell pair's columns have been computed, shape (n_pairs,).
        densities: Symmetric, shape (n, nao, nao).
    """
    from pyscf.scf import _vhf, hf

    screen = _vhf._VHFOpt(  # noqa: SLF001 (what its own mean field makes)
        mol, "int2e", "CVHFnrs8_prescreen", "CVHFnr_int2e_q_cond", "CVHFnr_dm_cond", CUTOFF
    )
    bounds = screen.q_cond.copy()
    done = shells.pairs[computed]
    bounds[done[:, 0], done[:, 1]] = 0.0
    bounds[done[:, 1], done[:, 0]] = 0.0
    screen.q_cond = bounds
    coulomb, exchange = hf.get_jk(mol, densities, hermi=1, vhfopt=screen)
    return np.asarray(coulomb), np.asarray(exchange)
