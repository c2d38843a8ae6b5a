# SPDX-License-Identifier: Apache-2.0
"""Sites in the order in which orbitals that share much information are neighbours."""

from dataclasses import dataclass

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.mps.entanglement import entanglement
from qlowrank.states.exact import GroundState
from qlowrank.states.ground import ground_state_mps
from qlowrank.states.sites import LocalOrbitals, SiteOrbitals, fiedler_order


@dataclass(frozen=True, slots=True)
class InformationOrdered:
    r"""Orbitals of another choice, ordered by the mutual information of a cheap first state.

    A ground state of at most `max_bond` states a bond is found in the orbitals of `orbitals`; the
    Fiedler vector of its mutual information I, the eigenvector of the second lowest eigenvalue of
    the graph Laplacian of I, sorts them anew. It minimises :math:`\sum I_{pq} (x_p - x_q)^2`.

    Source:
        G. Barcza et al., Phys. Rev. A 83, 012508 (2011).

    >>> from qlowrank.hamiltonian.read import from_example
    >>> InformationOrdered()(from_example("h2")).shape
    (2, 2)
    """

    orbitals: SiteOrbitals = LocalOrbitals()  # noqa: RUF009 (frozen)
    """Orbitals to be ordered."""
    max_bond: int = 50
    """Most states of a bond of the first state."""
    method: GroundState | None = None
    """How the first state is found; None leaves it to the size, as `ground_state_mps` does."""

    def __post_init__(self) -> None:
        if checks.whole("max_bond", self.max_bond) < 1:
            raise InputError(f"max_bond must be at least 1; got {self.max_bond}.")

    def __call__(self, hamiltonian: Hamiltonian) -> Array:
        """Return the orbitals; column k is that of site k."""
        first = ground_state_mps(
            hamiltonian, max_bond=self.max_bond, method=self.method, orbitals=self.orbitals
        )
        if first.convergence.status == "interrupted":  # it kept its last sweep; we go no further
            raise KeyboardInterrupt
        shared = entanglement(first.mps).mutual_information
        return first.orbitals[:, fiedler_order(shared)]
