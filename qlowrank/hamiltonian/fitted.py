# SPDX-License-Identifier: Apache-2.0
"""Hamiltonians from an auxiliary basis, and how far their integrals are off."""

from dataclasses import replace
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.hamiltonian.exact import exact_integrals
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.integrals.density_fitting import read_fitted
from qlowrank.lowrank import Progress


def from_pyscf_ri(
    source: Any,
    *,
    auxiliary: str | dict[str, Any] | None = None,
    active: tuple[int, int] | None = None,
    name: str | None = None,
    max_memory: float | None = None,
    progress: Progress | None = None,
) -> Hamiltonian:
    r"""Read a PySCF object through an auxiliary basis: the resolution of the identity.

    The error is what the auxiliary basis makes it, some 1e-4 to 1e-2 Hartree, and no tolerance can
    be asked for. It is known all the same: kappa is exact, the residual is positive semidefinite
    and its trace comes from one exact exchange build, so that `ql.energy_interval` and every other
    certificate hold as they do for Cholesky factors. `ql.recompress` shrinks the factors to the
    rank that this error deserves. The source's `origin` says that integrals were fitted.

    Args:
        source: As for `ql.from_pyscf`: a mean field without density fitting.
        auxiliary: Name of the auxiliary basis, such as "cc-pvdz-ri", or one for each element;
            PySCF's choice for Coulomb and exchange fitting by default.
        active: (electrons, orbitals) around the Fermi level; mean fields only.
        name: What to call it; the molecule's formula by default.
        max_memory: Bytes the factors may take; the machine's free memory by default.
        progress: Called as the auxiliary functions are done.

    Raises:
        InputError: Unusable input, an unknown auxiliary basis, or factors that do not fit.

    Source:
        B. I. Dunlap, J. W. D. Connolly, J. R. Sabin, J. Chem. Phys. 71, 3396 (1979) (fitting in
        the Coulomb metric).

    >>> from pyscf import gto, scf
    >>> mol = gto.M(atom="O 0 0 0; H 0 0.8 0.6; H 0 -0.8 0.6", basis="6-31g", verbose=0)
    >>> fitted = from_pyscf_ri(scf.RHF(mol).run(), auxiliary="cc-pvdz-jkfit")
    >>> fitted.source.origin
    'PySCF RHF, fitted (RI) in cc-pvdz-jkfit'
    >>> fitted.rank, f"{fitted.residual_trace:.2f}"
    (116, '0.01')
    """
    squares = read_fitted(
        source, auxiliary=auxiliary, active=active, max_memory=max_memory, progress=progress
    )
    described = squares.source if name is None else replace(squares.source, name=name)
    return Hamiltonian(
        constants=squares.constants,
        one_body=squares.one_body,
        kappa=squares.kappa,
        factors=squares.factors,
        nelec=squares.nelec,
        truncation=squares.truncation,
        source=described,
    )


def sampled_error(
    hamiltonian: Hamiltonian, exact: Any, *, columns: int = 16, seed: int = 0
) -> float:
    """Return the largest error among whole columns of the integrals that are drawn at random.

    A column, all (pq|rs) of one pair rs, takes one exact Coulomb build. What is returned is a
    measurement, at most the largest error; `max_abs_error_bound` is proven, and at least that.

    Args:
        hamiltonian: The truncated or fitted integrals.
        exact: The PySCF object that the Hamiltonian was read from, or its integrals.
        columns: How many to draw.
        seed: Of the drawing.

    Raises:
        InputError: Integrals of another Hamiltonian, or a number of columns below 1.
    """
    if checks.whole("columns", columns) < 1:
        raise InputError(f"columns must be at least 1; got {columns}.")
    door = exact_integrals(exact, hamiltonian)
    rng = np.random.default_rng(seed)
    factors, largest = hamiltonian.factors, 0.0
    for p, q in rng.integers(hamiltonian.norb, size=(columns, 2)):
        density = np.zeros((hamiltonian.norb,) * 2)
        density[p, q] += 0.5
        density[q, p] += 0.5
        error = door.coulomb(density) - np.tensordot(factors[:, p, q], factors, axes=1)
        largest = max(largest, float(np.abs(error).max()))
    return largest
