# SPDX-License-Identifier: Apache-2.0
"""How much of a wavefunction is correlation, and between which orbitals."""

from dataclasses import dataclass, field

import numpy as np
from opt_einsum import contract

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.lowrank.groups import AffinityGroups, affinity_groups
from qlowrank.mps.arithmetic import scale_mps
from qlowrank.mps.compress import sweep
from qlowrank.mps.cuts import Allowance
from qlowrank.mps.record import MPS
from qlowrank.mps.reduced import pair_density, site_density


@dataclass(frozen=True, eq=False)
class Entanglement:
    r"""Entropies of a normalised MPS, in nats. Make one with `ql.entanglement`."""

    schmidt_values: tuple[Array, ...] = field(metadata={"units": "1", "axes": "state"})
    """Singular values of the wavefunction at each inner bond, largest first; squares sum to 1."""
    site_states: Array = field(metadata={"units": "1", "axes": "site,state"})
    """Probability of each physical state of each site, shape (n_sites, d); for orbitals empty,
    alpha, beta, both."""
    orbital_entropies: Array = field(metadata={"units": "nat", "axes": "site"})
    """S_i, shape (n_sites,)."""
    pair_entropies: Array = field(metadata={"units": "nat", "axes": "site,site"})
    """S_ij of sites i and j together, shape (n_sites, n_sites); S_i on the diagonal."""
    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """(n_alpha, n_beta); (0, 0) where sites are not orbitals."""
    discarded_weight: float = field(metadata={"units": "1"})
    """Squared norm that `bond_dimensions` allow each bond to lose."""

    def __post_init__(self) -> None:
        n_sites = len(self.orbital_entropies)
        values = tuple(checks.readonly("schmidt_values", v, (len(v),)) for v in self.schmidt_values)
        object.__setattr__(self, "schmidt_values", values)
        if len(values) != n_sites - 1:
            raise InputError(f"schmidt_values must have {n_sites - 1} arrays; got {len(values)}.")
        dimension = np.shape(self.site_states)[-1]
        for name, shape in {
            "site_states": (n_sites, dimension),
            "orbital_entropies": (n_sites,),
            "pair_entropies": (n_sites, n_sites),
        }.items():
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))
        object.__setattr__(self, "discarded_weight", _weight(self.discarded_weight))

    def __repr__(self) -> str:
        """Say how large the entropies get."""
        return (
            f"Entanglement({self.n_sites} sites, bond entropies up to "
            f"{self.bond_entropies.max(initial=0.0):.4f} nat, bond dimensions up to "
            f"{max(self.bond_dimensions, default=1)} at a discarded weight of "
            f"{self.discarded_weight:.0e})"
        )

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return len(self.orbital_entropies)

    @property
    def bond_entropies(self) -> Array:
        """Entropy between the two sides of each inner bond, shape (n_sites - 1,), nats."""
        return np.array([float(entropy(values**2)) for values in self.schmidt_values])

    @property
    def mutual_information(self) -> Array:
        r"""I_ij = S_i + S_j - S_ij, shape (n_sites, n_sites), nats, zero on the diagonal.

        Without the factor ½ that part of the literature puts in front.
        """
        single = self.orbital_entropies
        shared = single[:, None] + single[None, :] - self.pair_entropies
        np.fill_diagonal(shared, 0.0)
        return np.maximum(shared, 0.0)

    def groups(self, n_groups: int, *, seed: int = 0) -> AffinityGroups:
        """Name groups of sites that share information among themselves: bonds, shells, pairs.

        They are the non-negative parts of the mutual information; see `ql.affinity_groups`.

        Args:
            n_groups: Number of groups, from 1 to n_sites.
            seed: Of the starts.

        Raises:
            InputError: No group, or more groups than sites.

        >>> import qlowrank as ql
        >>> state = ql.fci_state(ql.from_example("lih"))
        >>> found = ql.entanglement(ql.mps_from_ci(state.vector, state.norb, state.nelec))
        >>> found.groups(2).weights.shape
        (6, 2)
        """
        return affinity_groups(self.mutual_information, n_groups, seed=seed)

    @property
    def bond_dimensions(self) -> tuple[int, ...]:
        """States that each bond needs at `discarded_weight`."""
        return self.bond_dimensions_at(self.discarded_weight)

    def bond_dimensions_at(self, discarded_weight: float) -> tuple[int, ...]:
        """States that each bond needs if it may lose this squared norm.

        Cutting all bonds so loses at most the sum over bonds, `len(schmidt_values)` times as much.

        Raises:
            InputError: A weight below 0.
        """
        weight = _weight(discarded_weight)
        found = []
        for values in self.schmidt_values:
            tails = np.cumsum(values[::-1] ** 2)
            dropped = min(int(np.searchsorted(tails, weight, side="right")), len(values) - 1)
            found.append(len(values) - dropped)
        return tuple(found)

    @property
    def sentence(self) -> str:
        """What the numbers say, in plain words."""
        bonds = self.bond_entropies
        if not self.schmidt_values or bonds.max() < _NOTHING:
            return "The sites are not entangled: the wavefunction is a product of their states."
        bond = int(np.argmax(bonds))
        shared = self.mutual_information
        i, j = np.unravel_index(int(np.argmax(shared)), shared.shape)
        return (
            f"The cut between sites {bond} and {bond + 1} carries the most entanglement, "
            f"{bonds[bond]:.3f} nats, as much as {np.exp(bonds[bond]):.1f} equally weighted states "
            f"would; a bond dimension of {max(self.bond_dimensions)} keeps all but "
            f"{self.discarded_weight:.0e} of the norm squared at every cut. Sites {i} and {j} "
            f"share the most information, {shared[i, j]:.3f} nats."
        )


_NOTHING = 1e-12
"""Entropy below which a state is a product, nats."""


def entanglement(mps: MPS, *, discarded_weight: float = 1e-10) -> Entanglement:
    r"""Compute entropies of bonds, of orbitals and of pairs of orbitals.

    .. math:: S = -\sum_k p_k \ln p_k, \qquad I_{ij} = S_i + S_j - S_{ij}

    The p_k are squared Schmidt values for a bond and eigenvalues of the density matrix for one or
    two sites. In a two-orbital density matrix, operators of the second orbital stand next to those
    of the first, so fermionic signs of the orbitals between are in it. The MPS is normalised first;
    what was cut from it before is in its `discarded_weights`.

    Args:
        mps: Sites of one dimension; orbitals, spin orbitals or others.
        discarded_weight: Squared norm each bond may lose in `bond_dimensions`.

    Raises:
        InputError: Sites of different dimensions, or a norm of zero.

    Source:
        Rissler, Noack and White, Chem. Phys. 323, 519 (2006); Boguslawski and Tecmer, Int. J.
        Quantum Chem. 115, 1289 (2015), where I has a factor ½.

    >>> import qlowrank as ql
    >>> state = ql.fci_state(ql.from_example("h2"))
    >>> found = ql.entanglement(ql.mps_from_ci(state.vector, state.norb, state.nelec))
    >>> found.bond_dimensions
    (2,)
    >>> bool(abs(found.bond_entropies[0] - found.orbital_entropies[0]) < 1e-12)
    True
    """
    if len({len(site) for site in mps.sites}) != 1:
        raise InputError(
            "Entropies of sites need sites of one dimension; got "
            f"{sorted({len(site) for site in mps.sites})}."
        )
    size = mps.norm()
    if size == 0:
        raise InputError("The MPS is zero; a vector without norm has no entropies.")
    swept = sweep(scale_mps(mps, 1 / size), Allowance(0.0, mps.n_sites - 1, None))
    states = site_density(swept.mps)
    single = entropy(_eigenvalues(states))
    double = np.diag(single)
    upper = np.triu_indices(mps.n_sites, 1)
    double[upper] = entropy(_eigenvalues(pair_density(swept.mps)[upper]))
    double.T[upper] = double[upper]
    return Entanglement(
        schmidt_values=tuple(
            np.sort(np.concatenate(list(values.values())))[::-1] for values in swept.values
        ),
        site_states=contract("kss->ks", states),
        orbital_entropies=single,
        pair_entropies=double,
        nelec=mps.nelec if len(mps.charge) == 2 else (0, 0),  # (n_alpha, n_beta)
        discarded_weight=discarded_weight,
    )


def entropy(probabilities: Array) -> Array:
    """-Σ p ln p over the last axis; rounding below zero counts as zero."""
    positive = np.where(probabilities > 0, probabilities, 1.0)
    return np.asarray(np.maximum(0.0 - (positive * np.log(positive)).sum(axis=-1), 0.0))


def _eigenvalues(matrices: Array) -> Array:
    """Eigenvalues of symmetric matrices."""
    return np.asarray(np.linalg.eigvalsh(matrices), dtype=np.float64)


def _weight(value: float) -> float:
    """Return a squared norm, zero or more."""
    number = checks.finite("discarded_weight", value)
    if number < 0:
        raise InputError(f"discarded_weight must be at least 0; got {number:g}.")
    return number
