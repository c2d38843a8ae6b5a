# SPDX-License-Identifier: Apache-2.0
"""Factors from an auxiliary basis (density fitting, RI): fast, approximate, and still below."""

import warnings
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from typing import Any

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.integrals.direct.record import Squares
from qlowrank.integrals.mean_field import ENERGY_TOLERANCE, provenance
from qlowrank.integrals.orbital_space import OrbitalSpace, examine
from qlowrank.integrals.pairs import pack, unpack
from qlowrank.integrals.record import Constants, Source
from qlowrank.lowrank import Progress, Truncation

BLOCK = 64e6
"""Bytes of three-centre integrals held at a time."""
DEPENDENT = 1e-10
"""Auxiliary functions are dropped where the metric's eigenvalues are below this share of the
largest: what is left still spans a subspace, so that the residual stays positive."""


def read_fitted(
    source: Any,
    *,
    auxiliary: str | dict[str, Any] | None = None,
    active: tuple[int, int] | None = None,
    max_memory: float | None = None,
    progress: Progress | None = None,
) -> Squares:
    r"""Project the pair densities of a PySCF object onto an auxiliary basis.

    .. math:: (pq|rs) \approx \sum_{PQ} (pq|P) [S^{-1}]_{PQ} (Q|rs) = \sum_t L^t_{pq} L^t_{rs},
              \qquad S_{PQ} = (P|Q)

    In the Coulomb metric this is an orthogonal projection, so the residual is positive
    semidefinite: it is the Gram matrix of what the auxiliary basis does not span. One exchange
    build with exact integrals gives its trace.

    Args:
        source: As for `ql.from_pyscf`.
        auxiliary: Name of the auxiliary basis, or one for each element; PySCF's choice for Coulomb
            and exchange fitting by default.
        active: (electrons, orbitals) around the Fermi level; mean fields only.
        max_memory: Bytes the factors may take; the machine's free memory by default.
        progress: Called as the auxiliary functions are done.

    Raises:
        InputError: Unusable input, an unknown auxiliary basis, or factors that do not fit.
    """
    space = examine(source, active)
    mol = space.mean_field.mol
    if mol.nbas == 0:
        raise InputError(
            "This model has no atomic orbitals to fit; use ql.from_pyscf, which takes its "
            "integrals as they are."
        )
    fit = _auxiliary_molecule(mol, auxiliary)
    norb = space.window.shape[1]
    checks.fits(
        f"The factors of {norb} orbitals in {fit.nao} auxiliary functions",
        2 * 8 * fit.nao * norb * (norb + 1) / 2 + 2 * 8 * fit.nao**2 + 3 * BLOCK,
        max_memory,
        "Choose an active space, or a smaller auxiliary basis.",
    )
    factors = unpack(_project(fit, _three_centre(mol, fit, space.window, progress)), norb)
    one_body, frozen = _one_body(space)
    exchange = _exchange_of_identity(space)
    residual = exchange - _squared(factors)
    nuclear = float(space.mean_field.energy_nuc())
    numbers = (nuclear, frozen, one_body, exchange, factors, space.nelec)
    described = provenance(source, space.mean_field, space.cas, numbers)
    return Squares(
        constants=Constants(nuclear_repulsion=nuclear, frozen_core=frozen),
        one_body=one_body,
        kappa=one_body - exchange / 2,
        factors=factors,
        nelec=space.nelec,
        truncation=_truncation(residual, len(factors)),
        source=_labelled(described, fit),
    )


def _auxiliary_molecule(mol: Any, auxiliary: str | dict[str, Any] | None) -> Any:
    """PySCF's molecule of auxiliary functions."""
    from pyscf import df
    from pyscf.lib.exceptions import BasisNotFoundError

    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")  # advice on where to look for an unknown basis
            return df.addons.make_auxmol(mol, auxiliary)
    except (BasisNotFoundError, KeyError) as error:
        raise InputError(
            f"PySCF has no auxiliary basis {auxiliary!r:.60} for these elements ({error}); try "
            "'cc-pvdz-jkfit', 'def2-universal-jkfit', or leave it out."
        ) from error


def _three_centre(mol: Any, fit: Any, window: Array, progress: Progress | None) -> Array:
    """(P|pq) over orbital pairs, shape (naux, npair), Hartree^½ before the metric."""
    from pyscf import df, lib

    nao, norb = window.shape
    at = np.asarray(fit.ao_loc_nr())
    rows = max(int(BLOCK / (8 * nao**2)), int(np.diff(at).max()))
    found = np.empty((fit.nao, norb * (norb + 1) // 2))
    start = 0
    while start < fit.nbas:
        stop = max(int(np.searchsorted(at, at[start] + rows, side="right")) - 1, start + 1)
        shells = (0, mol.nbas, 0, mol.nbas, start, stop)
        block = df.incore.aux_e2(mol, fit, aosym="s2ij", shls_slice=shells)
        atomic = lib.unpack_tril(np.ascontiguousarray(block.T))
        found[at[start] : at[stop]] = pack(window.T @ atomic @ window)
        start = stop
        if progress is not None:
            progress("auxiliary functions", int(at[start]), fit.nao)
    return found


def _project(fit: Any, integrals: Array) -> Array:
    """Return factors over pairs: the metric's root divided out, shape (rank, npair), Hartree^½."""
    metric = np.asarray(fit.intor("int2c2e"))
    try:
        root = cholesky(metric, lower=True)
        if np.diagonal(root).min() ** 2 > DEPENDENT * np.diagonal(metric).max():
            return np.asarray(
                solve_triangular(root, integrals, lower=True, overwrite_b=True, check_finite=False)
            )
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(metric)
    kept = values > DEPENDENT * values[-1]
    return np.asarray((vectors[:, kept] / np.sqrt(values[kept])).T @ integrals)


def _one_body(space: OrbitalSpace) -> tuple[Array, float]:
    """Return h of the active orbitals and the energy of the frozen core, from exact integrals."""
    mean_field = space.mean_field
    if space.cas is None:
        one_body, frozen = space.window.T @ mean_field.get_hcore() @ space.window, 0.0
    else:
        one_body, total = space.cas.get_h1eff(space.orbitals)
        frozen = float(total) - float(mean_field.energy_nuc())
    return np.asarray(one_body + one_body.T) / 2, frozen


def _exchange_of_identity(space: OrbitalSpace) -> Array:
    """Σ_r (pr|rq) over active orbitals r, from one exact exchange build."""
    window = space.window
    atomic = space.mean_field.get_k(space.mean_field.mol, window @ window.T, hermi=1)
    exchange = window.T @ np.asarray(atomic) @ window
    return np.asarray(exchange + exchange.T) / 2


def _squared(factors: Array) -> Array:
    """Σ_t L_t L_t, shape (norb, norb)."""
    norb = factors.shape[1]
    rows = factors.transpose(1, 0, 2).reshape(norb, -1)
    return np.asarray(rows @ rows.T)


def _truncation(residual: Array, rank: int) -> Truncation:
    """Return the record of what the auxiliary basis leaves out.

    K_pp is the sum of R_pr,pr over r, none of which is negative: so none is larger than it.
    """
    largest = float(np.diagonal(residual).max(initial=0.0))
    lowest = float(np.linalg.eigvalsh(residual).min(initial=0.0))
    if lowest < -ENERGY_TOLERANCE:
        raise InputError(
            f"A residual that cannot be negative reaches {lowest:.1e} Hartree: the integrals of "
            "this object are not those of its atomic orbitals. Use ql.from_pyscf."
        )
    bound = largest + max(-lowest, 0.0)
    trace = max(float(np.trace(residual)), 0.0)
    return Truncation(rank=rank, tolerance=bound, max_error=bound, discarded=trace)


def _labelled(described: Source, fit: Any) -> Source:
    """Say in the provenance that integrals were fitted, and in what."""
    name = fit.basis if isinstance(fit.basis, str) else f"{fit.nao} auxiliary functions"
    return replace(described, origin=f"{described.origin}, fitted (RI) in {name}")
