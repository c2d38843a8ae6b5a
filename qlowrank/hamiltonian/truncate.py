# SPDX-License-Identifier: Apache-2.0
"""Fewer squares: cut a Hamiltonian to the rank that a rule chooses, and keep its certificate."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.hamiltonian.residual import residual_of
from qlowrank.integrals.pairs import pack, unpack
from qlowrank.lowrank import PivotedCholesky, RandomizedSVD, TruncatedSVD, Truncation
from qlowrank.lowrank.rank_rules import CertificateRule, RankRule, Spectrum


@dataclass(frozen=True, slots=True)
class EnergyRule:
    """Rule: the least rank whose energy certificate meets a target.

    The default certificate holds for every state: no energy of the sector lies further above that
    of the squares that are kept. It is generous. A certificate for one state is tighter:
    `lambda h: ql.energy_interval(h, ql.FCI(), exact=mean_field).width`.
    """

    target: float
    """Largest permitted error of an energy, Hartree."""
    certificate: Callable[[Hamiltonian], float] = lambda h: residual_of(h).upper()
    """Proven error of a truncated Hamiltonian, Hartree; never rises with the rank."""

    def __post_init__(self) -> None:
        checks.positive("target", self.target)


def truncate(hamiltonian: Hamiltonian, rule: RankRule | EnergyRule) -> Hamiltonian:
    r"""Keep the first squares of a Hamiltonian, as many as a rule says.

    A sum of squares from which squares are left out is still below the exact operator, and kappa
    stays exact, so that every certificate carries over: with r kept,

    .. math:: \operatorname{tr} R' = \operatorname{tr} R + \sum_{t \ge r} \|L^t\|_F^2, \qquad
              |R'_{pq,rs}| \le \max |R| + \max_{pq} \sum_{t \ge r} (L^t_{pq})^2 .

    Args:
        hamiltonian: Its factors in the order in which they are kept: that of their pivots, or of
            falling size after `principal_factors`.
        rule: `ErrorRule`, `TraceRule`, `EnergyRule`, `GapRule`, `InformationRule`, or any other
            callable from a `Spectrum` to a `Truncation`.

    Raises:
        InputError: No rank meets the rule.

    >>> import qlowrank as ql
    >>> water = ql.from_example("water", tolerance=1e-8)
    >>> water.rank, ql.truncate(water, ql.ErrorRule(1e-3)).rank
    (28, 23)
    """
    if isinstance(rule, type) or not (callable(rule) or isinstance(rule, EnergyRule)):
        raise InputError(
            f"rule must be a rank rule such as ql.ErrorRule(1e-4) or ql.EnergyRule(1e-3); "
            f"got {rule!r:.60}."
        )
    spectrum = spectrum_of_factors(hamiltonian)
    if isinstance(rule, EnergyRule):
        certificate = rule.certificate
        rule = CertificateRule(
            rule.target, lambda rank: certificate(_kept(hamiltonian, spectrum, rank))
        )
    chosen = rule(spectrum)
    return _kept(hamiltonian, spectrum, chosen.rank, chosen)


def spectrum_of_factors(hamiltonian: Hamiltonian) -> Spectrum:
    """Return what each rank of a Hamiltonian would cost, Hartree."""
    factors, truncation = hamiltonian.factors, hamiltonian.truncation
    weights = np.einsum("tpq,tpq->t", factors, factors)
    largest = np.zeros(len(factors) + 1)
    lost = np.zeros((hamiltonian.norb,) * 2)
    for rank in range(len(factors) - 1, -1, -1):
        lost += factors[rank] ** 2
        largest[rank] = lost.max(initial=0.0)
    tails = np.append(np.cumsum(weights[::-1])[::-1], 0.0)
    return Spectrum(
        weights=weights,
        discarded=truncation.discarded + tails,
        max_error=truncation.max_error + largest,
    )


def principal_factors(
    hamiltonian: Hamiltonian, *, method: TruncatedSVD | RandomizedSVD | None = None
) -> Hamiltonian:
    r"""Return the same operator with factors that are orthogonal, by falling size.

    .. math:: L'^t = \sum_s Q_{ts} L^s, \qquad \operatorname{tr} L'^t L'^s = \lambda_t \delta_{ts}

    The first r of them are the best r squares in the Frobenius norm. The weights λ are eigenvalues
    of the integrals as a matrix over pairs.

    With a method that keeps r of them, what is left out is positive semidefinite: of all vectors
    the projection onto the kept ones is taken away, exactly so for random ranges too. Its diagonal
    bounds every element, and its trace adds to what was left out before. Few out of many vectors,
    such as those of an auxiliary basis, are found fastest by `RandomizedSVD`.

    Args:
        hamiltonian: Any; its certificate is kept, or grows by what is left out.
        method: `TruncatedSVD(rank)` or `RandomizedSVD(rank, seed)`; all factors by default.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.lowrank import RandomizedSVD
    >>> water = from_example("water", tolerance=1e-8)
    >>> leading = principal_factors(water, method=RandomizedSVD(rank=20, seed=1))
    >>> leading.rank, leading.max_abs_error_bound < 0.1
    (20, True)
    """
    scaled, scale = _over_pairs(hamiltonian)
    kept = (TruncatedSVD(rank=max(len(scaled), 1)) if method is None else method)(scaled)
    vectors = kept.values[:, None] * kept.right.T / scale
    matrices = unpack(vectors, hamiltonian.norb)
    before = hamiltonian.truncation
    if method is None:
        return _with_factors(hamiltonian, matrices, before)
    lost = np.einsum("tp,tp->p", scaled / scale, scaled / scale) - np.sum(vectors**2, axis=0)
    rounding = 8 * len(scaled) * float(np.finfo(float).eps) * float(np.sum(scaled**2))
    worst = float(lost.max(initial=0.0)) + rounding
    record = Truncation(
        rank=len(vectors),
        tolerance=before.max_error + worst,
        max_error=before.max_error + worst,
        discarded=before.discarded + max(kept.frobenius_error**2, 0.0) + rounding,
    )
    return _with_factors(hamiltonian, matrices, record)


def recompress(hamiltonian: Hamiltonian, *, tolerance: float) -> Hamiltonian:
    r"""Exchange the squares of a Hamiltonian for fewer, by pivots in its own orbitals.

    .. math:: \sum_t L^t \otimes L^t = \sum_t L'^t \otimes L'^t + R', \qquad R' \ge 0, \quad
              |R'_{pq,rs}| \le \text{tolerance}

    R' adds to what the Hamiltonian had left out. Factors from an auxiliary basis shrink to the
    rank that their error deserves.

    Args:
        hamiltonian: The squares to exchange.
        tolerance: Largest permitted further error of any (pq|rs), Hartree.

    Raises:
        InputError: A negative or nan tolerance, or one below what double precision can resolve.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> water = from_example("water", tolerance=1e-8)
    >>> water.rank, recompress(water, tolerance=1e-3).rank
    (28, 23)
    """
    method = PivotedCholesky(tolerance=checks.tolerance(tolerance))
    result = method(_Gram(pack(hamiltonian.factors)))
    lost = unpack(result.residual_diagonal, hamiltonian.norb)
    before = hamiltonian.truncation
    truncation = Truncation(
        rank=len(result.vectors),
        tolerance=before.max_error + max(method.tolerance, result.max_error),
        max_error=before.max_error + result.max_error,
        discarded=before.discarded + float(lost.sum()),
    )
    return _with_factors(hamiltonian, unpack(result.vectors, hamiltonian.norb), truncation)


@dataclass(frozen=True, eq=False, slots=True)
class _Gram:
    """AᵀA, read by columns."""

    vectors: Array
    """A, shape (m, n)."""

    def diagonal(self) -> Array:
        """Return the diagonal, shape (n,)."""
        return np.asarray(np.einsum("ti,ti->i", self.vectors, self.vectors))

    def columns(self, indices: np.ndarray) -> Array:
        """Return columns as rows, shape (len(indices), n)."""
        return np.asarray(self.vectors[:, indices].T @ self.vectors)


def _kept(
    hamiltonian: Hamiltonian, spectrum: Spectrum, rank: int, chosen: Truncation | None = None
) -> Hamiltonian:
    """Return the Hamiltonian with its first `rank` factors."""
    record = chosen or spectrum.cut(rank, tolerance=float(spectrum.max_error[rank]))
    return _with_factors(hamiltonian, hamiltonian.factors[:rank], record)


def _with_factors(hamiltonian: Hamiltonian, factors: Array, record: Truncation) -> Hamiltonian:
    """Exchange factors; h stays exact unless it was that of the squares."""
    one_body = hamiltonian.one_body
    if not residual_of(hamiltonian).semidefinite:
        one_body = hamiltonian.kappa + np.einsum("tpr,trq->pq", factors, factors) / 2
    return replace(
        hamiltonian,
        one_body=one_body,
        factors=factors,
        truncation=replace(record, rank=len(factors)),
    )


def _over_pairs(hamiltonian: Hamiltonian) -> tuple[Array, Array]:
    """Return factors as rows over pairs in an orthonormal basis, and its scale."""
    rows, cols = np.tril_indices(hamiltonian.norb)
    scale = np.where(rows == cols, 1.0, np.sqrt(2.0))
    return pack(hamiltonian.factors) * scale, scale
