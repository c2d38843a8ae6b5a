# SPDX-License-Identifier: Apache-2.0
"""Squares that are completed by constants and projected on their index, for one block encoding."""

from dataclasses import dataclass, field, replace

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.gauges.descent import GaugeStatus
from qlowrank.factorization.record import DoubleFactorization, FactorizationStatus, LeafRecord
from qlowrank.factorization.symmetry import SymmetryShift
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.integrals.record import Constants, Source
from qlowrank.lowrank import Truncation


@dataclass(frozen=True, eq=False)
class SquareEncoding(LeafRecord):
    r"""A Hamiltonian as a form whose block encoding has a lower one-norm than its plain squares.

    .. math:: H = E + \hat T + \tfrac12 \sum_{tu} G_{tu} (\hat X_t + b_t)(\hat X_u + b_u),
              \qquad G = 1 - \sum_s g_s g_s^T, \qquad
              \hat X_t = \tfrac12 \sum_{k\sigma} \varepsilon^t_k Z^t_{k\sigma}

    for η electrons, with Pauli matrices Z of the rotated orbitals. Two things are added to a
    double factorization. The *offsets* b complete squares: they take from the one-body part. The
    *projection* G removes a few directions of the leaves' index: the leaves then describe more than
    the integrals, and the sum of more squares can have a lower norm. With
    :math:`\Lambda_t = \sum_k |\varepsilon^t_k| + |b_t|` and :math:`\alpha^2 = \sum_t \Lambda_t^2`,

    .. math:: A = \sum_t |t\rangle \otimes (\hat X_t + b_t), \qquad
              \tfrac12 A^\dagger (G \otimes 1) A = \tfrac{\alpha^2}{4}
              \Big[ \frac{2 A^\dagger (G \otimes 1) A}{\alpha^2} - 1 \Big] + \frac{\alpha^2}{4},

    and the bracket is one step of qubitization of A/α with the reflection about G: the circuit of
    double factorization, plus one term 1 in each square and, for each g, two preparations of a
    state of the index register.

    Without projection it *is* a double factorization, in one more orbital that is empty; see
    `with_empty_orbital`. With one, cost formulas for double factorization do not count it.

    Make one with `ql.encode_squares`. Equal to the molecule's operator for `nelec` electrons only.
    """

    constants: Constants
    """Nuclear repulsion, frozen core and others with what the shifts moved, apart; Hartree."""
    one_body: Array = field(metadata={"units": "hartree", "axes": "orbital,orbital"})
    """κ after the shifts, shape (norb, norb), symmetric, Hartree."""
    eigenvalues: Array = field(metadata={"units": "hartree^0.5", "axes": "leaf,rotated"})
    """ε of the shifted leaves, shape (n_leaves, norb), Hartree^½; sorted by magnitude."""
    leaves: Array = field(metadata={"units": "1", "axes": "leaf,orbital,rotated"})
    """U, shape (n_leaves, norb, norb), orthogonal; column k is rotated orbital k."""
    offsets: Array = field(metadata={"units": "hartree^0.5", "axes": "leaf"})
    """b, shape (n_leaves,), Hartree^½."""
    projected: Array = field(metadata={"units": "1", "axes": "direction,leaf"})
    """g, shape (n_projected, n_leaves), orthonormal rows."""
    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """Electrons of each spin, (n_alpha, n_beta); the operator holds for their sum."""
    shift: SymmetryShift
    """c of each leaf and μ, which have been taken off; exact for their electrons only."""
    status: FactorizationStatus
    """The method, and bounds on the difference from the source's integrals."""
    optimizer: GaugeStatus
    """How the optimisation went."""
    source: Source
    """Where the integrals came from."""

    def __post_init__(self) -> None:
        norb, n_leaves = len(self.one_body), len(self.eigenvalues)
        object.__setattr__(self, "one_body", checks.symmetric("one_body", self.one_body, norb))
        for name, shape in {
            "eigenvalues": (n_leaves, norb),
            "leaves": (n_leaves, norb, norb),
            "offsets": (n_leaves,),
            "projected": (len(self.projected), n_leaves),
        }.items():
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))
        object.__setattr__(self, "nelec", checks.electrons(self.nelec, norb))
        overlaps = self.projected @ self.projected.T
        gap = np.abs(overlaps - np.eye(len(self.projected))).max(initial=0.0)
        if gap > 1e-10:
            raise InputError(
                f"projected must have orthonormal rows; their overlaps are off by {gap:.1e}."
            )

    @property
    def n_projected(self) -> int:
        """Number of directions of the index that the encoding leaves out."""
        return len(self.projected)

    def factors(self) -> Array:
        """Return G L, whose squares are the operator's, (n_leaves, norb, norb), Hartree^½."""
        squares = contract("tpk,tk,tqk->tpq", self.leaves, self.eigenvalues, self.leaves)
        return np.asarray(self._project(squares))

    def majorana_one_body(self) -> Array:
        r"""Return T' = κ + Σ_tu G_tu (tr L_u + b_u) L_t, shape (norb, norb), Hartree."""
        weights = self._project(self.eigenvalues.sum(axis=1) + self.offsets)
        moved = contract("t,tpk,tk,tqk->pq", weights, self.leaves, self.eigenvalues, self.leaves)
        return np.asarray(self.one_body + moved)

    def one_norm(self) -> float:
        r"""Return the one-norm of the block encoding, Hartree.

        .. math:: \lambda = \sum_k |\mathrm{eig}_k(T')|
                  + \tfrac14 \sum_t \Big( \sum_k |\varepsilon^t_k| + |b_t| \Big)^2

        Without offsets and projection it is that of `DoubleFactorization`.
        """
        sums = np.abs(self.eigenvalues).sum(axis=1) + np.abs(self.offsets)
        energies = np.linalg.eigvalsh(self.majorana_one_body())
        return float(np.abs(energies).sum() + sums @ sums / 4)

    def to_hamiltonian(self) -> Hamiltonian:
        """Return the operator as a sum of squares; the origin says for how many electrons."""
        factors = self.factors()
        where = f"{self.source.origin}, shifted: for {sum(self.nelec)} electrons only"
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
            source=replace(self.source, origin=where),
        )

    def with_empty_orbital(self) -> DoubleFactorization:
        r"""Return the double factorization in one more orbital that this is, with its one-norm.

        .. math:: L_t \oplus b_t, \qquad \kappa \oplus -\sum_t (\mathrm{tr} L_t + b_t)\, b_t

        An orbital that is empty has Z = 1, so that its eigenvalue b puts the constant b into the
        square, and nothing else. No square leads into that orbital or out of it: the operator is
        the molecule's on states of `nelec` electrons in which the last orbital is empty.

        Raises:
            InputError: Directions are projected out, which no leaves can stand for.
        """
        if self.n_projected:
            raise InputError(
                f"{self.n_projected} directions of this encoding are projected out, which no "
                "double factorization does. Encode with n_projected=0."
            )
        norb, count = self.norb, self.n_leaves
        values = np.column_stack([self.eigenvalues, self.offsets])
        frames = np.zeros((count, norb + 1, norb + 1))
        frames[:, :norb, :norb] = self.leaves
        frames[:, norb, norb] = 1.0
        order = np.argsort(-np.abs(values), axis=1, kind="stable")
        one_body = np.zeros((norb + 1, norb + 1))
        one_body[:norb, :norb] = self.one_body
        one_body[norb, norb] = -float(values.sum(axis=1) @ self.offsets)
        origin = f"{self.source.origin}, the last orbital empty"
        return DoubleFactorization(
            constants=self.constants,
            one_body=one_body,
            eigenvalues=np.take_along_axis(values, order, axis=1),
            leaves=np.take_along_axis(frames, order[:, None, :], axis=2),
            nelec=self.nelec,
            status=self.status,
            source=replace(self.source, origin=origin),
            shift=self.shift,
        )

    def _project(self, values: Array) -> Array:
        """Apply G to the first axis."""
        along = contract("st,t...->s...", self.projected, values)
        return np.asarray(values - contract("st,s...->t...", self.projected, along))

    def __repr__(self) -> str:
        """Say what it is and what it costs."""
        return (
            f"SquareEncoding({self.source.name}: {self.norb} orbitals, {self.n_leaves} leaves, "
            f"{self.n_projected} directions projected, one-norm {self.one_norm():.4f} Hartree, "
            f"|error| <= {self.status.max_abs_error:.1e} Hartree, for {sum(self.nelec)} electrons "
            "only)"
        )
