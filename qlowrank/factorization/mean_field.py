# SPDX-License-Identifier: Apache-2.0
"""Give approximated integrals the exact mean field back, at no cost in leaves."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.record import CompressedFactorization
from qlowrank.factorization.hypercontraction.record import Hypercontraction
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.factorization.squares import signed_squares
from qlowrank.hamiltonian.record import Hamiltonian

KEPT = "mean field kept"
"""What is added to the name of a method."""

Record = TypeVar("Record", DoubleFactorization, CompressedFactorization, Hypercontraction)


def keep_mean_field(record: Record, exact: Hamiltonian, spin_densities: Array) -> Record:
    r"""Move what approximated integrals miss of a mean field into the one-body part.

    With :math:`R = V - W`, W the (pq|rs) of the record, and one-particle densities
    :math:`D = D_\alpha + D_\beta`,

    .. math:: G_{pq} = \sum_{rs} \big( R_{pq,rs} - \tfrac12 R_{ps,rq} \big) D_{rs}, \qquad
              h_W = h + G, \qquad
              E_W = E_0 + \tfrac12 \sum R_{pq,rs} \Big( D_{pq} D_{rs}
              - \sum_\sigma D^\sigma_{ps} D^\sigma_{rq} \Big) - \mathrm{tr}\, D G

    the energy of a determinant with these densities is exact, and so is its Fock matrix (of an
    open shell, on average over spins): only fluctuations about it are approximated. What was a
    lower bound is none any more. For a fit in a sector (`SectorError`), R is what the electrons
    can see of V − W, and the shift stays.

    The result's `status.method` says so, and `ql.save` refuses it, since one-body parts in an
    archive can be rebuilt from the Hamiltonian: keep the fit, and repeat this after loading.

    Args:
        record: A factorization of `exact`, not shifted; shift it after.
        exact: The operator that it stands for.
        spin_densities: Shape (2, norb, norb), alpha first, such as
            `ql.hartree_fock_state(exact).spin_densities()`.

    Returns:
        The same record with another one-body part and constant.

    Raises:
        InputError: A shifted record, one whose one-body part was moved already, other orbitals, or
            densities of another shape.

    >>> import qlowrank as ql
    >>> exact = ql.from_example("water", tolerance=1e-10)
    >>> fit = ql.compress(ql.double_factorize(exact), n_leaves=6)
    >>> determinant = ql.hartree_fock_state(exact)
    >>> better = ql.keep_mean_field(fit, exact, determinant.spin_densities())
    >>> before, after = (ql.coupled_cluster_error(leaves, exact) for leaves in (fit, better))
    >>> abs(after.mean_field - after.exact_mean_field) < 1e-9, abs(after.error) < abs(before.error)
    (True, True)
    """
    _check(record, exact)
    densities = np.array(
        [checks.symmetric("every spin density", each, exact.norb) for each in spin_densities]
    )
    if len(densities) != 2:
        raise InputError(f"spin_densities must be two matrices; got {len(densities)}.")
    whole = _fields(exact.factors, np.ones(exact.rank), densities)
    own = _fields(*_squares_of(record), densities)
    if isinstance(record, CompressedFactorization | Hypercontraction) and record.in_sector:
        moved_out = _fields_of_shift(_shift(record, exact), densities)
        own = (own[0] + moved_out[0], own[1] + moved_out[1], own[2] + moved_out[2])
    mean_field, exchange, energy = (a - b for a, b in zip(whole, own, strict=True))
    lost = float(energy) - float(np.vdot(densities.sum(axis=0), mean_field))
    constants = record.constants
    return replace(
        record,
        status=replace(record.status, method=f"{record.status.method}, {KEPT}"),
        one_body=record.one_body + mean_field + exchange / 2,
        constants=replace(constants, other=constants.other + lost),
    )


def keeps_mean_field(record: object) -> bool:
    """Tell whether a record's one-body part was moved by `keep_mean_field`."""
    status = getattr(record, "status", None)
    return KEPT in str(getattr(status, "method", "")).split(", ")


def _check(record: object, exact: Hamiltonian) -> None:
    """Refuse what is no factorization of the exact operator."""
    if not isinstance(record, DoubleFactorization | CompressedFactorization | Hypercontraction):
        raise InputError(f"record must be a factorization; got a {type(record).__name__}.")
    if getattr(record, "shift", None) is not None:
        raise InputError("This factorization is shifted. Undo that with ql.unshift, shift after.")
    if record.norb != exact.norb:
        raise InputError(
            f"record has {record.norb} orbitals and exact has {exact.norb}; they must be the same."
        )
    gap = record.one_body - exact.kappa
    if getattr(record, "in_sector", False):
        share = _hidden(exact) - _hidden(record)
        gap = gap - sum(exact.nelec) / exact.norb * share
        gap = gap - np.trace(gap) / exact.norb * np.eye(exact.norb)
    if not np.allclose(gap, 0.0, rtol=0, atol=1e-8):
        raise InputError(
            "The record's one-body part is not what goes with the exact operator's kappa: it "
            "belongs to another operator, or has its mean field already."
        )


def _hidden(record: Any) -> Array:
    """Return Σ_r (pq|rr) of an operator, shape (norb, norb), Hartree."""
    factors, signs = _squares_of(record)
    return np.asarray(contract("t,tpp,tqr->qr", signs, factors, factors))


def _shift(record: Any, exact: Hamiltonian) -> Array:
    """Return b, such that 1 ⊗ b + b ⊗ 1 has been moved out of a fit in a sector."""
    share = (_hidden(exact) - _hidden(record)) / exact.norb
    return np.asarray(share - np.trace(share) / (2 * exact.norb) * np.eye(exact.norb))


def _squares_of(record: Any) -> tuple[Array, Array]:
    """Return factors and the sign of the square of each."""
    if isinstance(record, Hamiltonian):
        return record.factors, np.ones(record.rank)
    if isinstance(record, Hypercontraction):
        values, vectors = np.linalg.eigh(record.core)
        roots = vectors * np.sqrt(np.abs(values))
        factors = contract("pi,im,qi->mpq", record.points, roots, record.points)
        return np.asarray(factors), np.sign(values)
    squares = signed_squares(record)
    return squares.factors(), squares.signs


def _fields_of_shift(shift: Array, densities: Array) -> tuple[Array, Array, Array]:
    r"""Return the same as `_fields` of :math:`1 \otimes b + b \otimes 1`."""
    density = densities.sum(axis=0)
    coulomb = np.vdot(shift, density) * np.eye(len(shift)) + np.trace(density) * shift
    each = [matrix @ shift + shift @ matrix for matrix in densities]
    energy = np.vdot(shift, density) * np.trace(density) - sum(
        np.vdot(matrix, matrix @ shift) for matrix in densities
    )
    return coulomb - (each[0] + each[1]) / 2, 2 * shift, np.asarray(energy)


def _fields(factors: Array, signs: Array, densities: Array) -> tuple[Array, Array, Array]:
    r"""Return J[D] − ½X[D], X[1] and the two-electron energy of densities, from signed squares."""
    density = densities.sum(axis=0)
    traces = signs * contract("tpq,pq->t", factors, density)
    coulomb = contract("t,tpq->pq", traces, factors)
    each = [contract("t,tpr,rs,tsq->pq", signs, factors, matrix, factors) for matrix in densities]
    unit = contract("t,tpr,trq->pq", signs, factors, factors)
    energy = (
        np.vdot(density, coulomb) / 2
        - sum(np.vdot(matrix, exchange) for matrix, exchange in zip(densities, each, strict=True))
        / 2
    )
    return np.asarray(coulomb - (each[0] + each[1]) / 2), np.asarray(unit), np.asarray(energy)
