# SPDX-License-Identifier: Apache-2.0
"""The Hamiltonian as a sum of squares of one-body operators."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.integrals.record import Constants, Source
from qlowrank.lowrank import Truncation


@dataclass(frozen=True, eq=False)
class Hamiltonian:
    r"""Electronic Hamiltonian of real orbitals, written as a sum of squares.

    .. math:: H = E_0 + \sum_{pq} \kappa_{pq} E_{pq}
              + \tfrac12 \sum_t \Big(\sum_{pq} L^t_{pq} E_{pq}\Big)^2 + \tfrac12 \hat R,
              \qquad \kappa_{pq} = h_{pq} - \tfrac12 \sum_r (pr|rq)

    with :math:`E_{pq} = \sum_\sigma a^\dagger_{p\sigma} a_{q\sigma}`. The remainder
    :math:`\hat R = \sum_{pqrs} R_{pqrs} E_{pq} E_{rs}` is what `truncation` bounds. Because kappa
    is computed from the exact integrals and the R of a Cholesky decomposition is positive
    semidefinite, the operator held here is a lower bound: each of its eigenvalues lies at or below
    that of the exact Hamiltonian, and at most (electrons × `residual_trace`) below it. (Rebuilt
    from a factorization whose leaves were cut, R has both signs, and an energy can be off by
    electrons × `residual_trace` either way.)

    Make one with `ql.from_pyscf`, `ql.from_xyz`, `ql.from_fcidump`, `ql.from_integrals`,
    `ql.from_openfermion` or `ql.from_example`.
    """

    constants: Constants
    """Nuclear repulsion, frozen core and others, apart; Hartree."""
    one_body: Array = field(metadata={"units": "hartree", "axes": "orbital,orbital"})
    """h, shape (norb, norb), symmetric, Hartree."""
    kappa: Array = field(metadata={"units": "hartree", "axes": "orbital,orbital"})
    """One-body part beside the squares, shape (norb, norb), symmetric, Hartree."""
    factors: Array = field(metadata={"units": "hartree^0.5", "axes": "factor,orbital,orbital"})
    """L, shape (rank, norb, norb), symmetric in the last two, Hartree^½."""
    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """Electrons of each spin, (n_alpha, n_beta)."""
    truncation: Truncation
    """What the decomposition kept and what it cost, Hartree."""
    source: Source
    """Where the integrals came from."""

    def __post_init__(self) -> None:
        norb = len(self.one_body)
        rank = len(self.factors)
        object.__setattr__(self, "one_body", checks.symmetric("one_body", self.one_body, norb))
        object.__setattr__(self, "kappa", checks.symmetric("kappa", self.kappa, norb))
        object.__setattr__(
            self, "factors", checks.readonly("factors", self.factors, (rank, norb, norb))
        )
        object.__setattr__(self, "nelec", checks.electrons(self.nelec, norb))

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        return len(self.one_body)

    @property
    def rank(self) -> int:
        """Number of factors."""
        return len(self.factors)

    @property
    def constant(self) -> float:
        """Energy of nuclei and frozen core, Hartree."""
        return self.constants.total

    @property
    def residual_trace(self) -> float:
        """Σ_pq R_pqpq over all ordered pairs, Hartree (the trace norm where R has both signs)."""
        return self.truncation.discarded

    @property
    def max_abs_error_bound(self) -> float:
        """No element of (pq|rs) differs from its source by more than this, Hartree."""
        return self.truncation.max_error

    def normal_ordered_one_body(self) -> Array:
        """Return the h that goes with `two_body()` in the same operator, (norb, norb), Hartree.

        It is kappa + ½ Σ_t L_t L_t, and differs from `one_body` by the truncated part only.
        """
        return self.kappa + contract("tpr,trq->pq", self.factors, self.factors) / 2

    def two_body(self, *, max_memory: float | None = None) -> Array:
        """Return the dense (pq|rs) = Σ_t L_tpq L_trs, shape (norb,)*4, Hartree.

        Args:
            max_memory: Bytes it may take; the machine's free memory by default.

        Raises:
            InputError: It would not fit; the message says how much it needs.
        """
        checks.fits(
            f"The dense two-electron tensor of {self.norb} orbitals",
            8 * self.norb**4,
            max_memory,
            "Work with the factors instead.",
        )
        flat = self.factors.reshape(self.rank, self.norb**2)
        return (flat.T @ flat).reshape((self.norb,) * 4)

    def to_openfermion(self) -> Any:
        """Return an OpenFermion `InteractionOperator` (spin orbitals interleaved, constant kept).

        See `qlowrank.hamiltonian.exchange` for the conversion of index and spin order.
        """
        from qlowrank.hamiltonian.exchange import to_openfermion

        return to_openfermion(self)

    def to_fcidump(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write this operator as an FCIDUMP that reads back to the same numbers.

        Args:
            path: File to write.
            overwrite: Replace an existing file.

        Raises:
            FileExistsError: The file exists and `overwrite` is False.
        """
        from qlowrank.hamiltonian.exchange import to_fcidump

        to_fcidump(self, path, overwrite=overwrite)

    def __repr__(self) -> str:
        """Say what it is and what it cost."""
        return (
            f"Hamiltonian({self.source.name}: {self.norb} orbitals, nelec={self.nelec}, "
            f"{self.rank} factors, |error| <= {self.max_abs_error_bound:.1e} Hartree)"
        )


def packed_two_body(hamiltonian: Hamiltonian) -> Array:
    """Return Σ_t L_t L_t over pairs p ≥ q (PySCF's fourfold layout), (npair, npair), Hartree."""
    rows, cols = np.tril_indices(hamiltonian.norb)
    vectors = hamiltonian.factors[:, rows, cols]
    return np.asarray(vectors.T @ vectors)
