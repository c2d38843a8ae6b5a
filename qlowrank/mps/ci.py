# SPDX-License-Identifier: Apache-2.0
"""Between PySCF's CI matrix and a chain of orbitals, without the 4^N vector in between."""

from math import comb
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.mps import cuts, strings
from qlowrank.mps.cuts import Allowance
from qlowrank.mps.halves import decompose_half
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import ORBITAL, Blocks, Charge, IntArray, minus


def mps_from_ci(
    ci: ArrayLike,
    norb: int,
    nelec: tuple[int, int],
    *,
    tolerance: float = 1e-12,
    max_bond: int | None = None,
) -> MPS:
    r"""Decompose a CI vector into a chain with one site per spatial orbital.

    Sectors of (n_alpha, n_beta) are used throughout: the middle bond is cut by one singular value
    decomposition per sector of the CI matrix, the two halves from their outer ends. The sum of all
    discarded weights bounds the squared error, so without `max_bond`

    .. math:: \lVert \psi - \mathrm{MPS} \rVert \le \mathrm{tolerance}

    up to rounding (about 1e-15 of the norm a site). For the sites and the signs between PySCF's
    determinants and theirs see docs/explanations/tensor_trains.md.

    Args:
        ci: PySCF's CI matrix, shape (C(norb, n_alpha), C(norb, n_beta)), real; any norm but zero.
        norb: Spatial orbitals; orbital 0 is the leftmost site.
        nelec: (n_alpha, n_beta).
        tolerance: Largest permitted error in the norm of the vector.
        max_bond: Most states of a bond; where it binds, the error may exceed the tolerance;
            `discarded_weights` has it.

    Raises:
        InputError: A matrix of another shape, zero or not finite; `max_bond` below 1.

    Source:
        Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011), algorithm 1 and theorem 2.2.

    >>> import qlowrank as ql
    >>> state = ql.fci_state(ql.from_example("h2", basis="6-31g"))
    >>> mps = ql.mps_from_ci(state.vector, state.norb, state.nelec)
    >>> mps.bond_dimensions
    (4, 6, 4)
    >>> bool(abs(mps.to_ci() - state.vector).max() < 1e-12)
    True
    """
    norb = _orbitals(norb)
    nelec = checks.electrons(nelec, norb)
    matrix = _ci_matrix(ci, norb, nelec)
    allowance = Allowance(cuts.tolerance(tolerance) ** 2, norb - 1, cuts.max_bond(max_bond))
    n_left = norb // 2
    if n_left == 0:
        return MPS.from_blocks([{((0, 0), nelec): matrix.reshape(1, 1, 1)}], [ORBITAL])
    matrix = matrix * _signs(norb, nelec)
    left, right, weight = _cut_middle(matrix, norb, nelec, allowance)
    values = {charge: np.linalg.norm(array, axis=(0, 1)) for charge, array in left.items()}
    first = decompose_half(left, n_left, allowance)
    second = decompose_half(right, norb - n_left, allowance)
    inner = {key: block / values[key[1]] for key, block in first.sites[-1].items()}
    return MPS.from_blocks(
        [*first.sites[:-1], inner, *_mirror(second.sites, nelec)],
        [ORBITAL] * norb,
        window=(n_left - 1, n_left),
        discarded_weights=np.array([*first.weights, weight, *reversed(second.weights)]),
    )


def to_ci(mps: MPS) -> Array:
    """Return PySCF's CI matrix of a chain of orbitals."""
    norb, nelec = mps.n_sites, mps.nelec
    if any(site != ORBITAL for site in mps.sites):
        raise InputError("to_ci needs one site per spatial orbital; use to_vector for other sites.")
    size = float(comb(norb, nelec[0]) * comb(norb, nelec[1]))
    checks.fits("The CI matrix", 32 * size, None, "Sample determinants instead.")
    n_left = norb // 2
    sites = [mps.site_blocks(site) for site in range(norb)]
    left = _grown(sites[:n_left])
    right = _grown(_mirror(sites[n_left:], nelec))
    matrix = np.zeros((comb(norb, nelec[0]), comb(norb, nelec[1])))
    places = [_positions(norb, n, n_left, newest_slowest=True) for n in nelec]
    for charge, array in left.items():
        other = right[minus(nelec, charge)]
        rows, columns = (places[spin][charge[spin]] for spin in (0, 1))
        block = array.reshape(-1, array.shape[2]) @ other.reshape(-1, other.shape[2]).T
        shape = (len(rows), len(columns), rows.shape[1], columns.shape[1])
        block = block.reshape(shape).transpose(0, 2, 1, 3).reshape(rows.size, columns.size)
        matrix[np.ix_(rows.ravel(), columns.ravel())] = block
    return matrix * _signs(norb, nelec)


def _cut_middle(
    matrix: Array, norb: int, nelec: tuple[int, int], allowance: Allowance
) -> tuple[dict[Charge, Array], dict[Charge, Array], float]:
    """Both halves' vectors, each times the singular values, and the weight discarded between."""
    places = [_positions(norb, n, norb // 2, newest_slowest=False) for n in nelec]
    shapes: dict[Charge, tuple[int, ...]] = {}
    found: dict[Charge, tuple[Array, Array, Array]] = {}
    for n_alpha, rows in places[0].items():
        for n_beta, columns in places[1].items():
            block = matrix[np.ix_(rows.ravel(), columns.ravel())]
            block = block.reshape(*rows.shape, *columns.shape).transpose(0, 2, 1, 3)
            shapes[n_alpha, n_beta] = block.shape
            found[n_alpha, n_beta] = cuts.svd(block.reshape(len(rows) * len(columns), -1))
    kept, weight = allowance.cut({charge: values for charge, (_, values, _) in found.items()})
    left: dict[Charge, Array] = {}
    right: dict[Charge, Array] = {}
    for charge, rank in kept.items():
        shape = shapes[charge]
        vectors, values, others = found[charge]
        left[charge] = (vectors[:, :rank] * values[:rank]).reshape(*shape[:2], rank)
        weighted = others[:rank].T * values[:rank]
        right[minus(nelec, charge)] = weighted.reshape(*shape[2:], rank)
    return left, right, weight


def _mirror(sites: list[Blocks], nelec: tuple[int, int]) -> list[Blocks]:
    """Chain read from its other end: charges count what is on the other side."""
    return [
        {
            (minus(nelec, right), minus(nelec, left)): block.transpose(2, 1, 0)
            for (left, right), block in blocks.items()
        }
        for blocks in reversed(sites)
    ]


def _grown(sites: list[Blocks]) -> dict[Charge, Array]:
    """Vectors of a half: charge → (alpha strings, beta strings, bond), the last site slowest."""
    vectors: dict[Charge, Array] = {(0, 0): np.ones((1, 1, 1))}
    for n_sites, blocks in enumerate(sites):
        grown: dict[Charge, Array] = {}
        for (charge, target), block in blocks.items():
            shape = comb(n_sites + 1, target[0]), comb(n_sites + 1, target[1]), block.shape[2]
            term = vectors[charge] @ block[:, 0]
            alpha, beta = (
                slice(size - have, None) if more else slice(0, have)
                for size, have, more in zip(
                    shape[:2], term.shape[:2], minus(target, charge), strict=True
                )
            )
            grown.setdefault(target, np.zeros(shape))[alpha, beta] = term
        vectors = grown
    return vectors


def _positions(norb: int, n: int, n_left: int, *, newest_slowest: bool) -> dict[int, IntArray]:
    """Where strings stand in PySCF's order, by electrons on the left: shape (left, right).

    Args:
        norb: Orbitals.
        n: Electrons.
        n_left: Orbitals on the left.
        newest_slowest: Within each half, the orbital next to the middle varies slowest; otherwise
            the one at the end.
    """
    whole = strings.rising(norb, n)
    orders = (strings.rising, strings.mirrored)
    inner, outer = orders if newest_slowest else orders[::-1]
    return {
        k: np.searchsorted(whole, inner(n_left, k)[:, None] | outer(norb - n_left, n - k) << n_left)
        for k in range(max(0, n - norb + n_left), min(n, n_left) + 1)
    }


def _signs(norb: int, nelec: tuple[int, int]) -> IntArray:
    """Signs between PySCF's CI matrix and the chain."""
    alpha, beta = (strings.rising(norb, n) for n in nelec)
    return strings.site_signs(alpha, beta, norb)


def _orbitals(norb: Any) -> int:
    """Return a number of orbitals, one or more."""
    number = checks.whole("norb", norb)
    if number < 1:
        raise InputError(f"norb must be at least 1; got {number}.")
    return number


def _ci_matrix(ci: ArrayLike, norb: int, nelec: tuple[int, int]) -> Array:
    """Return a CI vector as a matrix of its sector, or say what is wrong."""
    shape = comb(norb, nelec[0]), comb(norb, nelec[1])
    array = np.asarray(ci)
    if array.shape != shape and array.shape == (shape[0] * shape[1],):
        array = array.reshape(shape)
    if array.shape != shape:
        raise InputError(
            f"A CI vector of {nelec} electrons in {norb} orbitals has shape {shape}; got "
            f"{array.shape}. Check norb and nelec = (n_alpha, n_beta)."
        )
    matrix = checks.readonly("ci", array, shape)
    if not matrix.any():
        raise InputError("The CI vector is zero; it has no decomposition.")
    return matrix
