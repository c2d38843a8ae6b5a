# SPDX-License-Identifier: Apache-2.0
"""What is known exactly, from the Coulomb and exchange fields of a few densities."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qlowrank.checks import Array
from qlowrank.integrals.direct.residual import ExactExchange, orbital_groups
from qlowrank.integrals.mean_field import agree, spin_densities
from qlowrank.integrals.orbital_space import OrbitalSpace
from qlowrank.integrals.record import Constants

SAME = 1e-12
"""Densities whose elements differ by no more than this are one."""


@dataclass(frozen=True, eq=False, slots=True)
class ExactParts:
    """One-body part, exchange and energies, from exact integrals."""

    constants: Constants
    """Energy of nuclei and frozen core."""
    one_body: Array = field(metadata={"units": "hartree", "axes": "orbital,orbital"})
    """h, shape (norb, norb), Hartree; contains the field of a frozen core."""
    exchange: ExactExchange
    """Exchange of the active orbitals, group by group."""
    determinant: float = field(metadata={"units": "hartree"})
    """Energy of the determinant that fills the first orbitals, Hartree."""

    @property
    def kappa(self) -> Array:
        """One-body part beside the squares, h − ½ Σ_r (pr|rq), (norb, norb), Hartree."""
        return np.asarray(self.one_body - self.exchange.total / 2)

    def numbers(self, space: OrbitalSpace) -> tuple[Any, ...]:
        """Return what tells one molecule's integrals from another's, for a fingerprint."""
        constants = (self.constants.nuclear_repulsion, self.constants.frozen_core)
        return (*constants, self.one_body, self.exchange.total, space.window, space.nelec)


@dataclass(frozen=True, eq=False, slots=True)
class Densities:
    """The densities whose fields are needed, without repetitions."""

    matrices: Array = field(metadata={"units": "1", "axes": "density,function,function"})
    """Symmetric, shape (n, nao, nao)."""
    groups: list[int]
    """Positions of the densities of the groups of active orbitals."""
    frozen: int
    """Position of that of the frozen core, both spins together."""
    spins: list[int]
    """Positions of those of the determinant that fills the first orbitals, by spin."""
    converged: list[int]
    """Positions of the mean field's own, by spin."""


def densities_of(space: OrbitalSpace) -> Densities:
    """List the densities of an orbital space."""
    window = space.window
    listed: list[Array] = []

    def position(matrix: Array) -> int:
        for place, known in enumerate(listed):
            if np.abs(known - matrix).max(initial=0.0) <= SAME:
                return place
        listed.append(matrix)
        return len(listed) - 1

    active = [window[:, group] for group in orbital_groups(window.shape[1])]
    groups = [position(part @ part.T) for part in active]
    frozen = position(2 * _projector(space, space.core))
    spins = [position(_projector(space, space.core + n)) for n in space.nelec]
    converged = [position(np.asarray(part)) for part in spin_densities(space.mean_field)]
    return Densities(np.array(listed), groups, frozen, spins, converged)


def exact_parts(
    source: Any, space: OrbitalSpace, densities: Densities, coulomb: Array, exchange: Array
) -> ExactParts:
    """Put together what the fields of the densities give, and check the energies.

    Raises:
        InputError: The mean field's energy is not that of its density.
    """
    mean_field, window, listed = space.mean_field, space.window, densities.matrices
    hcore = (mean_field if space.cas is None else space.cas).get_hcore()
    nuclear = float(mean_field.energy_nuc())

    def energy(pair: list[int], one_electron: Array) -> float:
        alpha, beta = pair
        total, both = listed[alpha] + listed[beta], coulomb[alpha] + coulomb[beta]
        value = np.vdot(total, one_electron) + np.vdot(total, both) / 2
        for spin in pair:
            value -= np.vdot(listed[spin], exchange[spin]) / 2
        return nuclear + float(value)

    determinant = energy(densities.spins, hcore)
    name = type(mean_field).__name__
    own = energy(densities.converged, mean_field.get_hcore())
    agree(name, own, float(mean_field.e_tot))
    if source is mean_field:
        agree(name, determinant, float(source.e_tot))
    core = densities.frozen
    field_of_core = coulomb[core] - exchange[core] / 2
    one_body = window.T @ (hcore + field_of_core) @ window
    matrices = window.T @ exchange[densities.groups] @ window
    return ExactParts(
        constants=Constants(
            nuclear_repulsion=nuclear,
            frozen_core=float(np.vdot(listed[core], hcore + field_of_core / 2)),
        ),
        one_body=(one_body + one_body.T) / 2,
        exchange=ExactExchange(
            groups=orbital_groups(window.shape[1]),
            matrices=(matrices + matrices.transpose(0, 2, 1)) / 2,
        ),
        determinant=determinant,
    )


def _projector(space: OrbitalSpace, n: int) -> Array:
    """Density of one electron in each of the first n orbitals, shape (nao, nao)."""
    filled = space.orbitals[:, :n]
    return np.asarray(filled @ filled.T)
