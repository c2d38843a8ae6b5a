# SPDX-License-Identifier: Apache-2.0
"""CISD amplitudes as a list of determinants, and the chain they make."""

from itertools import combinations

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.mps.determinants import mps_from_determinants
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import IntArray


def mps_from_cisd(
    reference: float,
    singles: tuple[Array, Array],
    doubles_same: tuple[Array, Array],
    doubles_opposite: Array,
    *,
    tolerance: float = 1e-12,
    max_bond: int | None = None,
) -> MPS:
    r"""Build the chain of a CISD wavefunction from its amplitudes.

    .. math:: |\psi\rangle = \Big[c_0 + \sum c^\sigma_{ia} a^\dagger_{a\sigma} a_{i\sigma}
              + \tfrac14 \sum c^{\sigma\sigma}_{ijab} a^\dagger_a a_i a^\dagger_b a_j
              + \sum c^{\alpha\beta}_{ijab} a^\dagger_{a\alpha} a_{i\alpha}
                a^\dagger_{b\beta} a_{j\beta}\Big] |0\rangle

    Sites are the reference's orbitals: the lowest n_alpha and n_beta are occupied in it. The list
    of determinants grows as occupied² × virtual²; the CI space is never formed.

    Args:
        reference: c_0.
        singles: c^α and c^β, shapes (occupied, virtual).
        doubles_same: c^αα and c^ββ, antisymmetric, shapes (occupied, occupied, virtual, virtual).
        doubles_opposite: c^αβ, shape (occ. alpha, occ. beta, virt. alpha, virt. beta).
        tolerance: Largest permitted error in the norm of the vector.
        max_bond: Most states of a bond; where it binds, the error may exceed the tolerance.

    Raises:
        InputError: Shapes that do not fit together.

    >>> import qlowrank as ql
    >>> state = ql.cisd_state(ql.from_example("h2", basis="6-31g"))
    >>> mps = ql.mps_from_cisd(
    ...     state.reference_coefficient, state.singles, state.doubles_same, state.doubles_opposite
    ... )
    >>> mps.nelec, round(mps.norm(), 12)
    ((1, 1), 1.0)
    """
    nelec = np.shape(singles[0])[0], np.shape(singles[1])[0]
    norbs = {sum(np.shape(c)) for c in singles}
    if len(norbs) != 1 or any(np.ndim(c) != 2 for c in singles):  # (occupied, virtual)
        raise InputError(
            "singles must have shapes (occupied, virtual) that add up to the same number of "
            f"orbitals; got {np.shape(singles[0])} and {np.shape(singles[1])}."
        )
    norb = norbs.pop()
    spins = [
        _excitations(f"spin {spin}", np.asarray(singles[spin]), np.asarray(doubles_same[spin]))
        for spin in (0, 1)
    ]
    virtual = [norb - n for n in nelec]
    opposite = checks.readonly("doubles_opposite", doubles_opposite, (*nelec, *virtual))
    ground = [(1 << n) - 1 for n in nelec]
    strings, signs = zip(*(_singles(nelec[spin], norb) for spin in (0, 1)), strict=True)
    pairs = opposite * signs[0][:, None, :, None] * signs[1][None, :, None, :]
    alpha = np.broadcast_to(strings[0][:, None, :, None], pairs.shape)
    beta = np.broadcast_to(strings[1][None, :, None, :], pairs.shape)
    fixed = [np.full(len(spins[1 - spin][0]), ground[spin]) for spin in (0, 1)]
    return mps_from_determinants(
        np.concatenate([[ground[0]], spins[0][0], fixed[0], alpha.ravel()]),
        np.concatenate([[ground[1]], fixed[1], spins[1][0], beta.ravel()]),
        np.concatenate([[reference], spins[0][1], spins[1][1], pairs.ravel()]),
        norb,
        tolerance=tolerance,
        max_bond=max_bond,
    )


def _singles(n: int, norb: int) -> tuple[IntArray, Array]:
    """Strings and signs of a†_a a_i on the lowest n orbitals, shapes (n, norb - n)."""
    occupied, virtual = np.arange(n)[:, None], np.arange(n, norb)[None, :]
    strings = ((1 << n) - 1) ^ (1 << occupied) ^ (1 << virtual)
    return strings, np.where((n - 1 - occupied) % 2, -1.0, 1.0) * np.ones(virtual.shape)


def _excitations(name: str, singles: Array, doubles: Array) -> tuple[IntArray, Array]:
    """Strings and signed coefficients of all excitations of one spin."""
    n, n_virtual = singles.shape
    singles = checks.readonly(f"singles of {name}", singles, (n, n_virtual))
    doubles = checks.readonly(f"doubles of {name}", doubles, (n, n, n_virtual, n_virtual))
    strings, signs = _singles(n, n + n_virtual)
    holes = np.array(list(combinations(range(n), 2)), dtype=np.int64).reshape(-1, 2)
    parts = np.array(list(combinations(range(n_virtual), 2)), dtype=np.int64).reshape(-1, 2)
    values = doubles[holes[:, 0], holes[:, 1]][:, parts[:, 0], parts[:, 1]]
    # a†_a a_i a†_b a_j with i < j and a < b: each pair passes the electrons between hole and
    # particle, n-1-j for j, then n-2-i for i, because b stands above a
    crossed = (n - 1 - holes[:, 1]) + (n - 2 - holes[:, 0])
    values = values * np.where(crossed % 2, -1.0, 1.0)[:, None]
    moved = (1 << holes).sum(axis=1)[:, None], (1 << (n + parts)).sum(axis=1)[None, :]
    pairs = (((1 << n) - 1) ^ moved[0]) | moved[1]
    return (
        np.concatenate([strings.ravel(), pairs.ravel()]),
        np.concatenate([(singles * signs).ravel(), values.ravel()]),
    )
