# SPDX-License-Identifier: Apache-2.0
"""Give approximated integrals the exact mean field back, at no cost in leaves."""

from dataclasses import replace
from typing import TypeVar

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.record import CompressedFactorization
from qlowrank.factorization.hypercontraction.record import Hypercontraction
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.factorization.squares import signed_squares
from qlowrank.hamiltonian.record import Hamiltonian

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
    lower bound is none any more.

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
    mean_field, exchange, energy = (a - b for a, b in zip(whole, own, strict=True))
    lost = float(energy) - float(np.vdot(densities.sum(axis=0), mean_field))
    constants = record.constants
    return replace(
        record,
        one_body=record.one_body + mean_field + exchange / 2,
        constants=replace(constants, other=constants.other + lost),
    )


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
    if not np.allclose(record.one_body, exact.kappa, rtol=0, atol=1e-9):
        raise InputError(
            "The record's one-body part is not the exact operator's kappa: it belongs to another "
            "operator, has its mean field already, or was fitted for one number of electrons "
            "(SectorError)."
        )


def _squares_of(record: Record) -> tuple[Array, Array]:
    """Return factors and the sign of the square of each."""
    if isinstance(record, Hypercontraction):
        factors = record.to_hamiltonian().factors
        return factors, np.ones(len(factors))
    squares = signed_squares(record)
    return squares.factors(), squares.signs


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
