# SPDX-License-Identifier: Apache-2.0
"""The double factorization: every square diagonal in an orbital frame of its own."""

from dataclasses import dataclass, field, replace

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.symmetry import SymmetryShift
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.integrals.record import Constants, Source
from qlowrank.lowrank import Truncation


@dataclass(frozen=True, slots=True)
class FactorizationStatus:
    """How a factorization was made, and proven bounds on what it lost against its source."""

    method: str
    """Name of the method, such as "cholesky" or "eigen"."""
    max_abs_error: float = field(metadata={"units": "hartree"})
    """No (pq|rs) differs from its source by more than this, Hartree."""
    frobenius_error: float = field(metadata={"units": "hartree"})
    """Upper bound of the Frobenius norm of that difference over all (pq|rs), Hartree."""
    trace_norm_error: float = field(metadata={"units": "hartree"})
    """Upper bound of its trace norm; electrons × this bounds the error of any energy, Hartree."""


class FactorizedRecord:
    """What every factorization can say about its size and its constant."""

    constants: Constants
    one_body: Array

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        return len(self.one_body)

    @property
    def constant(self) -> float:
        """Energy of nuclei and frozen core, and what shifts or fits moved there, Hartree."""
        return self.constants.total


class LeafRecord(FactorizedRecord):
    """A factorization into leaves."""

    leaves: Array

    @property
    def n_leaves(self) -> int:
        """Number of leaves, each an orbital frame with a core."""
        return len(self.leaves)


@dataclass(frozen=True, eq=False)
class DoubleFactorization(LeafRecord):
    r"""Explicit double factorization with rank-one cores.

    .. math:: H = E_0 + \sum_{pq} \kappa_{pq} E_{pq}
              + \tfrac12 \sum_t \Big(\sum_k \varepsilon^t_k \tilde n^t_k\Big)^2, \qquad
              (pq|rs) = \sum_t \sum_{kl} Z^t_{kl} U^t_{pk} U^t_{qk} U^t_{rl} U^t_{sl}, \quad
              Z^t_{kl} = \varepsilon^t_k \varepsilon^t_l

    Make one with `ql.double_factorize`. After `ql.shift_symmetry`, `shift` says what was moved, and
    the operator is the molecule's on states of its own number of electrons only.
    """

    constants: Constants
    """Nuclear repulsion, frozen core and others, apart; Hartree."""
    one_body: Array = field(metadata={"units": "hartree", "axes": "orbital,orbital"})
    """kappa = h − ½ Σ_r (pr|rq), shape (norb, norb), symmetric, Hartree."""
    eigenvalues: Array = field(metadata={"units": "hartree^0.5", "axes": "leaf,rotated"})
    """epsilon, shape (n_leaves, norb), Hartree^½; sorted by magnitude, zero where cut."""
    leaves: Array = field(metadata={"units": "1", "axes": "leaf,orbital,rotated"})
    """U, shape (n_leaves, norb, norb), orthogonal; column k is rotated orbital k."""
    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """Electrons of each spin, (n_alpha, n_beta)."""
    status: FactorizationStatus
    """The method, and bounds on the difference from the source's integrals."""
    source: Source
    """Where the integrals came from."""
    shift: SymmetryShift | None = None
    """What a symmetry shift moved; None where the operator is the molecule's on all states."""

    def __post_init__(self) -> None:
        norb, n_leaves = len(self.one_body), len(self.eigenvalues)
        object.__setattr__(self, "one_body", checks.symmetric("one_body", self.one_body, norb))
        for name, shape in {
            "eigenvalues": (n_leaves, norb),
            "leaves": (n_leaves, norb, norb),
        }.items():
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))
        object.__setattr__(self, "nelec", checks.electrons(self.nelec, norb))
        if self.shift is not None:
            _check_shift(self.shift, n_leaves, sum(self.nelec))

    @property
    def cores(self) -> Array:
        """Z = ε εᵀ of each leaf, shape (n_leaves, norb, norb), Hartree."""
        return np.asarray(contract("tk,tl->tkl", self.eigenvalues, self.eigenvalues))

    @property
    def inner_ranks(self) -> np.ndarray:
        """Number of rotated orbitals each leaf needs, shape (n_leaves,)."""
        return np.count_nonzero(self.eigenvalues, axis=1)

    def factors(self) -> Array:
        """Return L = U diag(ε) Uᵀ of each leaf, shape (n_leaves, norb, norb), Hartree^½."""
        return np.asarray(contract("tpk,tk,tqk->tpq", self.leaves, self.eigenvalues, self.leaves))

    def one_norm(self) -> float:
        r"""Return the one-norm of the block encoding of the double factorization, Hartree.

        .. math:: \lambda = \sum_k |\mathrm{eig}_k(T')|
                  + \tfrac14 \sum_t \Big(\sum_k |\varepsilon^t_k|\Big)^2, \qquad
                  T' = \kappa + \sum_t \mathrm{tr}(L^t) L^t

        Source:
            V. von Burg et al., arXiv:2007.14460; with λ_T as in J. Lee et al., arXiv:2011.03494.
        """
        traces = self.eigenvalues.sum(axis=1)
        one_body = self.one_body + contract("t,tpq->pq", traces, self.factors())
        squares = np.sum(np.abs(self.eigenvalues).sum(axis=1) ** 2) / 4
        return float(np.abs(np.linalg.eigvalsh(one_body)).sum() + squares)

    def to_hamiltonian(self) -> Hamiltonian:
        """Return the sum of squares that the leaves describe, as a Hamiltonian.

        `one_body` of the result is the h that goes with these squares. Of a shifted factorization,
        it is the shifted operator: the origin of its source says for how many electrons it holds.
        """
        factors = self.factors()
        source = self.source
        if self.shift is not None:
            where = f"{source.origin}, shifted: for {self.shift.electrons} electrons only"
            source = replace(source, origin=where)
        return Hamiltonian(
            constants=self.constants,
            one_body=self.one_body + contract("tpr,trq->pq", factors, factors) / 2,
            kappa=self.one_body,
            factors=factors,
            nelec=self.nelec,
            truncation=Truncation(
                rank=len(factors),
                tolerance=self.status.max_abs_error,
                max_error=self.status.max_abs_error,
                discarded=self.status.trace_norm_error,
            ),
            source=source,
        )

    def __repr__(self) -> str:
        """Say what it is and what it cost."""
        return (
            f"DoubleFactorization({self.source.name}: {self.norb} orbitals, {self.n_leaves} "
            f"leaves, method {self.status.method}, one-norm {self.one_norm():.4f} Hartree, "
            f"|error| <= {self.status.max_abs_error:.1e} Hartree"
            + (f", for {self.shift.electrons} electrons only)" if self.shift else ")")
        )


def _check_shift(shift: SymmetryShift, n_leaves: int, electrons: int) -> None:
    """Refuse a shift that belongs to another factorization."""
    if len(shift.leaf_shifts) != n_leaves:
        raise InputError(
            f"leaf_shifts must have one entry for each of the {n_leaves} leaves; got "
            f"{len(shift.leaf_shifts)}."
        )
    if shift.electrons != electrons:
        raise InputError(
            f"the shift holds for {shift.electrons} electrons, but nelec puts {electrons} into the "
            "orbitals; shift anew for this number."
        )
