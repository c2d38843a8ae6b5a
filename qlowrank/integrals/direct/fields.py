# SPDX-License-Identifier: Apache-2.0
"""Exact Coulomb and exchange matrices, from PySCF's direct build: no integral is kept."""

from typing import Any

import numpy as np

from qlowrank.checks import Array
from qlowrank.integrals.direct.shells import CUTOFF


def coulomb_and_exchange(mean_field: Any, densities: Array) -> tuple[Array, Array]:
    """Return J and K of symmetric densities, each (n_densities, nao, nao), Hartree.

    Integrals that PySCF has kept are used; where it has kept none, none are kept here.
    """
    from pyscf.scf import _vhf, hf

    mol = mean_field.mol
    if mean_field._eri is not None:  # noqa: SLF001 (PySCF's public idiom)
        coulomb, exchange = mean_field.get_jk(mol, densities, hermi=1)
    else:
        screen = _vhf._VHFOpt(  # noqa: SLF001 (what its own mean field makes)
            mol, "int2e", "CVHFnrs8_prescreen", "CVHFnr_int2e_q_cond", "CVHFnr_dm_cond", CUTOFF
        )
        coulomb, exchange = hf.get_jk(mol, densities, hermi=1, vhfopt=screen)
    return np.asarray(coulomb), np.asarray(exchange)
