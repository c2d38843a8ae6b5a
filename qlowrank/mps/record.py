# SPDX-License-Identifier: Apache-2.0
"""The matrix product state: a wavefunction as a chain of tensors with conserved charges."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.mps import sectors
from qlowrank.mps.sectors import Blocks, Bond, Charge, IntArray, Site


@dataclass(frozen=True, eq=False)
class MPS:
    r"""A matrix product state (tensor train).

    .. math:: \langle s_0 s_1 \dots | \psi \rangle = A_0[s_0]\, A_1[s_1] \cdots A_{n-1}[s_{n-1}]

    One site is one spatial orbital with the states empty, alpha, beta, both, in this order; or one
    spin orbital; or anything else. Tensors are stored as the blocks that charge conservation leaves
    (`qlowrank.mps.sectors`); `tensors` gives them dense. Electrons are created in the order of the
    sites, alpha before beta: :math:`|s\rangle = \prod_p (a^\dagger_{p\alpha})^{n_{p\alpha}}
    (a^\dagger_{p\beta})^{n_{p\beta}} |0\rangle` with orbital 0 leftmost.

    Make one with `ql.mps_from_ci`, `ql.mps_from_determinants`, `MPS.from_vector` or
    `MPS.from_tensors`. The norm is whatever the tensors give; nothing is normalised unasked.

    >>> import numpy as np
    >>> import qlowrank as ql
    >>> bell = ql.MPS.from_vector(np.array([1.0, 0.0, 0.0, 1.0]) / np.sqrt(2), 2)
    >>> bell.bond_dimensions
    (2,)
    >>> [tensor.shape for tensor in bell.tensors]
    [(1, 2, 2), (2, 2, 1)]
    """

    blocks: tuple[Array, ...] = field(metadata={"units": "1", "axes": "entry"})
    """Entries of each site tensor, block after block: by left charge, then right charge; within a
    block (left, physical, right) in C order."""
    bond_charges: tuple[IntArray, ...] = field(metadata={"units": "1", "axes": "sector,charge"})
    """Charges of the sectors of each bond, both ends included: n_sites + 1 arrays of shape
    (n_sectors, n_charges), in rising order. A bond's charge counts what is left of it."""
    bond_sizes: tuple[IntArray, ...] = field(metadata={"units": "1", "axes": "sector"})
    """States in each sector of each bond, n_sites + 1 arrays of shape (n_sectors,)."""
    site_charges: tuple[IntArray, ...] = field(metadata={"units": "1", "axes": "state,charge"})
    """Charge of each physical state of each site, n_sites arrays of shape (dimension, n_charges);
    n_charges is 0 without symmetry, 2 for (n_alpha, n_beta)."""
    window: tuple[int, int] = field(metadata={"units": "1", "axes": "end"})
    """First and last site of the part that carries the norm: tensors before it are isometries from
    the left, tensors after it isometries from the right. (0, n_sites - 1) says nothing."""
    discarded_weights: Array = field(metadata={"units": "1", "axes": "bond"})
    """Squared norm cut off at each inner bond to make these tensors, shape (n_sites - 1,)."""

    def __post_init__(self) -> None:
        n_sites = len(self.blocks)
        if n_sites < 1:
            raise InputError("An MPS needs at least one site; got none.")
        for name, length in (("site_charges", n_sites), ("bond_charges", n_sites + 1)):
            values = getattr(self, name)
            if len(values) != length:
                raise InputError(f"{name} must have {length} arrays; got {len(values)}.")
            object.__setattr__(self, name, tuple(_whole_numbers(name, v, 2) for v in values))
        sizes = tuple(_whole_numbers("bond_sizes", v, 1) for v in self.bond_sizes)
        object.__setattr__(self, "bond_sizes", sizes)
        if tuple(map(len, sizes)) != tuple(map(len, self.bond_charges)):
            raise InputError("bond_sizes must have one number for each of bond_charges.")
        object.__setattr__(self, "window", _window(self.window, n_sites))
        blocks = tuple(
            checks.readonly(f"blocks[{k}]", entries, (_length(self.places(k)),))
            for k, entries in enumerate(self.blocks)
        )
        object.__setattr__(self, "blocks", blocks)
        weights = checks.readonly("discarded_weights", self.discarded_weights, (n_sites - 1,))
        object.__setattr__(self, "discarded_weights", weights)
        if self.bonds[0] != ((self.bonds[0][0][0], 1),) or len(self.bonds[-1]) != 1:
            raise InputError("The bonds at the two ends must have one state each.")

    @classmethod
    def from_blocks(
        cls,
        sites: Sequence[Blocks],
        site_charges: Sequence[Site],
        *,
        window: tuple[int, int] | None = None,
        discarded_weights: Array | None = None,
    ) -> "MPS":
        """Make one from dictionaries of blocks.

        Args:
            sites: For each site, (left charge, right charge) → array of shape (left states,
                physical states with this difference of charges, right states). Missing blocks are
                zero; blocks that no path from end to end uses are left out.
            site_charges: Charge of each physical state of each site, as tuples.
            window: As the field; None says that no tensor is known to be an isometry.
            discarded_weights: As the field; None is zeros.

        Raises:
            InputError: Blocks that do not fit together.
        """
        n_sites = len(sites)
        bonds = sectors.bonds_between(sites)
        if not all(bonds):
            raise InputError("No path of blocks leads from the left end to the right end.")
        places = [
            sectors.layout(left, site, right)
            for left, site, right in zip(bonds, site_charges, bonds[1:], strict=False)
        ]
        n_charges = len(site_charges[0][0])
        return cls(
            blocks=tuple(map(sectors.flat, sites, places)),
            bond_charges=tuple(_table([q for q, _ in bond], n_charges) for bond in bonds),
            bond_sizes=tuple(np.array([size for _, size in bond]) for bond in bonds),
            site_charges=tuple(_table(site, n_charges) for site in site_charges),
            window=(0, n_sites - 1) if window is None else window,
            discarded_weights=(
                np.zeros(n_sites - 1) if discarded_weights is None else discarded_weights
            ),
        )

    @classmethod
    def from_tensors(
        cls,
        tensors: Sequence[Array],
        *,
        site_charges: Sequence[Site] | None = None,
        bond_charges: Sequence[Sequence[Charge]] | None = None,
    ) -> "MPS":
        """Make one from dense tensors.

        Args:
            tensors: Arrays (left, physical, right); the first left and last right index have one
                value.
            site_charges: Charge of each physical state of each site; None for no symmetry.
            bond_charges: Charge of each state of each bond, both ends included, in any order; None
                for no symmetry. Entries between charges that do not fit must be zero.

        Raises:
            InputError: Shapes or charges that do not fit together.
        """
        from qlowrank.mps.dense import blocks_from_dense

        return cls.from_blocks(*blocks_from_dense(tensors, site_charges, bond_charges))

    @classmethod
    def from_vector(cls, vector: Array, site_dimension: int, method: Any = None) -> "MPS":
        """Decompose a dense vector without symmetry; see `qlowrank.mps.vectors.from_vector`."""
        from qlowrank.mps.vectors import from_vector

        return from_vector(vector, site_dimension, method)

    @cached_property
    def bonds(self) -> tuple[Bond, ...]:
        """Charges and sizes of the sectors of every bond, both ends included."""
        return tuple(
            tuple(zip(map(tuple, charges.tolist()), sizes.tolist(), strict=True))
            for charges, sizes in zip(self.bond_charges, self.bond_sizes, strict=True)
        )

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Charge of every physical state of every site, as tuples."""
        return tuple(tuple(map(tuple, charges.tolist())) for charges in self.site_charges)

    def places(self, site: int) -> tuple[sectors.Place, ...]:
        """Where the blocks of a site lie."""
        return sectors.layout(self.bonds[site], self.sites[site], self.bonds[site + 1])

    def site_blocks(self, site: int) -> Blocks:
        """Views of the blocks of a site: (left charge, right charge) → (left, state, right)."""
        return sectors.unflat(self.blocks[site], self.places(site))

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.blocks)

    @property
    def charge(self) -> Charge:
        """Total charge; () without symmetry."""
        return sectors.minus(self.bonds[-1][0][0], self.bonds[0][0][0])

    @property
    def nelec(self) -> tuple[int, int]:
        """(n_alpha, n_beta).

        Raises:
            InputError: The sites do not count electrons.
        """
        charge = self.charge
        if len(charge) != 2:  # alpha and beta electrons
            raise InputError(
                "nelec needs sites that count alpha and beta electrons; this MPS has "
                f"{len(charge)} charges. Make it with mps_from_ci, or name the charges."
            )
        return charge[0], charge[1]

    @property
    def bond_dimensions(self) -> tuple[int, ...]:
        """Number of states of each inner bond."""
        return tuple(sum(size for _, size in bond) for bond in self.bonds[1:-1])

    @property
    def max_bond_dimension(self) -> int:
        """Largest of `bond_dimensions`; 1 for a single site."""
        return max(self.bond_dimensions, default=1)

    @property
    def n_entries(self) -> int:
        """Stored numbers: what conservation of charges leaves of the tensors."""
        return sum(map(len, self.blocks))

    @property
    def tensors(self) -> tuple[Array, ...]:
        """Dense tensors (left, physical, right); bond states sorted by charge. Made when asked."""
        from qlowrank.mps.dense import dense_tensor

        return tuple(dense_tensor(self, site) for site in range(self.n_sites))

    def norm(self) -> float:
        """Euclidean norm of the vector."""
        from qlowrank.mps.overlaps import norm

        return norm(self)

    def overlap(self, other: "MPS") -> float:
        """Scalar product ⟨self|other⟩; zero between different charges.

        Raises:
            InputError: The sites differ.
        """
        from qlowrank.mps.overlaps import overlap

        return overlap(self, other)

    def to_vector(self) -> Array:
        """The dense vector; the first site varies slowest.

        Raises:
            InputError: It would not fit into memory.
        """
        from qlowrank.mps.dense import to_vector

        return to_vector(self)

    def to_ci(self) -> Array:
        """PySCF's CI matrix, shape (C(norb, n_alpha), C(norb, n_beta)).

        Raises:
            InputError: The sites are not spatial orbitals.
        """
        from qlowrank.mps.ci import to_ci

        return to_ci(self)

    def __repr__(self) -> str:
        cut = float(np.sqrt(self.discarded_weights.sum()))
        return (
            f"MPS({self.n_sites} sites, charge {self.charge}, bond dimension "
            f"{self.max_bond_dimension}, {self.n_entries} numbers, cut off {cut:.1e})"
        )


def _table(charges: Sequence[Charge], n_charges: int) -> IntArray:
    """Charges as an array that keeps its second axis when it is empty."""
    return np.array(charges, dtype=np.int64).reshape(len(charges), n_charges)


def _whole_numbers(name: str, values: Any, ndim: int) -> IntArray:
    """Return a read-only view of integers with this many axes."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu" or array.ndim != ndim:
        raise InputError(
            f"{name} must hold arrays of integers with {ndim} axes; got {array.dtype} of shape "
            f"{array.shape}."
        )
    view = array.astype(np.int64, copy=False).view()
    view.flags.writeable = False
    return view


def _window(window: Any, n_sites: int) -> tuple[int, int]:
    """Check the part of the chain that carries the norm."""
    first, last = (checks.whole("window", end) for end in window)
    if not 0 <= first <= last < n_sites:
        raise InputError(
            f"window must be two sites in order, 0 to {n_sites - 1}; got ({first}, {last})."
        )
    return first, last


def _length(places: tuple[sectors.Place, ...]) -> int:
    """Number of entries of a site tensor."""
    return places[-1].entries.stop if places else 0
