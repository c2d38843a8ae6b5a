# SPDX-License-Identifier: Apache-2.0
"""Which orbitals need a correlated treatment, from their entropies."""

from dataclasses import dataclass, field

import numpy as np

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.mps.entanglement import Entanglement
from qlowrank.mps.sectors import ORBITAL, IntArray


@dataclass(frozen=True, eq=False)
class ActiveSpace:
    """Orbitals and electrons of a suggested active space."""

    orbitals: IntArray = field(metadata={"units": "1", "axes": "orbital"})
    """Sites to keep, rising, shape (n,)."""
    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """(n_alpha, n_beta) in them; each other orbital keeps its most probable state."""
    share: float = field(metadata={"units": "1"})
    """Part of the largest orbital entropy that an orbital needs to be kept."""
    largest_entropy: float = field(metadata={"units": "nat"})
    """The largest orbital entropy, nats; ln 4 = 1.386 is the most there can be."""

    def __post_init__(self) -> None:
        view = np.asarray(self.orbitals, dtype=np.int64).view()
        view.flags.writeable = False
        object.__setattr__(self, "orbitals", view)

    def __repr__(self) -> str:
        """Say which orbitals."""
        return (
            f"ActiveSpace({sum(self.nelec)} electrons in orbitals "
            f"{', '.join(map(str, self.orbitals))})"
        )

    @property
    def sentence(self) -> str:
        """What is suggested and why, in plain words."""
        n_alpha, n_beta = self.nelec
        listed = ", ".join(map(str, self.orbitals.tolist()))
        return (
            f"CAS({n_alpha + n_beta}, {len(self.orbitals)}) of orbitals {listed}: their entropies "
            f"are at least {self.share:.0%} of the largest, {self.largest_entropy:.3f} nats."
        )


def suggest_active_space(found: Entanglement, *, plateau: float = 0.1) -> ActiveSpace:
    r"""Choose the orbitals whose entropies stand out from the rest.

    Orbitals are ranked by S_i / max S. Raising a threshold from 0 to 1 removes one after the other;
    where the threshold can rise by `plateau` without removing any, those that are left belong
    together. The first such plateau, which keeps the most orbitals, is taken; without one, orbitals
    with at least `plateau` of the largest entropy. A rule of thumb, not a proof: look at the
    entropies, and give it a wavefunction of more orbitals than it should keep.

    Args:
        found: Entropies of a chain of spatial orbitals.
        plateau: Length of a plateau as a part of the largest entropy, above 0 and below 1.

    Raises:
        InputError: Sites that are no spatial orbitals, no entanglement at all, a bad `plateau`.

    Source:
        The threshold diagrams of Stein and Reiher, J. Chem. Theory Comput. 12, 1760 (2016).

    >>> import qlowrank as ql
    >>> state = ql.fci_state(ql.from_example("h2", basis="6-31g"))
    >>> mps = ql.mps_from_ci(state.vector, state.norb, state.nelec)
    >>> print(ql.suggest_active_space(ql.entanglement(mps)).sentence)
    CAS(2, 3) of orbitals 0, 1, 3: their entropies are at least 41% of the largest, 0.136 nats.
    """
    plateau = checks.positive("plateau", plateau)
    if plateau >= 1:  # a share of the largest
        raise InputError(f"plateau must be below 1, a part of the largest entropy; got {plateau}.")
    if found.site_states.shape[1] != len(ORBITAL) or found.nelec == (0, 0):
        raise InputError("An active space needs the entropies of spatial orbitals.")
    entropies = np.maximum(found.orbital_entropies, 0.0)
    largest = float(entropies.max())
    if largest < 1e-12:  # rounding
        raise InputError("No orbital is entangled: one determinant describes this state.")
    ranked = np.sort(np.append(entropies / largest, 0.0))
    gaps = np.flatnonzero(np.diff(ranked) >= plateau)
    share = float(ranked[gaps[0] + 1]) if gaps.size else plateau
    kept = entropies >= share * largest * (1 - 1e-12)
    fixed = np.array(ORBITAL)[found.site_states[~kept].argmax(axis=1)].reshape(-1, 2).sum(axis=0)
    return ActiveSpace(
        orbitals=np.flatnonzero(kept),
        nelec=(found.nelec[0] - int(fixed[0]), found.nelec[1] - int(fixed[1])),
        share=share,
        largest_entropy=largest,
    )
