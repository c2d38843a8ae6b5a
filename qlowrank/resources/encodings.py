# SPDX-License-Identifier: Apache-2.0
"""Ways to encode a Hamiltonian as a block of a unitary: the one-norm and the walk of each."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.factorization.hypercontraction import Hypercontraction
from qlowrank.factorization.squares import signed_squares
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.resources.double_factorized import DoubleFactorizedWalk
from qlowrank.resources.hypercontracted import HypercontractedWalk
from qlowrank.resources.norms import (
    double_factorized_norm,
    majorana_one_body,
    single_factorized_norm,
    sparse_norm,
    sparse_part,
)
from qlowrank.resources.single_factorized import SingleFactorizedWalk
from qlowrank.resources.sparse import SparseWalk
from qlowrank.resources.walk import Walk, at_least


@dataclass(frozen=True, slots=True)
class Encoded:
    """A Hamiltonian as a block of a unitary."""

    one_norm: float = field(metadata={"units": "hartree"})
    """λ, Hartree: the block is H / λ."""
    walk: Walk
    """The walk it makes."""


class Encoding(Protocol):
    """A method that encodes a record as a block of a unitary."""

    @property
    def name(self) -> str:
        """Name to report."""
        ...

    def __call__(self, record: Any) -> Encoded:
        """Return one-norm and walk of a record."""
        ...


@dataclass(frozen=True, slots=True)
class DoubleFactorizedEncoding:
    """Encode leaves: each square by qubitization of its own.

    Takes a `DoubleFactorization` or a `CompressedFactorization`. A core of full rank is split into
    squares first, with a sign each; the one-norm is then that of the squares, not the
    `one_norm()` of a compressed factorization, which is made for another encoding.
    """

    coefficient_bits: int = field(default=10, metadata={"units": "1"})
    """ℵ, bits of the coefficients."""
    rotation_bits: int = field(default=16, metadata={"units": "1"})
    """ℶ, bits of each Givens angle."""

    def __post_init__(self) -> None:
        at_least("coefficient_bits", self.coefficient_bits, 1)
        at_least("rotation_bits", self.rotation_bits, 2)

    @property
    def name(self) -> str:
        """Name to report."""
        return "double factorization"

    def __call__(self, record: Any) -> Encoded:
        """Return one-norm and walk of a factorization."""
        _needs(record, ("norb", "one_body", "leaves", "cores"), "a factorization")
        squares = signed_squares(record)
        traces = squares.signs * squares.eigenvalues.sum(axis=1)
        hidden = contract("m,mpq->pq", traces, squares.factors())
        walk = DoubleFactorizedWalk(
            norb=record.norb,
            n_leaves=squares.n_squares,
            n_eigenvectors=squares.n_eigenvectors,
            coefficient_bits=self.coefficient_bits,
            rotation_bits=self.rotation_bits,
        )
        norm = double_factorized_norm(record.one_body + hidden, squares.eigenvalues)
        return Encoded(one_norm=norm, walk=walk)


@dataclass(frozen=True, slots=True)
class HypercontractedEncoding:
    """Encode the points and the core of a `Hypercontraction`."""

    coefficient_bits: int = field(default=10, metadata={"units": "1"})
    """ℵ, bits of the coefficients."""
    rotation_bits: int = field(default=16, metadata={"units": "1"})
    """ℶ, bits of each Givens angle."""

    def __post_init__(self) -> None:
        at_least("coefficient_bits", self.coefficient_bits, 1)
        at_least("rotation_bits", self.rotation_bits, 2)

    @property
    def name(self) -> str:
        """Name to report."""
        return "hypercontraction"

    def __call__(self, record: Hypercontraction) -> Encoded:
        """Return one-norm and walk of a hypercontraction."""
        _needs(record, ("norb", "n_points", "core"), "a Hypercontraction")
        walk = HypercontractedWalk(
            norb=record.norb,
            n_points=record.n_points,
            coefficient_bits=self.coefficient_bits,
            rotation_bits=self.rotation_bits,
        )
        return Encoded(one_norm=record.one_norm(), walk=walk)


@dataclass(frozen=True, slots=True)
class SingleFactorizedEncoding:
    """Encode the factors of a `Hamiltonian` entry by entry."""

    coefficient_bits: int = field(default=10, metadata={"units": "1"})
    """ℵ, bits of the coefficients."""

    def __post_init__(self) -> None:
        at_least("coefficient_bits", self.coefficient_bits, 1)

    @property
    def name(self) -> str:
        """Name to report."""
        return "single factorization"

    def __call__(self, record: Hamiltonian) -> Encoded:
        """Return one-norm and walk of a Hamiltonian."""
        _needs(record, ("norb", "kappa", "factors"), "a Hamiltonian")
        walk = SingleFactorizedWalk(record.norb, record.rank, self.coefficient_bits)
        norm = single_factorized_norm(majorana_one_body(record), record.factors)
        return Encoded(one_norm=norm, walk=walk)


@dataclass(frozen=True, slots=True)
class SparseEncoding:
    """Encode the integrals of a `Hamiltonian` one by one; builds all (pq|rs) of pairs."""

    threshold: float = field(default=1e-5, metadata={"units": "hartree"})
    """Integrals below this magnitude are left out, Hartree."""
    coefficient_bits: int = field(default=10, metadata={"units": "1"})
    """ℵ, bits of the coefficients."""

    def __post_init__(self) -> None:
        checks.positive("threshold", self.threshold)
        at_least("coefficient_bits", self.coefficient_bits, 1)

    @property
    def name(self) -> str:
        """Name to report."""
        return "sparse"

    def __call__(self, record: Hamiltonian) -> Encoded:
        """Return one-norm and walk of a Hamiltonian.

        Raises:
            InputError: Every integral is below the threshold.
        """
        _needs(record, ("norb", "kappa", "factors"), "a Hamiltonian")
        one_body, packed, kept = sparse_part(record, self.threshold)
        if kept == 0:
            raise InputError(
                f"threshold {self.threshold:g} Hartree leaves no integral; take a smaller one."
            )
        walk = SparseWalk(record.norb, kept, self.coefficient_bits)
        return Encoded(one_norm=sparse_norm(one_body, packed), walk=walk)


def _needs(record: Any, names: tuple[str, ...], what: str) -> None:
    """Refuse a record that does not have what an encoding reads."""
    missing = [name for name in names if not hasattr(record, name)]
    if missing:
        raise InputError(
            f"This encoding needs {what}; got {type(record).__name__}, which has no "
            f"{' and no '.join(missing)}."
        )
