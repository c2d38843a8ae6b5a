# SPDX-License-Identifier: Apache-2.0
r"""Variances of quadratic forms of occupation numbers, and how they change with form and frame.

.. math:: F = \tfrac12 \sum_{kl} Z_{kl}\, \tilde n_k \tilde n_l, \qquad
          \tilde n_k = \sum_\sigma \tilde n_{k\sigma}

is what one leaf of a factorization measures.
"""

from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array


@dataclass(frozen=True, eq=False, slots=True)
class FormSlope:
    """A variance with its derivatives."""

    variance: float
    """Var F, Hartree²."""
    frame: Array
    """∂/∂U along turns of the frame, shape (norb, norb): U times an antisymmetric matrix."""
    core: Array
    """∂/∂Z, shape (norb, norb), symmetric, Hartree."""


def determinant_form_slope(densities: Array, frame: Array, core: Array) -> FormSlope:
    r"""Return the variance of a form in one determinant, at a cost of norb⁴.

    F takes a determinant to itself, single and double excitations. With
    :math:`D_\sigma = U^T \gamma_\sigma U`, :math:`Q_\sigma = 1 - D_\sigma`, the norms of the two
    are, written with :math:`g = \sum_\sigma \mathrm{diag} D_\sigma`,
    :math:`f_\sigma = \mathrm{diag}(\tfrac12 Z_{kk} + (Zg)_k) - Z \circ D_\sigma` and
    :math:`M = \sum_\sigma D_\sigma \circ Q_\sigma`,

    .. math:: \mathrm{Var} F = \sum_\sigma \mathrm{tr}(D_\sigma f_\sigma Q_\sigma f_\sigma)
              + \tfrac12 \mathrm{tr}(Z M Z M) - \tfrac12 \sum_{\sigma klmn}
              Z_{kl} Z_{mn} D_{km} Q_{kn} D_{ln} Q_{lm}

    Args:
        densities: γ of alpha and beta, projectors, shape (2, norb, norb).
        frame: U, shape (norb, norb), orthogonal.
        core: Z, shape (norb, norb), symmetric, Hartree.
    """
    unit = np.eye(len(core))
    filled = frame.T @ densities @ frame
    numbers = np.einsum("skk->k", filled)
    hartree = np.diag(np.diag(core) / 2 + core @ numbers)
    spread = np.sum(filled * (unit - filled), axis=0)
    paired = core @ spread @ core
    value = float(np.sum(paired * spread)) / 2
    by_core = spread @ core @ spread
    by_filled = np.empty(filled.shape)
    diagonals = np.zeros(len(core))
    for spin, density in enumerate(filled):
        empty = unit - density
        fock = hartree - core * density
        value += float(np.sum((density @ fock) * (fock @ empty)))
        response = density @ fock @ empty
        response = response + response.T
        diagonals += np.diag(response)
        exchange, exchange_core, exchange_filled = _exchange(core, density, empty)
        value -= exchange / 2
        by_core -= response * density + exchange_core / 2
        by_filled[spin] = fock @ (empty - density) @ fock - response * core
        by_filled[spin] += paired * (unit - 2 * density) - exchange_filled / 2
    by_core += np.diag(diagonals) / 2 + np.outer(diagonals, numbers)
    by_filled += np.diag(core @ diagonals)
    turns = np.sum([a @ b - b @ a for a, b in zip(filled, _symmetric(by_filled), strict=True)], 0)
    return FormSlope(max(value, 0.0), frame @ turns, _symmetric(by_core))


def _exchange(core: Array, filled: Array, empty: Array) -> tuple[float, Array, Array]:
    """Return Σ Z_kl Z_mn D_km Q_kn D_ln Q_lm and its derivatives by Z and, with Q = 1 − D, by D."""
    norb = len(core)
    through = ((core * empty[:, None, :]).reshape(-1, norb) @ filled).reshape((norb,) * 3)
    back = ((core * filled[:, None, :]).reshape(-1, norb) @ empty).reshape((norb,) * 3)
    weighted = through * empty  # [k, m, l]: Σ_n Z_mn Q_kn D_nl Q_ml
    by_core = np.einsum("km,kml->kl", filled, weighted)
    by_filled = np.einsum("kl,kml->km", core, weighted)
    by_empty = np.einsum("kl,nl,knl->kn", core, filled, back)
    return float(np.sum(core * by_core)), 2 * by_core, 2 * (by_filled - by_empty)


def vector_form_slope(
    vector: Array, nelec: tuple[int, int], frame: Array, core: Array
) -> FormSlope:
    r"""Return the variance of a form in a CI vector.

    In the determinants of the rotated orbitals F is diagonal. Turning the frame by
    :math:`U e^X` moves the variance by :math:`-2 \sum_{kl} X_{kl}
    \langle (F - \langle F \rangle)^2 \psi | \tilde a_k^\dagger \tilde a_l | \psi \rangle`.

    Args:
        vector: PySCF's order, (n_alpha_strings, n_beta_strings), normalised.
        nelec: (n_alpha, n_beta).
        frame: U, shape (norb, norb), orthogonal.
        core: Z, shape (norb, norb), symmetric, Hartree.
    """
    from pyscf.fci import addons, direct_spin1

    norb = len(core)
    rotated = addons.transform_ci(np.array(vector), nelec, np.array(frame))
    alpha, beta = (_occupations(norb, count) for count in nelec)
    single = [np.einsum("ak,kl,al->a", bits, core, bits) / 2 for bits in (alpha, beta)]
    values = single[0][:, None] + single[1] + alpha @ core @ beta.T
    chances = rotated**2
    values = values - np.sum(chances * values)
    weighted = chances * values
    mixed = alpha.T @ weighted @ beta
    by_core = (alpha.T * weighted.sum(axis=1)) @ alpha + (beta.T * weighted.sum(axis=0)) @ beta
    moved = direct_spin1.trans_rdm1(values**2 * rotated, rotated, norb, nelec)
    return FormSlope(
        variance=float(np.sum(weighted * values)),
        frame=frame @ (moved - moved.T),
        core=by_core + mixed + mixed.T,
    )


def cisd_vector(
    nelec: tuple[int, int], norb: int, reference: float, singles: Any, doubles: Any
) -> Array:
    """Return a CISD state as a CI vector over its reference orbitals.

    Arguments are those of `covariance.cisd_rdms`; empty and full shells are allowed.

    Raises:
        InputError: It does not fit into memory.
    """
    shape = tuple(comb(norb, n) for n in nelec)
    checks.fits(
        f"The CISD state as a CI vector of {shape[0] * shape[1]:.3g} determinants",
        8.0 * 6 * shape[0] * shape[1],
        None,
        "Use the Hartree-Fock state, which needs none, or a smaller active space.",
    )
    vector = np.zeros(shape)
    vector[0, 0] = reference
    (alpha, sign_alpha), (beta, sign_beta) = (_excited(norb, n, 1) for n in nelec)
    vector[alpha, 0] = singles[0].ravel() * sign_alpha
    vector[0, beta] = singles[1].ravel() * sign_beta
    mixed = doubles[1].transpose(0, 2, 1, 3).reshape(len(alpha), len(beta))
    vector[np.ix_(alpha, beta)] = mixed * np.outer(sign_alpha, sign_beta)
    for spin, view in ((0, vector[:, 0]), (1, vector[0])):
        double = doubles[2 * spin]
        i, j = np.tril_indices(double.shape[0], -1)
        a, b = np.tril_indices(double.shape[2], -1)
        strings, signs = _excited(norb, nelec[spin], 2)
        view[strings] = double[i[:, None], j[:, None], a, b].ravel() * signs
    return vector


def _excited(norb: int, electrons: int, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the excitations of one spin stand among its strings, and their signs."""
    from pyscf.ci import cisd

    strings, signs = cisd.tn_addrs_signs(norb, electrons, level)
    return np.asarray(strings, dtype=int), np.asarray(signs, dtype=float)


def _occupations(norb: int, electrons: int) -> Array:
    """Return the occupations, 0 or 1, of all strings of one spin, (n_strings, norb)."""
    from pyscf.fci import cistring

    strings = np.asarray(cistring.make_strings(range(norb), electrons), dtype=np.int64)
    return ((strings[:, None] >> np.arange(norb)) & 1).astype(float)


def _symmetric(matrices: Array) -> Array:
    """Return the symmetric parts."""
    return np.asarray(matrices + np.swapaxes(matrices, -1, -2)) / 2
