# SPDX-License-Identifier: Apache-2.0
"""What is known exactly, from the Coulomb and exchange fields of a few densities."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qlowrank.checks import Array
from qlowrank.integrals.direct.residual import ExactExchange, orbital_groups
from qlowrank.integrals.direct.shells import Integers
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
    """The densities whose fields are needed, each once; others are sums of them."""

    matrices: Array = field(metadata={"units": "1", "axes": "density,function,function"})
    """Symmetric, shape (n, nao, nao)."""
    groups: list[Integers]
    """Active orbitals in each group; the first densities are theirs, in this order."""
    frozen: list[int]
    """Positions of densities whose sum is that of the frozen core, one spin; may be empty."""
    spins: list[list[int]]
    """The same for the determinant that fills the first orbitals, by spin."""
    converged: list[list[int]]
    """The same for the mean field's own density, by spin."""

    @property
    def filled(self) -> list[int]:
        """Positions of densities with electrons in them."""
        return sorted({place for places in (*self.spins, *self.converged) for place in places})


def densities_of(space: OrbitalSpace) -> Densities:
    """List the densities of an orbital space."""
    window = space.window
    groups = orbital_groups(window, space.nelec)
    listed = [window[:, group] @ window[:, group].T for group in groups]
    frozen: list[int] = []
    if space.core:
        core = space.orbitals[:, : space.core]
        frozen.append(len(listed))
        listed.append(core @ core.T)
    spins = [
        [*frozen, *(place for place, group in enumerate(groups) if group[-1] < n)]
        for n in space.nelec
    ]
    converged: list[list[int]] = []
    for part in spin_densities(space.mean_field):
        for places in (*spins, *converged):
            known = sum((listed[place] for place in places), np.zeros_like(part))
            if np.abs(known - part).max(initial=0.0) <= SAME:
                converged.append(places)
                break
        else:
            converged.append([len(listed)])
            listed.append(np.asarray(part))
    return Densities(np.array(listed), groups, frozen, spins, converged)


def exact_parts(
    source: Any, space: OrbitalSpace, densities: Densities, coulomb: Array, exchange: Array
) -> ExactParts:
    """Put together what the fields of the densities give, and check the energies.

    Raises:
        InputError: The mean field's energy is not that of its density.
    """
    mean_field, window, listed = space.mean_field, space.window, densities.matrices
    own_hcore = mean_field.get_hcore()
    hcore = own_hcore if space.cas is None else space.cas.get_hcore()
    nuclear = float(mean_field.energy_nuc())

    def summed(places: list[int]) -> tuple[Array, Array, Array]:
        """Density, J and K of a sum of the listed ones."""
        zero = np.zeros(listed.shape[1:])
        return tuple(zero + part[places].sum(axis=0) for part in (listed, coulomb, exchange))

    def energy(spins: list[list[int]], one_electron: Array) -> float:
        alpha, beta = map(summed, spins)
        total, both = alpha[0] + beta[0], alpha[1] + beta[1]
        value = np.vdot(total, one_electron) + np.vdot(total, both) / 2
        for density, _, field_of_exchange in (alpha, beta):
            value -= np.vdot(density, field_of_exchange) / 2
        return nuclear + float(value)

    determinant = energy(densities.spins, hcore)
    name = type(mean_field).__name__
    own = energy(densities.converged, own_hcore)
    agree(name, own, float(mean_field.e_tot))
    if source is mean_field:
        agree(name, determinant, float(source.e_tot))
    core, coulomb_of_core, exchange_of_core = summed(densities.frozen)
    field_of_core = 2 * coulomb_of_core - exchange_of_core
    one_body = window.T @ (hcore + field_of_core) @ window
    matrices = window.T @ exchange[: len(densities.groups)] @ window
    return ExactParts(
        constants=Constants(
            nuclear_repulsion=nuclear,
            frozen_core=float(np.vdot(2 * core, hcore + field_of_core / 2)),
        ),
        one_body=(one_body + one_body.T) / 2,
        exchange=ExactExchange(
            groups=densities.groups,
            matrices=(matrices + matrices.transpose(0, 2, 1)) / 2,
        ),
        determinant=determinant,
    )
