# SPDX-License-Identifier: Apache-2.0
r"""What is proven about the integrals that a Hamiltonian leaves out, before any state is known.

With :math:`H = H_L + \tfrac12 \hat R`, every bound here is an inequality between operators on the
sector of η electrons; docs/explanations/certificate.md has the proofs.
"""

from dataclasses import dataclass, field

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.memory import forget

EPS = float(np.finfo(float).eps)

BATCH = 64
"""Factors that are multiplied at a time."""


@dataclass(frozen=True, eq=False)
class Residual:
    r"""The part of the exact integrals that a Hamiltonian leaves out, as far as its record tells.

    .. math:: K_{pq} = \sum_r R_{pr,rq} = 2(h - \kappa)_{pq} - \sum_t (L^t L^t)_{pq}

    needs no integrals, because :math:`2(h - \kappa)` is the exact exchange of the identity. Make
    one with `residual_of`.
    """

    exchange: Array = field(metadata={"units": "hartree", "axes": "orbital,orbital"})
    """K, shape (norb, norb), positive semidefinite up to rounding; zero where not known."""
    trace: float = field(metadata={"units": "hartree"})
    """tr R, or a bound on the trace norm of R where R has both signs."""
    semidefinite: bool
    """Whether R is positive semidefinite. Where leaves were cut it has both signs."""
    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """Electrons of each spin, (n_alpha, n_beta)."""
    rounding: float = field(metadata={"units": "hartree"})
    """What double precision can make of an energy or of tr K, Hartree."""

    def __post_init__(self) -> None:
        norb = len(self.exchange)
        object.__setattr__(self, "exchange", checks.symmetric("exchange", self.exchange, norb))

    def __repr__(self) -> str:
        """Say how much was left out."""
        sign = "no negative part" if self.semidefinite else "both signs"
        return f"Residual({len(self.exchange)} orbitals, trace {self.trace:.3g} Hartree, {sign})"

    def upper_for(self, density: Array) -> float:
        r"""Return (η/2) tr(γ K), which no state with this density exceeds in ½⟨R̂⟩, Hartree.

        Args:
            density: γ, spin-summed, shape (norb, norb).

        Raises:
            InputError: R has both signs, so K proves nothing.
        """
        self._needs_semidefinite()
        values, vectors = np.linalg.eigh(self.exchange)
        occupations = contract("pk,pq,qk->k", vectors, density, vectors)
        weighted = np.maximum(values, 0.0) @ np.maximum(occupations, 0.0)
        return sum(self.nelec) / 2 * float(weighted)

    def upper(self) -> float:
        """Return the largest (η/2) tr(γ K) of any γ of the sector, Hartree.

        Raises:
            InputError: R has both signs, so K proves nothing.
        """
        self._needs_semidefinite()
        values = np.maximum(np.linalg.eigvalsh(self.exchange), 0.0)
        return sum(self.nelec) / 2 * float(fill(values, self.nelec)[1])

    def either_way(self) -> float:
        """Return η ‖R‖₁: no energy moves by more, up or down, whatever the signs, Hartree."""
        return sum(self.nelec) * self.trace

    def _needs_semidefinite(self) -> None:
        """Refuse what only a positive semidefinite residual proves."""
        if not self.semidefinite:
            raise InputError(
                "This bound needs a positive semidefinite residual; this Hamiltonian was rebuilt "
                "from leaves, whose residual may have both signs. Use either_way()."
            )


def residual_of(hamiltonian: Hamiltonian) -> Residual:
    """Return what is known of the residual, from the record alone.

    A Hamiltonian that was rebuilt from leaves carries the h that goes with its own squares, so its
    K vanishes while its bound does not: there the residual may have both signs.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> residual = residual_of(from_example("water", tolerance=1e-3))
    >>> residual.semidefinite, f"{residual.trace:.4f} {residual.exchange.trace():.4f}"
    (True, '0.0017 0.0017')
    """
    squares = sum_of_squares(hamiltonian.factors)
    exchange = 2 * (hamiltonian.one_body - hamiltonian.kappa) - squares
    exchange = (exchange + exchange.T) / 2
    noise = rounding(hamiltonian)
    known = bool(np.linalg.norm(exchange) > noise) or hamiltonian.residual_trace <= noise
    return Residual(
        exchange=exchange if known else np.zeros(exchange.shape),
        trace=hamiltonian.residual_trace,
        semidefinite=known,
        nelec=hamiltonian.nelec,
        rounding=noise,
    )


def sum_of_squares(factors: Array) -> Array:
    """Return Σ_t (L^t)², shape (norb, norb), a few factors at a time, as they may lie in a file."""
    norb = factors.shape[1]
    total = np.zeros((norb, norb))
    for start in range(0, len(factors), BATCH):
        rows = factors[start : start + BATCH].reshape(-1, norb)
        total += rows.T @ rows
        forget(factors)
    return total


def rounding(hamiltonian: Hamiltonian) -> float:
    """Bound what double precision can make of tr K and of an energy, Hartree.

    Each stored number and each of the sums behind it (over orbitals, over factors) carries at most
    its number of terms times eps times the sum of magnitudes; 8 covers that sums are made twice,
    once by the decomposition and once here, and their constants. An energy fills η orbitals, so
    one-body parts and squares enter it with at most η and η²/2 times their largest element.
    """
    norb, rank, electrons = hamiltonian.norb, hamiltonian.rank, sum(hamiltonian.nelec)
    one_body = np.linalg.norm(hamiltonian.one_body) + np.linalg.norm(hamiltonian.kappa)
    factors = hamiltonian.factors
    diagonal = np.einsum("tpq,tpq->pq", factors, factors)
    forget(factors)
    of_trace = 2 * np.sqrt(norb) * one_body + diagonal.sum()
    largest = diagonal.max(initial=0.0)
    of_energy = abs(hamiltonian.constant) + electrons * one_body + electrons**2 * largest / 2
    return float(8 * (norb + rank + 8) * EPS * max(of_trace, of_energy))


def fill(values: Array, nelec: tuple[int, int]) -> tuple[Array, Array]:
    r"""Return the least and the greatest value of a one-body operator on a sector.

    Args:
        values: Its eigenvalues, shape (..., norb).
        nelec: (n_alpha, n_beta).

    Returns:
        Two arrays of shape (...): the sums of the n_alpha and n_beta lowest, and highest.

    >>> fill(np.array([3.0, -1.0, 1.0]), (2, 1))
    (array(-1.), array(7.))
    """
    ordered = np.sort(values, axis=-1)
    norb = ordered.shape[-1]
    low = np.sum([ordered[..., :n].sum(axis=-1) for n in nelec], axis=0)
    high = np.sum([ordered[..., norb - n :].sum(axis=-1) for n in nelec], axis=0)
    return np.asarray(low), np.asarray(high)


@dataclass(frozen=True, slots=True)
class Spread:
    """How far ½ R̂ reaches below and above zero on a sector, at most; both at least zero."""

    below: float = field(metadata={"units": "hartree"})
    """−½ R̂ is at most this, Hartree."""
    above: float = field(metadata={"units": "hartree"})
    """½ R̂ is at most this, Hartree."""


def spread_of_squares(weights: Array, matrices: Array, nelec: tuple[int, int]) -> Spread:
    r"""Bound ½ Σ_k w_k v̂_k² on a sector, one square at a time.

    The values of v̂ on the sector are sums of n_alpha and n_beta of its eigenvalues, so that v̂² is
    at most the square of the extreme one. Positive weights push up only, negative ones down only.

    Args:
        weights: w, shape (m,), Hartree.
        matrices: v, shape (m, norb, norb), symmetric.
        nelec: (n_alpha, n_beta).
    """
    if not len(weights):
        return Spread(below=0.0, above=0.0)
    values = np.linalg.eigvalsh(matrices).astype(np.float64)
    low, high = fill(values, nelec)
    reach = np.maximum(np.abs(low), np.abs(high)) ** 2 / 2
    below, above = (float(np.maximum(signed, 0.0) @ reach) for signed in (-weights, weights))
    return Spread(below=below, above=above)


def spread_of_pairs(residual: Array, nelec: tuple[int, int]) -> Spread:
    r"""Bound ½ R̂ on a sector from the elements of R, by its eigenvectors; for small norb.

    Above zero, Casimir's operator gives another bound, and the smaller one is returned:
    :math:`\tfrac12 \lambda_{\max}(R) [\eta(N + 2 - \eta/2) - 2 S(S+1)]`.

    Args:
        residual: R over pairs p ≥ q, shape (npair, npair), symmetric, Hartree.
        nelec: (n_alpha, n_beta).
    """
    norb = int((np.sqrt(8 * len(residual) + 1) - 1) / 2)
    rows, cols = np.tril_indices(norb)
    scale = np.where(rows == cols, 1.0, np.sqrt(2.0))  # an orthonormal basis of symmetric matrices
    weights, vectors = np.linalg.eigh(residual * np.outer(scale, scale))
    matrices = np.zeros((len(weights), norb, norb))
    matrices[:, rows, cols] = matrices[:, cols, rows] = vectors.T / scale
    squares = spread_of_squares(weights, matrices, nelec)
    casimir = _casimir(norb, nelec) / 2
    return Spread(
        below=min(squares.below, casimir * max(-float(weights.min(initial=0.0)), 0.0)),
        above=min(squares.above, casimir * max(float(weights.max(initial=0.0)), 0.0)),
    )


def _casimir(norb: int, nelec: tuple[int, int]) -> float:
    """Largest value of Σ_pq E_pq E_qp on a sector: least spin wins."""
    electrons, spin = sum(nelec), abs(nelec[0] - nelec[1]) / 2
    return electrons * (norb + 2 - electrons / 2) - 2 * spin * (spin + 1)
