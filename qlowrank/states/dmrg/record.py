# SPDX-License-Identifier: Apache-2.0
"""What goes into a DMRG calculation, and what it says about its convergence."""

from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class Settings:
    """How block2 is run."""

    bond: int
    """Bond dimension of the random state it starts from."""
    seed: int
    """Of that state."""
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
    """A fifth of the way from the best calculated energy to it, Hartree: what is customary."""


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
        two the weight falls by an order of magnitude, and earlier stages lie off the line. The
        uncertainty is a fifth of :math:`|E_\infty - E|`, E being the last energy. With one stage,
        or a weight that did not fall, there is no line: the last energy and its last change.

        Source:
            Ö. Legeza and G. Fáth, Phys. Rev. B 53, 14349 (1996); the fifth as in R.
            Olivares-Amaya et al., J. Chem. Phys. 142, 034102 (2015).
        """
        energies, weights = self.energies[-2:], self.discarded_weights[-2:]
        change, last = float(energies[0] - energies[-1]), float(energies[-1])
        fall = float(weights[0] - weights[-1])
        if fall <= 0:
            return Extrapolation(energy=last, uncertainty=abs(change))
        distance = change * float(weights[-1]) / fall
        return Extrapolation(energy=last - distance, uncertainty=abs(distance) / 5)
