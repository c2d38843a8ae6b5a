# SPDX-License-Identifier: Apache-2.0
"""What every reader of integrals returns: the numbers, and where they came from."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.integrals.pairs import OrbitalPairs

HARTREE = {"units": "hartree"}


@dataclass(frozen=True, slots=True)
class Constants:
    """The energy of everything that is not an active electron, part by part."""

    nuclear_repulsion: float = field(default=0.0, metadata=HARTREE)
    """Repulsion of the nuclei (or of the cores of an effective core potential), Hartree."""
    frozen_core: float = field(default=0.0, metadata=HARTREE)
    """Energy of the frozen doubly occupied orbitals in the field of the nuclei, Hartree."""
    other: float = field(default=0.0, metadata=HARTREE)
    """A constant whose parts the source does not tell apart, Hartree."""

    @property
    def total(self) -> float:
        """Sum of the parts, Hartree."""
        return self.nuclear_repulsion + self.frozen_core + self.other


@dataclass(frozen=True, slots=True)
class Molecule:
    """The molecule as a chemist would write it down."""

    formula: str
    """Hill formula, such as "H2O"."""
    geometry: str
    """One line an atom: element and three coordinates, Ångström."""
    basis: str
    """Name of the atomic-orbital basis, or "custom"."""
    charge: int
    """Total charge in units of the elementary charge."""
    spin: int
    """n_alpha − n_beta of the whole molecule (PySCF's convention)."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An energy that the source itself reports."""

    method: str
    """Such as "RHF" or "CASCI(10, 8)"."""
    energy: float = field(metadata=HARTREE)
    """Total energy, Hartree."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where integrals came from."""

    name: str
    """What the user called it: a file's stem, an example's name, or the formula."""
    origin: str
    """Such as "PySCF RHF", "PySCF CASCI", "FCIDUMP", "arrays"."""
    molecule: Molecule | None
    """Geometry, basis, charge and spin where the source knows them."""
    references: tuple[Reference, ...]
    """Energies the source reports, mean field first; empty where it reports none."""
    digest: str
    """SHA-256 of what was read: the file's bytes, or the numbers where there is no file."""

    def reference(self, *methods: str) -> Reference | None:
        """Return the first reference whose method starts with one of `methods`."""
        return next((r for r in self.references if r.method.startswith(methods)), None)


@dataclass(frozen=True, eq=False, slots=True)
class Integrals:
    """One- and two-electron integrals in an orthonormal real orbital basis, chemists' order."""

    constants: Constants
    """Energy of nuclei and frozen core, Hartree."""
    one_body: Array
    """h, shape (norb, norb), symmetric, Hartree; contains the field of a frozen core."""
    pairs: OrbitalPairs
    """(pq|rs) as a matrix over orbital pairs, read by diagonal and columns."""
    nelec: tuple[int, int]
    """Electrons of each spin, (n_alpha, n_beta)."""
    source: Source
    """Provenance."""

    def __post_init__(self) -> None:
        norb = self.pairs.norb
        object.__setattr__(self, "one_body", checks.symmetric("one_body", self.one_body, norb))
        object.__setattr__(self, "nelec", checks.electrons(self.nelec, norb))

    def __repr__(self) -> str:
        """Say how large they are and where they are from."""
        return f"Integrals({self.source.name}: {self.norb} orbitals, nelec={self.nelec})"

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        return self.pairs.norb


def hill_formula(symbols: Iterable[str]) -> str:
    """Return the Hill formula: carbon, hydrogen, then by the alphabet; without carbon, all by it.

    >>> hill_formula(["O", "C", "H", "H"]), hill_formula(["O", "H", "H"])
    ('CH2O', 'H2O')
    """
    counts = Counter(symbols)
    first = [s for s in ("C", "H") if "C" in counts and s in counts]
    order = first + sorted(s for s in counts if s not in first)
    return "".join(s + (str(counts[s]) if counts[s] > 1 else "") for s in order)


def fingerprint(*arrays: object) -> str:
    """Return the SHA-256 of numbers, independent of memory layout."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return digest.hexdigest()


def determinant_energy(integrals: Integrals) -> float:
    r"""Energy of the determinant that fills the first orbitals, from the integrals alone.

    .. math:: E = E_0 + \sum_p n_p h_{pp} + \tfrac12 \sum_{pq} n_p n_q (pp|qq)
              - \tfrac12 \sum_{\sigma pq} n_{p\sigma} n_{q\sigma} (pq|pq)

    Returns:
        Total energy, Hartree.
    """
    n_alpha, n_beta = integrals.nelec
    occupied = max(n_alpha, n_beta)
    alpha = np.arange(occupied) < n_alpha
    beta = np.arange(occupied) < n_beta
    density = alpha.astype(float) + beta
    index = integrals.pairs.index[:occupied, :occupied]
    coulomb = integrals.pairs.columns(np.diagonal(index))[:, np.diagonal(index)]
    exchange = integrals.pairs.diagonal()[index]
    energy = density @ np.diagonal(integrals.one_body)[:occupied] + density @ coulomb @ density / 2
    energy -= (alpha @ exchange @ alpha + beta @ exchange @ beta) / 2
    return integrals.constants.total + float(energy)
