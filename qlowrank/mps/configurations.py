# SPDX-License-Identifier: Apache-2.0
"""Single determinants out of a chain: drawn by their probability, or the largest of all.

In right-canonical form, the matrices of the first sites multiply to a row vector whose squared norm
is the weight of all determinants that begin so. Drawing one site after the other from these weights
draws whole determinants; and no determinant weighs more than its beginning, so that beginnings
below a threshold need not be continued.
"""

from dataclasses import dataclass, field

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.mps.canonical import canonicalise_mps
from qlowrank.mps.record import MPS
from qlowrank.mps.sectors import ORBITAL, Charge, IntArray, plus

_MOST_ORBITALS = 62
"""Bits of a signed integer that are free."""
_MOST_BEGINNINGS = 4_000_000
"""Beginnings that are held at once, at most."""


@dataclass(frozen=True, eq=False)
class Determinants:
    """Determinants and their coefficients, in the order of `ql.mps_from_determinants`."""

    alpha: IntArray = field(metadata={"units": "1", "axes": "determinant"})
    """Integers whose bit p says that orbital p holds an alpha electron, shape (n,)."""
    beta: IntArray = field(metadata={"units": "1", "axes": "determinant"})
    """The same for beta electrons."""
    coefficients: Array = field(metadata={"units": "1", "axes": "determinant"})
    """Coefficients with all alpha operators left of all beta operators, shape (n,)."""
    norb: int = field(metadata={"units": "1"})
    """Number of spatial orbitals."""

    def __post_init__(self) -> None:
        shape = (len(self.alpha),)
        for name in ("alpha", "beta"):
            view = np.asarray(getattr(self, name), dtype=np.int64).view()
            if view.shape != shape:
                raise InputError(f"{name} must have shape {shape}; got {view.shape}.")
            view.flags.writeable = False
            object.__setattr__(self, name, view)
        coefficients = checks.readonly("coefficients", self.coefficients, shape)
        object.__setattr__(self, "coefficients", coefficients)

    def __len__(self) -> int:
        return len(self.alpha)

    def occupations(self) -> list[str]:
        """Each determinant as a text, orbital 0 first: 0 empty, a alpha, b beta, 2 both."""
        states = _bits(self.alpha, self.norb) + 2 * _bits(self.beta, self.norb)
        return ["".join("0ab2"[state] for state in row) for row in states.tolist()]


@dataclass(frozen=True, eq=False, slots=True)
class _Beginnings:
    """Beginnings of determinants with one charge."""

    rows: Array
    """Their products of matrices, shape (n, bond states)."""
    states: IntArray
    """Two bits a site, the first site highest, shape (n, 2): bits of alpha and of beta."""
    signs: Array
    """Signs from the order of the sites to alpha before beta, shape (n,)."""
    owners: IntArray
    """Places in the caller's list, shape (n,)."""


def sample_determinants(mps: MPS, shots: int, rng: np.random.Generator) -> Determinants:
    r"""Draw determinants with probability :math:`|c|^2 / \lVert\psi\rVert^2`, independently.

    Exact: no Markov chain, no rejection. One pass over the chain for all shots together.

    Args:
        mps: One site per spatial orbital, at most 62.
        shots: How many.
        rng: Source of randomness; the same generator state, the same determinants.

    Raises:
        InputError: Other sites, fewer than 1 shot, or a norm of zero.

    Source:
        Ferris and Vidal, Phys. Rev. B 85, 165146 (2012).

    >>> import numpy as np
    >>> import qlowrank as ql
    >>> mps = ql.mps_from_determinants([0b01, 0b10], [0b01, 0b10], [0.8, -0.6], 2)
    >>> ql.sample_determinants(mps, 5, np.random.default_rng(1)).occupations()
    ['20', '20', '02', '20', '02']
    """
    shots = checks.whole("shots", shots)
    if shots < 1:
        raise InputError(f"shots must be at least 1; got {shots}.")
    canonical = _prepared(mps)
    uniform = rng.random((canonical.n_sites, shots))
    start = canonical.bonds[0][0][0]
    groups = {start: _first(np.arange(shots))}
    for site in range(canonical.n_sites):
        steps: list[tuple[Charge, int, _Beginnings]] = []
        for charge, group in groups.items():
            moves = _continuations(canonical, site, charge, group)
            weights = np.stack([np.einsum("nk,nk->n", rows, rows) for _, rows in moves])
            edges = np.cumsum(weights, axis=0)
            drawn = uniform[site, group.owners] * edges[-1]
            chosen = np.minimum((edges <= drawn).sum(axis=0), len(moves) - 1)
            for number, (state, rows) in enumerate(moves):
                some = np.flatnonzero(chosen == number)
                if some.size:
                    steps.append((charge, state, _followed(group, rows, some, state)))
        groups = _gathered(steps)
    return _record(groups, canonical, np.arange(shots))


def determinants_above(mps: MPS, threshold: float) -> Determinants:
    r"""Return every determinant with :math:`|c| \ge` threshold, the largest first.

    Complete by proof: a beginning is given up only where the norm of all that begins so is below
    the threshold. At most norm² / threshold² beginnings are alive at once.

    Args:
        mps: One site per spatial orbital, at most 62.
        threshold: Smallest absolute value of interest, above zero.

    Raises:
        InputError: Other sites, a threshold that is not positive, or so low that millions of
            beginnings would have to be held.

    >>> import qlowrank as ql
    >>> mps = ql.mps_from_determinants([0b01, 0b10], [0b01, 0b10], [0.8, -0.6], 2)
    >>> ql.determinants_above(mps, 0.7).coefficients
    array([0.8])
    """
    threshold = checks.positive("threshold", threshold)
    return _above(_prepared(mps), threshold)


def largest_determinants(mps: MPS, count: int) -> Determinants:
    r"""Return the `count` determinants with the largest :math:`|c|`, the largest first.

    Complete by proof: `determinants_above` with a threshold lowered until there are enough.
    Determinants of equal weight come in the order of their strings.

    Raises:
        InputError: Other sites, fewer than 1 determinant, or so many that the threshold would fall
            too low.

    >>> import qlowrank as ql
    >>> state = ql.fci_state(ql.from_example("h2"))
    >>> mps = ql.mps_from_ci(state.vector, state.norb, state.nelec)
    >>> ql.largest_determinants(mps, 1).occupations()
    ['20']
    """
    count = checks.whole("count", count)
    if count < 1:
        raise InputError(f"count must be at least 1; got {count}.")
    canonical = _prepared(mps)
    threshold, least = canonical.norm() / 2, canonical.norm() * 1e-12
    found = _above(canonical, threshold)
    while len(found) < count and threshold > least:
        threshold /= 4
        found = _above(canonical, threshold)
    return Determinants(
        found.alpha[:count], found.beta[:count], found.coefficients[:count], found.norb
    )


def _above(canonical: MPS, threshold: float) -> Determinants:
    """Every determinant at or above a threshold."""
    groups = {canonical.bonds[0][0][0]: _first(np.arange(1))}
    for site in range(canonical.n_sites):
        steps: list[tuple[Charge, int, _Beginnings]] = []
        for charge, group in groups.items():
            for state, rows in _continuations(canonical, site, charge, group):
                norms = np.sqrt(np.einsum("nk,nk->n", rows, rows))
                some = np.flatnonzero(norms >= threshold * (1 - 1e-12))
                if some.size:
                    steps.append((charge, state, _followed(group, rows, some, state)))
        groups = _gathered(steps)
        alive = sum(len(group.owners) for group in groups.values())
        if alive > _MOST_BEGINNINGS:
            raise InputError(
                f"More than {_MOST_BEGINNINGS:g} beginnings of determinants weigh at least "
                f"{threshold:.1e}. Raise the threshold, ask for fewer, or draw samples."
            )
    found = _record(groups, canonical, None)
    order = np.lexsort((found.beta, found.alpha, -np.abs(found.coefficients)))
    order = order[np.abs(found.coefficients[order]) >= threshold]
    return Determinants(
        found.alpha[order], found.beta[order], found.coefficients[order], found.norb
    )


def _prepared(mps: MPS) -> MPS:
    """Right-canonical form of a chain of orbitals, or say what is wrong."""
    if any(site != ORBITAL for site in mps.sites) or mps.n_sites > _MOST_ORBITALS:
        raise InputError(
            f"Determinants need one site per spatial orbital, at most {_MOST_ORBITALS}; got "
            f"{mps.n_sites} sites of dimensions {sorted({len(site) for site in mps.sites})}."
        )
    canonical = canonicalise_mps(mps, 0)
    if canonical.norm() == 0:
        raise InputError("The MPS is zero; it has no determinants.")
    return canonical


def _first(owners: IntArray) -> _Beginnings:
    """Nothing chosen yet."""
    n = len(owners)
    return _Beginnings(np.ones((n, 1)), np.zeros((n, 2), dtype=np.int64), np.ones(n), owners)


def _continuations(
    mps: MPS, site: int, charge: Charge, group: _Beginnings
) -> list[tuple[int, Array]]:
    """Rows of a group with each state of the next site."""
    blocks = mps.site_blocks(site)
    return [
        (state, group.rows @ blocks[charge, target][:, 0])
        for state, step in enumerate(ORBITAL)
        if (charge, (target := plus(charge, step))) in blocks
    ]


def _followed(group: _Beginnings, rows: Array, some: IntArray, state: int) -> _Beginnings:
    """Beginnings made longer by one state of one site."""
    bits = group.states[some] << 1 | np.array(ORBITAL[state])
    signs = group.signs[some]
    if ORBITAL[state][0]:  # this alpha electron passes the beta electrons of the sites before
        signs = signs * np.where(np.bitwise_count(group.states[some, 1]) % 2, -1.0, 1.0)
    return _Beginnings(rows[some], bits, signs, group.owners[some])


def _gathered(steps: list[tuple[Charge, int, _Beginnings]]) -> dict[Charge, _Beginnings]:
    """Beginnings by their new charge."""
    found: dict[Charge, list[_Beginnings]] = {}
    for charge, state, group in steps:
        found.setdefault(plus(charge, ORBITAL[state]), []).append(group)
    return {
        charge: _Beginnings(
            *(np.concatenate(parts) for parts in zip(*map(_parts, groups), strict=True))
        )
        for charge, groups in found.items()
    }


def _parts(group: _Beginnings) -> tuple[Array, IntArray, Array, IntArray]:
    """Fields of a group."""
    return group.rows, group.states, group.signs, group.owners


def _record(groups: dict[Charge, _Beginnings], mps: MPS, owners: IntArray | None) -> Determinants:
    """Determinants in the order of their owners, if any."""
    (group,) = groups.values() or [_first(np.zeros(0, dtype=np.int64))]
    order = np.arange(len(group.owners)) if owners is None else np.argsort(group.owners)
    return Determinants(
        alpha=_flipped(group.states[order, 0], mps.n_sites),
        beta=_flipped(group.states[order, 1], mps.n_sites),
        coefficients=group.rows[order, 0] * group.signs[order],
        norb=mps.n_sites,
    )


def _flipped(strings: IntArray, norb: int) -> IntArray:
    """Strings with the order of their bits reversed."""
    return _bits(strings, norb)[:, ::-1] @ (1 << np.arange(norb))


def _bits(strings: IntArray, norb: int) -> IntArray:
    """Bits of strings, shape (strings, norb)."""
    return strings[:, None] >> np.arange(norb) & 1
