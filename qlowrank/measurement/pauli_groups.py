# SPDX-License-Identifier: Apache-2.0
"""Pauli strings that can be measured together, by sorted insertion.

Equal terms give equal groups, in every process. But terms depend on the orbitals: where several
degenerate pairs are turned against each other, as a mean field may leave them at random (N2), the
cost of the groups changes by tens of percent. Align degenerate orbitals before comparing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from qlowrank.checks import Array, InputError
from qlowrank.measurement.pauli import PauliSum

TIE = 1e-9
"""Hartree; magnitudes closer than this are taken as equal by symmetry: they differ by rounding."""

INTERLEAVED = "qubit-wise interleaved"
"""Name of the grouping whose qubits are in OpenFermion's order."""

Commutes = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Which of many strings (x, z), shape (words, n), go with one, shape (words, 1): booleans, (n,)."""


@dataclass(frozen=True, eq=False)
class PauliGroups:
    """A Pauli sum cut into groups that are each measured in one go.

    Make one with `group_qubit_wise` or `group_fully_commuting`.
    """

    terms: PauliSum
    """The operator."""
    labels: np.ndarray = field(metadata={"units": "1", "axes": "term"})
    """Group of each term, integers from 0 without gaps, shape (n_terms,)."""
    method: str
    """Which strings may share a group: "qubit-wise", "qubit-wise interleaved", "commuting"."""

    def __post_init__(self) -> None:
        labels = np.asarray(self.labels)
        if labels.shape != (self.terms.n_terms,) or labels.dtype != np.int64:
            raise InputError(
                f"labels must be int64 of shape ({self.terms.n_terms},), one for each term; got "
                f"{labels.dtype} of shape {labels.shape}."
            )
        found = np.unique(labels)
        if not np.array_equal(found, np.arange(len(found))):
            raise InputError("labels must count the groups from 0 without gaps.")
        view = labels.view()
        view.flags.writeable = False
        object.__setattr__(self, "labels", view)

    @property
    def n_groups(self) -> int:
        """Number of different circuits to run."""
        return int(self.labels.max(initial=-1)) + 1

    def __repr__(self) -> str:
        """Say how many."""
        return f"PauliGroups({self.n_groups} {self.method} groups of {self.terms.n_terms} terms)"


def group_qubit_wise(
    terms: PauliSum, *, spins: Literal["block", "interleaved"] = "block"
) -> PauliGroups:
    """Group strings that have, on every qubit, the same letter or the identity.

    Each group is measured after one layer of single-qubit gates: no two-qubit gate at all. Which
    strings go together depends on how the Jordan-Wigner transform runs through the orbitals. The
    numbers in the literature are of OpenFermion's order; a fair comparison takes the better one.

    Args:
        terms: The operator.
        spins: "block" for the strings as they stand, all alpha before all beta; "interleaved" for
            the strings that the same operators have in OpenFermion's order α0 β0 α1 β1 and so on.

    Raises:
        InputError: Another word for `spins`.

    Source:
        O. Crawford et al., Quantum 5, 385 (2021), arXiv:1908.06942 (sorted insertion).

    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.measurement.pauli import pauli_terms
    >>> group_qubit_wise(pauli_terms(from_example("h2")))
    PauliGroups(5 qubit-wise groups of 14 terms)
    """
    if spins not in ("block", "interleaved"):
        raise InputError(f'spins must be "block" or "interleaved"; got {spins!r:.60}.')
    if spins == "block":
        return _sorted_insertion(terms, _block(terms.norb), _commute_qubit_wise, "qubit-wise")
    order = _interleaved(terms.norb)
    return _sorted_insertion(terms, order, _commute_qubit_wise, INTERLEAVED)


def group_fully_commuting(terms: PauliSum) -> PauliGroups:
    """Group strings that all commute with one another.

    Each group is measured after a Clifford circuit that makes it diagonal. Its two-qubit gates,
    of the order of qubits squared and between any two of them, are not counted here: shots alone
    flatter this grouping.

    Args:
        terms: The operator.

    Source:
        O. Crawford et al., Quantum 5, 385 (2021), arXiv:1908.06942 (sorted insertion).

    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.measurement.pauli import pauli_terms
    >>> group_fully_commuting(pauli_terms(from_example("h2")))
    PauliGroups(2 commuting groups of 14 terms)
    """
    return _sorted_insertion(terms, _block(terms.norb), _commute, "commuting")


def strings_of(groups: PauliGroups, group: int) -> tuple[np.ndarray, np.ndarray, Array]:
    r"""Return the strings of a group on the qubits of the order in which it was made.

    The two Jordan-Wigner orders differ by a permutation of the determinants with signs
    :math:`s(b)` (see `reordering_signs`). Applied to the vacuum, a string tells its own sign:
    :math:`s(x) \, i^{|x \wedge z| - |x \wedge z'|}`.

    Args:
        groups: The groups.
        group: Number of the group.

    Returns:
        Qubits with X or Y, and with Z or Y, boolean, shape (n_strings, n_qubits), qubit 0 first;
        coefficients, shape (n_strings,), Hartree.
    """
    terms, members = groups.terms, np.flatnonzero(groups.labels == group)
    interleaved = groups.method == INTERLEAVED
    modes = _interleaved(terms.norb) if interleaved else _block(terms.norb)
    x, z = _bits(terms.x_masks[members], modes), _bits(_z_masks(terms, modes)[members], modes)
    coefficients = terms.coefficients[members]
    if interleaved:
        block = _block(terms.norb)
        n_y = (_bits(terms.x_masks[members], block) & _bits(terms.z_masks[members], block)).sum(1)
        flips = (n_y - (x & z).sum(axis=1)) // 2 % 2
        coefficients = coefficients * (1 - 2 * flips) * reordering_signs(x[:, ::2], x[:, 1::2])
    return x, z, np.asarray(coefficients)


def reordering_signs(alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    r"""Return the sign of a determinant when α… β… is reordered to α0 β0 α1 β1 and so on.

    .. math:: s = (-1)^{\sum_p n_{p\beta} \, \#\{q > p : n_{q\alpha} = 1\}}

    Args:
        alpha: Occupations, boolean, shape (..., norb).
        beta: The same for the other spin; broadcast against `alpha`.

    Returns:
        +1 or −1, shape (...).
    """
    above = np.cumsum(alpha[..., ::-1], axis=-1)[..., ::-1] - alpha
    return np.asarray(1 - 2 * (np.sum(above * beta, axis=-1) % 2))


def _sorted_insertion(
    terms: PauliSum, modes: list[tuple[int, int]], commutes: Commutes, method: str
) -> PauliGroups:
    """Open groups one by one; each takes, largest first, every string that fits to all before."""
    x, z = _words(terms.x_masks, modes), _words(_z_masks(terms, modes), modes)
    order = _largest_first(terms.coefficients, x, z)
    x, z = x[:, order], z[:, order]
    labels = np.full(terms.n_terms, -1, dtype=np.int64)
    remaining = np.arange(terms.n_terms)
    group = 0
    while remaining.size:
        candidates = remaining
        while candidates.size:
            first, candidates = candidates[:1], candidates[1:]
            labels[first] = group
            fit = commutes(x[:, first], z[:, first], x[:, candidates], z[:, candidates])
            candidates = candidates[fit]
        remaining = remaining[labels[remaining] < 0]
        group += 1
    in_place = np.empty_like(labels)
    in_place[order] = labels
    return PauliGroups(terms=terms, labels=in_place, method=method)


def _commute_qubit_wise(
    x_one: np.ndarray, z_one: np.ndarray, x: np.ndarray, z: np.ndarray
) -> np.ndarray:
    """No qubit where both act and differ."""
    clash = ((x ^ x_one) | (z ^ z_one)) & (x | z) & (x_one | z_one)
    return np.asarray(np.bitwise_or.reduce(clash, axis=0) == 0)


def _commute(x_one: np.ndarray, z_one: np.ndarray, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """An even number of qubits where they anticommute."""
    clashes = np.bitwise_xor.reduce((x & z_one) ^ (z & x_one), axis=0)
    return np.asarray(np.bitwise_count(clashes) & 1 == 0)


def _largest_first(coefficients: Array, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Order by magnitude; ties by the x words, then the z words, largest first.

    Magnitudes form a tie as long as each is within `TIE` of the next, so that rounding cannot
    decide the order.
    """
    magnitudes = np.abs(coefficients)
    by_size = np.argsort(-magnitudes, kind="stable")
    steps = -np.diff(magnitudes[by_size], prepend=magnitudes[by_size][:1]) > TIE
    place = np.empty(len(magnitudes), dtype=np.int64)
    place[by_size] = np.cumsum(steps)
    return np.lexsort((*~z[::-1], *~x[::-1], place))


def _block(norb: int) -> list[tuple[int, int]]:
    """(orbital, spin) of the qubits, all alpha first."""
    return [(p, spin) for spin in (0, 1) for p in range(norb)]


def _interleaved(norb: int) -> list[tuple[int, int]]:
    """(orbital, spin) of the qubits in OpenFermion's order."""
    return [(p, spin) for p in range(norb) for spin in (0, 1)]


def _bits(masks: np.ndarray, modes: list[tuple[int, int]]) -> np.ndarray:
    """Masks as booleans, shape (n_terms, len(modes))."""
    places, spins = (np.array(column) for column in zip(*modes, strict=True))
    return np.asarray((masks[:, spins] >> places.astype(np.uint64)) & np.uint64(1), dtype=bool)


def _words(masks: np.ndarray, modes: list[tuple[int, int]]) -> np.ndarray:
    """Masks as 64-bit words with the first qubit as the leading digit, shape (words, n_terms)."""
    words = np.zeros((-(-len(modes) // 64), len(masks)), dtype=np.uint64)
    for place, (p, spin) in enumerate(modes):
        bit = (masks[:, spin] >> np.uint64(p)) & np.uint64(1)
        words[place // 64] |= bit << np.uint64(63 - place % 64)
    return words


def _z_masks(terms: PauliSum, modes: list[tuple[int, int]]) -> np.ndarray:
    """The z masks of the same Majorana products when Jordan-Wigner runs through `modes`."""
    return np.asarray(
        terms.z_masks
        ^ _odd_above(terms.x_masks, _block(terms.norb))
        ^ _odd_above(terms.x_masks, modes)
    )


def _odd_above(masks: np.ndarray, modes: list[tuple[int, int]]) -> np.ndarray:
    """Masks of the modes with an odd number of bits set at later modes."""
    odd = np.zeros_like(masks)
    parity = np.zeros(len(masks), dtype=np.uint64)
    for p, spin in reversed(modes):
        odd[:, spin] |= parity << np.uint64(p)
        parity = parity ^ ((masks[:, spin] >> np.uint64(p)) & np.uint64(1))
    return odd
