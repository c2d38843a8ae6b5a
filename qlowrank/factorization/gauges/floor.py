# SPDX-License-Identifier: Apache-2.0
"""Lower bounds of one-norms: how far from the best gauge a factorization can be at most."""

from dataclasses import dataclass, field

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.packing import packed, unpacked
from qlowrank.factorization.double import double_factorize
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.factorization.shift import unshift
from qlowrank.hamiltonian.record import Hamiltonian

POWERS = (2, 4, 8, 16, 32, 64, 128, 256)
"""The operator norm is approached from above by Schatten norms of these powers."""

STEPS = 150
"""L-BFGS steps for each of them."""


@dataclass(frozen=True, eq=False)
class OneNormFloor:
    r"""Proven lower bounds of the two-body one-norm of every double factorization.

    For all symmetric W_i with :math:`\sum_i W_i^2 \preceq 1` and all squares
    :math:`\sum_t L_t \otimes L_t = (pq|rs)`,

    .. math:: \tfrac14 \sum_t \|L_t\|_*^2 \ge \tfrac14 \sum_{it} \mathrm{tr}(W_i L_t)^2
              = \tfrac14 \sum_i \sum_{pqrs} W^i_{pq} (pq|rs) W^i_{rs} .

    With traceless W it holds for shifted squares :math:`L_t - c_t` just as well. Any W gives a
    bound, so that an ascent that ends early, or in a local maximum, has proven a lower one only.
    """

    plain: float = field(metadata={"units": "hartree"})
    """No squares without shifts have a lower two-body part, Hartree."""
    shifted: float = field(metadata={"units": "hartree"})
    """No squares with shifts by the number of electrons do, Hartree."""
    one_body: float = field(metadata={"units": "hartree"})
    """What any gauge and number shift leave of the one-body part, Hartree; zero where shifts can
    change it, which is away from half filling."""
    achieved: float = field(metadata={"units": "hartree"})
    """Two-body part of the factorization that was asked about, Hartree."""
    is_shifted: bool
    """Whether that factorization is shifted, so that `shifted` is the bound it has."""
    witnesses: Array = field(metadata={"units": "1", "axes": "witness,orbital,orbital"})
    """The traceless W that prove `shifted`, shape (n_witnesses, norb, norb)."""

    def __post_init__(self) -> None:
        norb = np.shape(self.witnesses)[-1]
        shape = (len(self.witnesses), norb, norb)
        witnesses = checks.readonly("witnesses", self.witnesses, shape)
        object.__setattr__(self, "witnesses", witnesses)

    @property
    def one_norm(self) -> float:
        """No gauge with number shifts has a one-norm below this, Hartree."""
        return self.one_body + self.shifted

    @property
    def ratio(self) -> float:
        """Achieved two-body part over its bound, at least 1."""
        bound = self.shifted if self.is_shifted else self.plain
        return self.achieved / bound if bound > 0 else 1.0

    def __repr__(self) -> str:
        """Say how far from the bound it is."""
        return (
            f"OneNormFloor(two-body part {self.achieved:.4f} Hartree, at most {self.ratio:.3f} "
            f"times the best; shifted squares cannot go below {self.shifted:.4f}, plain ones not "
            f"below {self.plain:.4f})"
        )


def one_norm_floor(
    source: Hamiltonian | DoubleFactorization, *, n_witnesses: int = 6, seed: int = 0
) -> OneNormFloor:
    r"""Bound from below the one-norm that any gauge and any number shift can reach.

    The bound of `OneNormFloor` is maximised over :math:`W_1 \dots W_r`, by L-BFGS on the ratio of
    :math:`\tfrac14 \sum_{it} \mathrm{tr}(W_i L_t)^2` to Schatten norms of :math:`\sum_i W_i^2` of
    rising power. The last W are divided by their true operator norm, so that the result is proven
    whatever the ascent did. The factors are enough; nothing of order norb⁴ is formed.

    Args:
        source: What to bound. For a Hamiltonian, `achieved` is that of its own factors.
        n_witnesses: How many W; more can only help, and a few are enough.
        seed: Seed of the start.

    Raises:
        InputError: Something else than a Hamiltonian or a factorization, or no witness.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> floor = one_norm_floor(from_example("water"))
    >>> print(f"{floor.plain:.3f} {floor.shifted:.3f}")
    9.655 1.979
    """
    if isinstance(source, Hamiltonian):
        source = double_factorize(source)
    if not isinstance(source, DoubleFactorization):
        raise InputError(
            f"one_norm_floor takes a Hamiltonian or a DoubleFactorization; got {source!r:.60}."
        )
    if checks.whole("n_witnesses", n_witnesses) < 1:
        raise InputError(f"n_witnesses must be at least 1; got {n_witnesses}.")
    plain = unshift(source)
    squares = plain.factors()
    norb = plain.norb
    factors = packed(squares)
    identity = packed(np.eye(norb)[None])[0] / np.sqrt(max(norb, 1))
    traceless = factors - np.outer(factors @ identity, identity)
    witnesses = _ascend(traceless, norb, n_witnesses, seed)
    trace = np.einsum("tpp->t", squares)
    unshifted, _ = _value(np.concatenate([packed(witnesses), packed(np.eye(norb)[None])]), factors)
    everything = max(unshifted, float(trace @ trace) / 4)
    shifted, witnesses = _value(packed(witnesses), traceless)
    energies = np.linalg.eigvalsh(plain.one_body + contract("t,tpq->pq", trace, squares))
    half_filled = sum(plain.nelec) == norb and norb > 0
    sums = np.abs(source.eigenvalues).sum(axis=1)
    return OneNormFloor(
        plain=max(everything, shifted),
        shifted=shifted,
        one_body=float(np.abs(energies - np.median(energies)).sum()) if half_filled else 0.0,
        achieved=float(sums @ sums) / 4,
        is_shifted=source.shift is not None,
        witnesses=witnesses,
    )


def _value(witnesses: Array, factors: Array) -> tuple[float, Array]:
    """Return the bound that witnesses prove, and the witnesses scaled so that Σ W² ⪯ 1."""
    norb = int(np.sqrt(2 * witnesses.shape[1]))
    matrices = unpacked(witnesses, norb)
    squares = np.einsum("ipq,iqr->pr", matrices, matrices)
    largest = float(np.linalg.eigvalsh(squares).max(initial=0.0))
    if largest == 0.0 or factors.size == 0:
        return 0.0, np.zeros_like(matrices)
    # rounding of the eigenvalue: a modest multiple of norb eps
    largest *= 1 + 8 * (norb + len(witnesses)) * float(np.finfo(float).eps)
    return float(np.sum((witnesses @ factors.T) ** 2)) / (4 * largest), matrices / np.sqrt(largest)


def _ascend(factors: Array, norb: int, count: int, seed: int) -> Array:
    """Return traceless matrices with a large bound, shape (count, norb, norb)."""
    if factors.size == 0 or not factors.any():
        return np.zeros((count, norb, norb))
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    # a random start along which the integrals are large
    point = (rng.standard_normal((count, len(factors))) @ factors).ravel()
    for power in POWERS:
        point = point / np.linalg.norm(point)
        result = minimize(
            _descend,
            point,
            args=(factors, norb, power),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": STEPS, "maxcor": 20},
        )
        point = result.x
    return unpacked(_without_trace(point.reshape(count, -1), norb), norb)


def _descend(point: Array, factors: Array, norb: int, power: int) -> tuple[float, Array]:
    """Return minus the logarithm of the smoothed bound, and its gradient."""
    witnesses = _without_trace(point.reshape(-1, factors.shape[1]), norb)
    matrices = unpacked(witnesses, norb)
    values, frame = np.linalg.eigh(np.einsum("ipq,iqr->pr", matrices, matrices))
    values = np.maximum(values, np.finfo(float).tiny)
    norm = values[-1] * float(np.sum((values / values[-1]) ** power)) ** (1 / power)
    slope = (frame * (values / norm) ** (power - 1)) @ frame.T
    overlaps = witnesses @ factors.T
    square = float(np.sum(overlaps**2))
    gradient = packed(slope @ matrices + matrices @ slope) / norm - 2 * overlaps @ factors / square
    return float(np.log(norm) - np.log(square)), _without_trace(gradient, norb).ravel()


def _without_trace(vectors: Array, norb: int) -> Array:
    """Take the trace out of packed matrices."""
    identity = packed(np.eye(norb)[None])[0] / np.sqrt(norb)
    return np.asarray(vectors - np.outer(vectors @ identity, identity))
