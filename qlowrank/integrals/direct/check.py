# SPDX-License-Identifier: Apache-2.0
"""Factors must give the reference's energy, up to what they are proven to leave out."""

from typing import Any

import numpy as np
from opt_einsum import contract

from qlowrank.checks import Array, InputError
from qlowrank.integrals.direct.exact import ExactParts
from qlowrank.integrals.mean_field import ENERGY_TOLERANCE
from qlowrank.integrals.orbital_space import optional
from qlowrank.lowrank.passes import Passes
from qlowrank.memory import forget

BATCH = 32
"""Factors looked at at a time."""


def check_determinant(
    parts: ExactParts, factors: Array, nelec: tuple[int, int], passes: Passes
) -> None:
    r"""Refuse factors whose determinant energy is outside its proven interval.

    Squares that are left out raise a determinant's energy by at least 0 and at most
    :math:`\tfrac{\eta}{2} \mathrm{tr}\, \gamma K_R` (Cauchy-Schwarz over η electrons).
    """
    index = np.arange(factors.shape[1])
    spins = np.array([(index < n).astype(float) for n in nelec])
    density = spins.sum(axis=0)
    squares = passes.squared_norms(factors.reshape(len(factors), factors.shape[1] ** 2))
    squares, coulomb = squares.reshape(factors.shape[1:]), 0.0
    for start in range(0, len(factors), BATCH):
        part = factors[start : start + BATCH]
        coulomb += float(np.sum((np.einsum("tpp->tp", part) @ density) ** 2)) / 2
        forget(factors)
    energy = parts.constants.total + density @ np.diagonal(parts.kappa) + coulomb
    energy += np.einsum("sp,pq,sq->", spins, squares, 1 - spins) / 2
    left_out = np.diagonal(parts.exchange.total) - squares.sum(axis=1)
    most = sum(nelec) / 2 * float(density @ np.maximum(left_out, 0.0))
    _within("reference determinant", parts.determinant - float(energy), most)


def check_vector(source: Any, parts: ExactParts, factors: Array, trace: float) -> None:
    """Refuse factors that do not give the energy of the source's own CI vector."""
    vector = optional(source, "ci")
    if vector is None:
        return
    from pyscf import fci

    norb = factors.shape[1]
    rows, cols = np.tril_indices(norb)
    packed = factors[:, rows, cols]
    one_body = parts.kappa + contract("tpr,trq->pq", factors, factors) / 2
    nelec = tuple(source.nelecas)
    energy = fci.direct_spin1.energy(one_body, packed.T @ packed, vector, norb, nelec)
    missing = float(source.e_tot) - parts.constants.total - float(energy)
    _within("CASCI", missing, sum(nelec) * trace)


def _within(what: str, missing: float, most: float) -> None:
    """Refuse an energy that is not between 0 and `most` above what the factors give."""
    if not -ENERGY_TOLERANCE <= missing <= most + ENERGY_TOLERANCE:
        raise InputError(
            f"The {what} energy that PySCF reports is {missing:.2e} Hartree above that of the "
            f"factors; it must be between 0 and {most:.1e}. The object carries integrals or an "
            "energy that its atomic orbitals do not give (edited integrals, solvent, dispersion)."
        )
