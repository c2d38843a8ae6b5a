# SPDX-License-Identifier: Apache-2.0
"""The diagonal of the integrals against PySCF's full tensor."""

import numpy as np
import pytest
from pyscf import gto

from qlowrank.integrals.direct.shells import shells_of


@pytest.mark.parametrize("cart", [False, True])
@pytest.mark.parametrize("basis", ["sto-3g", "6-31g*", "cc-pvdz", "cc-pvtz"])
def test_the_diagonal_is_that_of_the_tensor(basis: str, cart: bool) -> None:
    """Shells of several functions and several contractions, each function in its own place."""
    mol = gto.M(atom="O 0 0 0; H 0.1 0.8 0.6; H 0.3 -0.7 0.5", basis=basis, cart=cart, verbose=0)
    tensor = mol.intor("int2e")
    rows, cols = np.tril_indices(mol.nao)
    expected = tensor[rows, cols, rows, cols]
    found = shells_of(mol).diagonal
    # both sum the same primitives in libcint, perhaps in another order
    assert np.abs(found - expected).max() <= 1e3 * np.finfo(float).eps * expected.max()
