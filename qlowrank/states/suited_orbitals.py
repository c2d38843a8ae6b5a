# SPDX-License-Identifier: Apache-2.0
"""The orbitals in which a ground state needs the fewest states, found by looking and by trying."""

from dataclasses import dataclass

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.states.exact import GroundState
from qlowrank.states.sites import (
    LocalOrbitals,
    OrderedOrbitals,
    SiteOrbitals,
    SplitLocalOrbitals,
)
from qlowrank.states.solve import lowest_determinant

PAIRS_CUT = 1.5
"""Electron pairs that a cut through local orbitals may sever. Chains sever 1.0 to 1.1, rings and
ladders 1.9 to 2, where local orbitals already do worse than others; a triple bond severs 2.6."""

BEST_LEAD = 1e-6
"""Hartree by which a later candidate must be lower than an earlier one: below it they are equal."""


@dataclass(frozen=True, slots=True)
class SuitedOrbitals:
    """Local orbitals for chains, else the molecule's own or those that a first state does best in.

    Orbitals of one atom each entangle little where atoms stand in a line, and much in a molecule
    whose electrons go round: there the Hartree-Fock determinant alone needs more states than its
    correlation does in the molecule's orbitals. So `LocalOrbitals` are taken where no cut through
    them severs more than one and a half of the determinant's electron pairs (`severed_pairs`).
    Elsewhere a ground state of few states a bond is found in each of the `candidates`, and the
    lowest energy decides; without a `trial`, the first of them is taken.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> SuitedOrbitals()(from_example("h2")).round(3)
    array([[ 0.707, -0.707],
           [ 0.707,  0.707]])
    """

    trial: GroundState | None = None
    """How a first state is found, such as `Block2DMRG()`; None to try nothing."""
    max_bond: int = 40
    """Most states of a bond of that state."""
    candidates: tuple[SiteOrbitals, ...] = (OrderedOrbitals(), SplitLocalOrbitals())
    """What is tried."""

    def __post_init__(self) -> None:
        if checks.whole("max_bond", self.max_bond) < 1:
            raise InputError(f"max_bond must be at least 1; got {self.max_bond}.")
        if not self.candidates:
            raise InputError("candidates must be at least one choice of orbitals; got none.")

    def __call__(self, hamiltonian: Hamiltonian) -> Array:
        """Return the orbitals; column k is that of site k.

        Raises:
            KeyboardInterrupt: Interrupted while trying.
        """
        local = LocalOrbitals()(hamiltonian)
        density = lowest_determinant(hamiltonian).spin_densities()
        if severed_pairs(density, local).max(initial=0.0) <= PAIRS_CUT:
            return local
        columns = self.candidates[0](hamiltonian)
        if self.trial is None:
            return columns
        lowest = self._energy(hamiltonian, self.trial, columns)
        for candidate in self.candidates[1:]:
            others = candidate(hamiltonian)
            energy = self._energy(hamiltonian, self.trial, others)
            if energy < lowest - BEST_LEAD:
                columns, lowest = others, energy
        return columns

    def _energy(self, hamiltonian: Hamiltonian, trial: GroundState, columns: Array) -> float:
        """Energy of a state of few states in these orbitals."""
        found = trial(hamiltonian, self.max_bond, None, columns)
        if found.convergence.status == "interrupted":  # it kept its last sweep; we go no further
            raise KeyboardInterrupt
        return found.energy


def severed_pairs(spin_densities: Array, orbitals: Array) -> Array:
    r"""Return, for each cut of a chain of orbitals, the electron pairs of a determinant it severs.

    .. math:: \frac{1}{2 \ln 2} \sum_\sigma \operatorname{tr} h(\gamma^\sigma_{A}), \quad
              h(n) = -n \ln n - (1 - n) \ln (1 - n)

    with :math:`\gamma_A` the one-electron density matrix of the orbitals left of the cut. The sum
    is the entropy of those orbitals in a determinant, exactly; a doubly filled orbital that is
    spread evenly over both sides contributes 2 ln 2.

    Args:
        spin_densities: Of the determinant, shape (2, norb, norb).
        orbitals: Columns are the orbitals of the sites, shape (norb, norb).

    Returns:
        Shape (norb - 1,).

    Source:
        I. Peschel, J. Phys. A 36, L205 (2003).

    >>> filled = np.full((2, 2), 0.5)  # one pair, evenly on two sites
    >>> severed_pairs(np.stack([filled, filled]), np.eye(2))
    array([1.])
    """
    turned = orbitals.T @ spin_densities @ orbitals
    entropies = [
        sum(_entropy(np.linalg.eigvalsh(spin[:cut, :cut])) for spin in turned)
        for cut in range(1, len(orbitals))
    ]
    return np.array(entropies) / (2 * np.log(2))


def _entropy(occupations: Array) -> float:
    """Sum of h(n), nats."""
    inside = occupations[(occupations > 0) & (occupations < 1)]
    return float(-(inside * np.log(inside) + (1 - inside) * np.log1p(-inside)).sum())
