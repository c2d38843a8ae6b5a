# SPDX-License-Identifier: Apache-2.0
"""The compressed factorization: few leaves, each with a full core."""

from dataclasses import dataclass, field

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.factorization.compression.frobenius import SectorError
from qlowrank.factorization.compression.norms import core_weights, linear_part
from qlowrank.factorization.compression.packing import packed_squares, unpacked
from qlowrank.factorization.compression.problem import Point
from qlowrank.factorization.optimizer import OptimizerStatus
from qlowrank.factorization.record import FactorizationStatus, LeafRecord
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.integrals.record import Constants, Source
from qlowrank.lowrank import Truncation


@dataclass(frozen=True, eq=False)
class CompressedFactorization(LeafRecord):
    r"""Compressed double factorization with full cores.

    .. math:: H = E_0 + \sum_{pq} \kappa_{pq} E_{pq}
              + \tfrac12 \sum_t \sum_{kl} Z^t_{kl} \tilde n^t_k \tilde n^t_l, \qquad
              (pq|rs) \approx \sum_t \sum_{kl} Z^t_{kl} U^t_{pk} U^t_{qk} U^t_{rl} U^t_{sl}

    Make one with `ql.compress`.
    """

    constants: Constants
    """Nuclear repulsion, frozen core and others, apart; Hartree."""
    one_body: Array = field(metadata={"units": "hartree", "axes": "orbital,orbital"})
    """kappa, with what a `SectorError` moves into it; shape (norb, norb), symmetric, Hartree."""
    leaves: Array = field(metadata={"units": "1", "axes": "leaf,orbital,rotated"})
    """U, shape (n_leaves, norb, norb), orthogonal; column k is rotated orbital k."""
    cores: Array = field(metadata={"units": "hartree", "axes": "leaf,rotated,rotated"})
    """Z, shape (n_leaves, norb, norb), symmetric, Hartree; by falling norm."""
    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """Electrons of each spin, (n_alpha, n_beta)."""
    status: FactorizationStatus
    """The method, and bounds on the difference from the source's integrals; after `SectorError`,
    on the part of it that `nelec` electrons can see."""
    optimizer: OptimizerStatus
    """How the optimisation went."""
    source: Source
    """Where the integrals came from."""

    def __post_init__(self) -> None:
        norb, n_leaves = len(self.one_body), len(self.leaves)
        object.__setattr__(self, "one_body", checks.symmetric("one_body", self.one_body, norb))
        for name in ("leaves", "cores"):
            shape = (n_leaves, norb, norb)
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))
        for core in self.cores:
            checks.symmetric("every core", core, norb)
        object.__setattr__(self, "nelec", checks.electrons(self.nelec, norb))

    @property
    def in_sector(self) -> bool:
        """Whether it stands for the molecule with `nelec` electrons only (`SectorError`)."""
        return SectorError().name in self.optimizer.objective

    @property
    def inner_ranks(self) -> np.ndarray:
        """Number of rotated orbitals each leaf needs, shape (n_leaves,)."""
        return np.count_nonzero(np.any(self.cores != 0, axis=2), axis=1)

    def one_norm(self) -> float:
        r"""Return the one-norm of the operator as a sum of unitaries, Hartree.

        .. math:: \lambda = \sum_k |\mathrm{eig}_k(T')| + \sum_t \Big(
                  \tfrac12 \sum_{kl} |Z^t_{kl}| - \tfrac14 \sum_k |Z^t_{kk}| \Big), \qquad
                  T' = \kappa + \sum_t \sum_k \Big(\sum_l Z^t_{kl}\Big) u^t_k (u^t_k)^T

        A plain linear combination of Pauli-Z products in rotated frames. It is not the one-norm of
        `DoubleFactorization`, whose squares are made by a Chebyshev step that halves their part.

        Source:
            O. Oumarou et al., arXiv:2212.07957; I. Loaiza et al., arXiv:2208.08272.
        """
        hidden = linear_part(Point(self.leaves, self.cores))
        squares = np.sum(core_weights(self.norb) * np.abs(self.cores))
        return float(np.abs(np.linalg.eigvalsh(self.one_body + hidden)).sum() + squares)

    def two_body(self, *, max_memory: float | None = None) -> Array:
        """Return the dense integrals that leaves and cores describe, shape (norb,)*4, Hartree.

        Args:
            max_memory: Bytes it may take; the machine's free memory by default.

        Raises:
            InputError: It would not fit; the message says how much it needs.
        """
        checks.fits(
            f"The dense two-electron tensor of {self.norb} orbitals",
            8 * 2 * self.norb**4,
            max_memory,
            "Work with leaves and cores instead.",
        )
        squares = np.einsum("tpk,tqk->tpqk", self.leaves, self.leaves)
        squares = squares.reshape(self.n_leaves, self.norb**2, self.norb)
        tensor = contract("tak,tkl,tbl->ab", squares, self.cores, squares)
        return np.asarray(tensor).reshape((self.norb,) * 4)

    def to_hamiltonian(self, *, max_memory: float | None = None) -> Hamiltonian:
        """Return the nearest sum of squares, as a Hamiltonian.

        A fit need not be positive semidefinite. What is negative in it is left out, and the bounds
        of the result say by how much: `residual_trace` holds the sum of the negative eigenvalues
        beside the errors of the fit. Where every core is positive semidefinite, nothing is lost.
        `two_body` has the fit itself. After `SectorError` the result stands for the molecule with
        `nelec` electrons only.

        Args:
            max_memory: Bytes it may take; the machine's free memory by default.

        Raises:
            InputError: The matrix over orbital pairs would not fit.
        """
        factors, lost, deepest = self._squares(max_memory)
        return Hamiltonian(
            constants=self.constants,
            one_body=self.one_body + contract("tpr,trq->pq", factors, factors) / 2,
            kappa=self.one_body,
            factors=factors,
            nelec=self.nelec,
            truncation=Truncation(
                rank=len(factors),
                tolerance=self.status.max_abs_error,
                max_error=self.status.max_abs_error + deepest,
                discarded=self.status.trace_norm_error + lost,
            ),
            source=self.source,
        )

    def _squares(self, max_memory: float | None) -> tuple[Array, float, float]:
        """Return factors of the positive part, the trace lost, and the largest element lost."""
        values, vectors = np.linalg.eigh(self.cores)
        noise = 8 * self.norb * np.finfo(float).eps * np.abs(values).max(initial=0.0)
        if values.min(initial=0.0) >= -noise:
            diagonals = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
            factors = contract("tpk,tkm,tqk->tmpq", self.leaves, diagonals, self.leaves)
            kept = values > noise
            return np.asarray(factors)[kept], float(np.abs(values[~kept]).sum()), noise
        n_pairs = self.norb * (self.norb + 1) // 2
        checks.fits(
            f"The sum of squares of {self.norb} orbitals with indefinite cores",
            8 * 4 * n_pairs**2,
            max_memory,
            "Compress with fewer orbitals, or work with leaves and cores.",
        )
        matrix = np.zeros((n_pairs, n_pairs))
        for leaf, core in zip(self.leaves, self.cores, strict=True):
            squares = packed_squares(leaf)
            matrix += squares @ core @ squares.T
        values, vectors = np.linalg.eigh(matrix)
        noise = 8 * n_pairs * np.finfo(float).eps * np.abs(values).max(initial=0.0)
        kept = values > noise
        lost = np.abs(values[~kept])
        factors = unpacked((vectors[:, kept] * np.sqrt(values[kept])).T[::-1], self.norb)
        return factors, float(lost.sum()), float(lost.max(initial=0.0)) + noise

    def __repr__(self) -> str:
        """Say what it is and what it cost."""
        return (
            f"CompressedFactorization({self.source.name}: {self.norb} orbitals, {self.n_leaves} "
            f"leaves, method {self.status.method}, one-norm {self.one_norm():.4f} Hartree, "
            f"|error|_F <= {self.status.frobenius_error:.1e} Hartree)"
        )
