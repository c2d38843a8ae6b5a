# SPDX-License-Identifier: Apache-2.0
"""Tensor hypercontraction: points, a core, and what they cost."""

from dataclasses import dataclass, field

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.frobenius import SectorError
from qlowrank.factorization.optimizer import OptimizerStatus
from qlowrank.factorization.record import FactorizationStatus, FactorizedRecord
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.integrals.record import Constants, Source
from qlowrank.lowrank import Truncation


@dataclass(frozen=True, eq=False)
class Hypercontraction(FactorizedRecord):
    r"""Two-electron integrals by one core over orbitals that need not be orthogonal.

    .. math:: (pq|rs) \approx \sum_{PQ} x_{pP} x_{qP}\, \zeta_{PQ}\, x_{rQ} x_{sQ}

    Make one with `ql.hypercontract`. After `SectorError`, the operator is the molecule's on states
    of `nelec` electrons only.
    """

    constants: Constants
    """Nuclear repulsion, frozen core and others, apart; Hartree."""
    one_body: Array = field(metadata={"units": "hartree", "axes": "orbital,orbital"})
    """kappa = h − ½ Σ_r (pr|rq), with what a `SectorError` moves into it; shape (norb, norb),
    symmetric, Hartree."""
    points: Array = field(metadata={"units": "1", "axes": "orbital,point"})
    """x, shape (norb, n_points), unit columns."""
    core: Array = field(metadata={"units": "hartree", "axes": "point,point"})
    """zeta, shape (n_points, n_points), symmetric, Hartree."""
    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """Electrons of each spin, (n_alpha, n_beta)."""
    status: FactorizationStatus
    """The method, and bounds on the difference from the source's integrals."""
    optimizer: OptimizerStatus
    """How the optimisation went."""
    source: Source
    """Where the integrals came from."""

    def __post_init__(self) -> None:
        norb, n_points = len(self.one_body), len(self.core)
        object.__setattr__(self, "one_body", checks.symmetric("one_body", self.one_body, norb))
        object.__setattr__(self, "core", checks.symmetric("core", self.core, n_points))
        points = checks.readonly("points", self.points, (norb, n_points))
        object.__setattr__(self, "points", points)
        gap = float(np.abs(np.linalg.norm(points, axis=0) - 1).max(initial=0.0))
        if gap > 1e-8:
            raise InputError(f"points must be unit columns; a norm misses 1 by {gap:.1e}.")
        object.__setattr__(self, "nelec", checks.electrons(self.nelec, norb))

    @property
    def in_sector(self) -> bool:
        """Whether it stands for the molecule with `nelec` electrons only (`SectorError`)."""
        return SectorError().name in self.optimizer.objective

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.core)

    def one_norm(self) -> float:
        r"""Return the one-norm of the block encoding of hypercontraction, Hartree.

        .. math:: \lambda = \sum_k |\mathrm{eig}_k(T')| + \tfrac12 \sum_{PQ} |\zeta_{PQ}|, \qquad
                  T'_{pq} = \kappa_{pq} + \sum_r (pq|rr)

        with the points normalised and (pq|rr) of this operator. Its second part is at least
        :math:`\tfrac12 \sum_{pr} (pp|rr)`.

        Source:
            J. Lee et al., PRX Quantum 2, 030305 (2021), arXiv:2011.03494, Eqs. 17 and 20.
        """
        rows = self.core.sum(axis=1)
        one_body = self.one_body + (self.points * rows) @ self.points.T
        return float(np.abs(np.linalg.eigvalsh(one_body)).sum() + np.abs(self.core).sum() / 2)

    def two_body(self, *, max_memory: float | None = None) -> Array:
        """Return the dense integrals that points and core describe, shape (norb,)*4, Hartree.

        Args:
            max_memory: Bytes it may take; the machine's free memory by default.

        Raises:
            InputError: It would not fit; the message says how much it needs.
        """
        checks.fits(
            f"The dense two-electron tensor of {self.norb} orbitals",
            8 * 2 * self.norb**4,
            max_memory,
            "Work with points and core instead.",
        )
        squares = np.einsum("pi,qi->pqi", self.points, self.points).reshape(self.norb**2, -1)
        return np.asarray(squares @ self.core @ squares.T).reshape((self.norb,) * 4)

    def to_hamiltonian(self) -> Hamiltonian:
        r"""Return the sum of squares that the core describes, as a Hamiltonian.

        With :math:`\zeta = \sum_m c_m c_m^T` the factors are :math:`\sum_P c_{Pm} x_P x_P^T`.

        Raises:
            InputError: The core is indefinite, beyond rounding; the message says by how much.
        """
        values, vectors = np.linalg.eigh(self.core)
        noise = (
            8 * self.n_points * float(np.finfo(float).eps) * float(np.abs(values).max(initial=0.0))
        )
        if values.min(initial=0.0) < -noise:
            raise InputError(
                f"The core is indefinite: its lowest eigenvalue is {values.min():.2e} Hartree, and "
                f"all negative ones sum to {values[values < 0].sum():.2e}. It is no sum of "
                "squares, as after fits for a one-norm; two_body() has the integrals themselves."
            )
        kept = values > noise
        roots = (vectors[:, kept] * np.sqrt(values[kept])).T[::-1]
        factors = contract("pi,mi,qi->mpq", self.points, roots, self.points)
        lost = float(np.abs(values[~kept]).sum()) * self.n_points
        return Hamiltonian(
            constants=self.constants,
            one_body=self.one_body + contract("tpr,trq->pq", factors, factors) / 2,
            kappa=self.one_body,
            factors=factors,
            nelec=self.nelec,
            truncation=Truncation(
                rank=len(factors),
                tolerance=self.status.max_abs_error,
                max_error=self.status.max_abs_error + lost,
                discarded=self.status.trace_norm_error + lost,
            ),
            source=self.source,
        )

    def __repr__(self) -> str:
        """Say what it is and what it cost."""
        return (
            f"Hypercontraction({self.source.name}: {self.norb} orbitals, {self.n_points} points, "
            f"one-norm {self.one_norm():.4f} Hartree, "
            f"|error|_F <= {self.status.frobenius_error:.1e} Hartree"
            + (f", for {sum(self.nelec)} electrons only)" if self.in_sector else ")")
        )
