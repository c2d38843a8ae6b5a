# SPDX-License-Identifier: Apache-2.0
"""Exact Coulomb and exchange matrices: what no column held, from PySCF's direct build."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlowrank.checks import Array
from qlowrank.integrals.direct.shells import CUTOFF, Shells


def remaining_fields(
    mol: Any, shells: Shells, computed: NDArray[np.bool_], densities: Array, filled: list[int]
) -> tuple[Array, Array]:
    """Return J and K of integrals that have a computed shell pair on neither side, Hartree.

    Args:
        mol: PySCF's molecule.
        shells: Its shells.
        computed: Whether a shell pair's columns have been computed, shape (n_pairs,).
        densities: Symmetric, shape (n, nao, nao).
        filled: Positions of the densities whose J is wanted too; that of others is zero.
    """
    from pyscf import lib
    from pyscf.scf import _vhf

    screen = _vhf._VHFOpt(  # noqa: SLF001 (what its own mean field makes)
        mol, "int2e", "CVHFnrs8_prescreen", "CVHFnr_int2e_q_cond", "CVHFnr_dm_cond", CUTOFF
    )
    bounds = screen.q_cond.copy()
    done = shells.pairs[computed]
    bounds[done[:, 0], done[:, 1]] = 0.0
    bounds[done[:, 1], done[:, 0]] = 0.0
    screen.q_cond = bounds
    operators = ["li->s2kj"] * len(densities) + ["ji->s2kl"] * len(filled)
    bound = [*densities, *densities[filled]]
    tables = shells.atm, shells.bas, shells.env
    found = _vhf.direct_bindm(shells.intor, "s8", operators, bound, 1, *tables, vhfopt=screen)
    fields = [lib.hermi_triu(part.reshape(shells.nao, shells.nao)) for part in found]
    coulomb = np.zeros(densities.shape)
    coulomb[filled] = fields[len(densities) :]
    return coulomb, np.array(fields[: len(densities)])
