# SPDX-License-Identifier: Apache-2.0
"""By how much integrals fail to be positive semidefinite."""

import numpy as np

from qlowrank.integrals.pairs import OrbitalPairs

MOST_PAIRS = 5050
"""Pairs of 100 orbitals: up to here the matrix is diagonalised, 200 MB."""
ROUNDING = 1e-12
"""Relative; eigenvalues above minus this share of the largest are zero."""


def indefiniteness(pairs: OrbitalPairs) -> str:
    r"""Say what the lowest eigenvalue of (pq|rs) is as a matrix over pq and rs.

    On symmetric matrices its eigenvalues are those of :math:`w_{pq} (pq|rs) w_{rs}` over pairs
    :math:`p \ge q`, with w = √2 for p > q.

    >>> from qlowrank.integrals.pairs import DensePairs
    >>> indefiniteness(DensePairs(np.diag([1.0, -0.25, 2.0])))
    'as a matrix over pairs of orbitals they have 1 negative eigenvalue, -5.00e-01 Hartree'
    """
    rows, cols = np.tril_indices(pairs.norb)
    if len(rows) > MOST_PAIRS:
        return f"their {len(rows)} orbital pairs are too many to say by how much"
    weights = np.where(rows == cols, 1.0, np.sqrt(2.0))
    matrix = weights[:, None] * pairs.columns(np.arange(len(rows))) * weights
    values = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    negative = values[values < -ROUNDING * np.abs(values).max(initial=0.0)]
    if len(negative) == 1:
        found = f"1 negative eigenvalue, {negative[0]:.2e} Hartree"
    else:
        found = (
            f"{len(negative)} negative eigenvalues, the lowest {values.min(initial=0.0):.2e} "
            f"Hartree, all together {negative.sum():.2e}"
        )
    return f"as a matrix over pairs of orbitals they have {found}"
