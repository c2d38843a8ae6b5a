# SPDX-License-Identifier: Apache-2.0
"""What is known exactly, from one Coulomb and exchange build of PySCF's."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qlowrank.checks import Array
from qlowrank.integrals.direct.fields import coulomb_and_exchange
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


class _Densities:
    """A list of densities without repetitions."""

    def __init__(self) -> None:
        self.matrices: list[Array] = []

    def add(self, matrix: Array) -> int:
        """Return the position of a density, after adding it if it is new."""
        for position, known in enumerate(self.matrices):
            if np.abs(known - matrix).max(initial=0.0) <= SAME:
                return position
        self.matrices.append(matrix)
        return len(self.matrices) - 1


def exact_parts(source: Any, space: OrbitalSpace) -> ExactParts:
    """Build the fields of core, active orbitals and reference at once, and check the energies.

    Raises:
        InputError: The mean field's energy is not that of its density.
    """
    mean_field, window = space.mean_field, space.window
    groups = orbital_groups(window.shape[1])
    listed = _Densities()
    active = [listed.add(window[:, group] @ window[:, group].T) for group in groups]
    frozen = listed.add(2 * _projector(space, space.core))
    spins = [listed.add(_projector(space, space.core + n)) for n in space.nelec]
    converged = [listed.add(np.asarray(density)) for density in spin_densities(mean_field)]
    densities = np.array(listed.matrices)
    coulomb, exchange = coulomb_and_exchange(mean_field, densities)
    hcore = (mean_field if space.cas is None else space.cas).get_hcore()
    field_of_core = coulomb[frozen] - exchange[frozen] / 2
    nuclear = float(mean_field.energy_nuc())

    def energy(pair: list[int], one_electron: Array) -> float:
        alpha, beta = pair
        total = densities[alpha] + densities[beta]
        both = coulomb[alpha] + coulomb[beta]
        value = np.vdot(total, one_electron) + np.vdot(total, both) / 2
        for spin in pair:
            value -= np.vdot(densities[spin], exchange[spin]) / 2
        return nuclear + float(value)

    determinant = energy(spins, hcore)
    name = type(mean_field).__name__
    agree(name, energy(converged, mean_field.get_hcore()), float(mean_field.e_tot))
    if source is mean_field:
        agree(name, determinant, float(source.e_tot))
    one_body = window.T @ (hcore + field_of_core) @ window
    return ExactParts(
        constants=Constants(
            nuclear_repulsion=nuclear,
            frozen_core=float(np.vdot(densities[frozen], hcore + field_of_core / 2)),
        ),
        one_body=(one_body + one_body.T) / 2,
        exchange=ExactExchange(
            groups=groups, matrices=_symmetric(window.T @ exchange[active] @ window)
        ),
        determinant=determinant,
    )


def _projector(space: OrbitalSpace, n: int) -> Array:
    """Density of one electron in each of the first n orbitals, shape (nao, nao)."""
    filled = space.orbitals[:, :n]
    return np.asarray(filled @ filled.T)


def _symmetric(matrices: Array) -> Array:
    """Remove the rounding that a transformation leaves."""
    return np.asarray((matrices + matrices.transpose(0, 2, 1)) / 2)
