# SPDX-License-Identifier: Apache-2.0
"""What goes into a DMRG calculation, and what it says about its convergence."""

from dataclasses import dataclass, field, replace

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.mps.sectors import IntArray


@dataclass(frozen=True, eq=False)
class Integrals:
    """A Hamiltonian in the orbitals of the sites, in their order."""

    one_body: Array
    """h, shape (norb, norb), Hartree."""
    two_body: Array
    """(pq|rs), shape (norb,)*4, Hartree."""
    constant: float
    """Hartree."""
    nelec: tuple[int, int]
    """(n_alpha, n_beta)."""

    def without_negligible(self, energy: float) -> "Integrals":
        r"""Leave out two-electron integrals that move no state's energy by more than `energy`.

        For integrals :math:`\delta` that are left out,

        .. math:: |\Delta E| = \Bigl| \tfrac12 \sum_{\sigma\tau pqrs} \delta_{pqrs} \langle
                  a^\dagger_{p\sigma} a^\dagger_{r\tau} a_{s\tau} a_{q\sigma} \rangle \Bigr|
                  \le \tfrac12 N (N - 1) \lVert \delta \rVert_F

        because the expectation values are overlaps of the vectors :math:`a_{s\tau} a_{q\sigma}
        |\psi\rangle`, whose squared norms add up to N(N - 1). Between distant local orbitals most
        integrals are that small, and block2's operator grows with the number of the others.

        Args:
            energy: Hartree, zero or more.

        >>> two_body = np.zeros((2, 2, 2, 2))
        >>> two_body[0, 0, 0, 0], two_body[1, 1, 1, 1] = 1.0, 1e-9
        >>> kept = Integrals(np.zeros((2, 2)), two_body, 0.0, (1, 1)).without_negligible(1e-8)
        >>> float(kept.two_body[0, 0, 0, 0]), float(kept.two_body[1, 1, 1, 1])
        (1.0, 0.0)
        """
        pairs = max(sum(self.nelec) * (sum(self.nelec) - 1) / 2, 1.0)
        sizes = np.sort(np.abs(self.two_body).ravel())
        first = int(np.searchsorted(np.sqrt(np.cumsum(sizes**2)), energy / pairs, side="right"))
        if first == len(sizes):
            return replace(self, two_body=np.zeros_like(self.two_body))
        kept = np.where(np.abs(self.two_body) >= sizes[first], self.two_body, 0.0)
        return replace(self, two_body=kept)


@dataclass(frozen=True, eq=False)
class Trial:
    """A determinant: what the ground state resembles, and what its energy cannot exceed."""

    occupations: Array
    """Electrons in the orbital of each site, 0 to 2, shape (norb,)."""
    energy: float
    """Hartree."""

    def spread(self, share: float) -> Array:
        """Return the occupations moved towards one: a share of 1 prefers no orbital."""
        return np.asarray(1 + (1 - share) * (self.occupations - 1))


@dataclass(frozen=True, slots=True)
class Settings:
    """How block2 is run."""

    threads: int
    """Threads of block2."""
    memory: int
    """Bytes of block2's own stack."""
    scratch: str
    """Folder for its files; empty for the system's place for temporary files."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """The tensors of a state as block2 gives them."""

    table: IntArray
    """Rows: site, local state, electrons and 2 S_z on the left, the same on the right, rows,
    columns; shape (blocks, 8)."""
    values: Array
    """Entries of all blocks, one after the other."""
    centre: int
    """The site whose tensor carries the norm; the others are isometries towards it."""


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """The energy at no discarded weight, from a straight line."""

    energy: float = field(metadata={"units": "hartree"})
    """Energy where the line meets zero discarded weight, Hartree."""
    uncertainty: float = field(metadata={"units": "hartree"})
    """How far a straight line in the square root of the weight would end from it, Hartree; never
    less than the way from the best calculated energy. No bound."""


@dataclass(frozen=True, eq=False)
class Convergence:
    """How the energy of a state came about as its bond dimension grew.

    One entry for each bond dimension that was converged before the next; an exact state has one.
    """

    bond_dimensions: IntArray = field(metadata={"units": "1", "axes": "stage"})
    """Largest bond dimension allowed, shape (n_stages,)."""
    energies: Array = field(metadata={"units": "hartree", "axes": "stage"})
    """Energy of the last sweep, shape (n_stages,), Hartree."""
    discarded_weights: Array = field(metadata={"units": "1", "axes": "stage"})
    """Largest weight discarded at a bond in the last sweep, shape (n_stages,)."""
    sweeps: IntArray = field(metadata={"units": "1", "axes": "stage"})
    """Sweeps made, shape (n_stages,)."""
    status: str
    """"converged"; "not converged" where the sweeps ran out; "interrupted"; "stopped: …" where
    block2 or its scratch folder failed after a finished sweep."""

    def __post_init__(self) -> None:
        shape = (len(self.energies),)
        for name in ("energies", "discarded_weights"):
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))
        for name in ("bond_dimensions", "sweeps"):
            whole = np.array(getattr(self, name), dtype=np.int64)
            whole.flags.writeable = False
            object.__setattr__(self, name, whole)

    def __repr__(self) -> str:
        """Say where it ended."""
        return (
            f"Convergence(bond dimensions {', '.join(map(str, self.bond_dimensions))}; "
            f"energy {self.energies[-1]:.8f} Hartree; {self.status})"
        )

    @property
    def converged(self) -> bool:
        """Whether every stage came to rest."""
        return self.status == "converged"

    def extrapolation(self) -> Extrapolation:
        r"""Return the energy at zero discarded weight.

        .. math:: E(w) = E_\infty + a w

        is drawn through the last two stages: between bond dimensions that differ by a factor of
        two the weight falls by an order of magnitude, and earlier stages lie off the line. Far from
        convergence energies fall more slowly than weights do, like :math:`E_\infty + b \sqrt w`
        at worst that we saw; the difference of the two limits is the uncertainty,
        :math:`|E_\infty - E| \sqrt{w' / w}`, with E and w of the last stage and w' of the one
        before: more than the way that is extrapolated. With one stage, or weights that do not fall
        from each stage to the next, there is no line: the last energy, and all that it has changed
        by since the first stage.

        Source:
            Ö. Legeza and G. Fáth, Phys. Rev. B 53, 14349 (1996), for the line.
        """
        energies, weights = self.energies, self.discarded_weights
        last = float(energies[-1])
        if len(energies) == 1 or (np.diff(weights) >= 0).any():
            return Extrapolation(energy=last, uncertainty=float(np.ptp(energies)))
        change, share = float(energies[-2]) - last, float(weights[-1] / weights[-2])
        if share <= 0:  # nothing was discarded in the end
            return Extrapolation(energy=last, uncertainty=0.0)
        distance = change * share / (1 - share)
        return Extrapolation(energy=last - distance, uncertainty=abs(distance) / share**0.5)
