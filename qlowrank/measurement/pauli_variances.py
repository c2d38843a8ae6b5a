# SPDX-License-Identifier: Apache-2.0
"""What groups of Pauli strings cost in a full-CI state: exact means and variances."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.measurement.pauli import PauliSum
from qlowrank.measurement.pauli_groups import PauliGroups
from qlowrank.states.fci import FCIState


@dataclass(frozen=True, eq=False)
class PauliBaseline:
    """Pauli groups with their means and variances: what orbital rotations are compared with.

    Make one with `pauli_group_variances`. Circuit costs are not counted: qubit-wise groups need no
    two-qubit gate, commuting ones a Clifford circuit each.
    """

    groups: PauliGroups
    """Which strings are measured together."""
    state: str
    """Which state priced them: "fci"."""
    means: Array = field(metadata={"units": "hartree", "axes": "group"})
    """⟨G_g⟩, shape (n_groups,), Hartree."""
    variances: Array = field(metadata={"units": "hartree^2", "axes": "group"})
    """Var(G_g), all covariances inside a group counted, shape (n_groups,), Hartree²."""

    def __post_init__(self) -> None:
        shape = (self.groups.n_groups,)
        for name in ("means", "variances"):
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))

    @property
    def n_groups(self) -> int:
        """Number of different circuits to run."""
        return self.groups.n_groups

    @property
    def epsilon2_shots(self) -> float:
        """(Σ_g sqrt(Var G_g))², Hartree²: precision² times the least number of shots."""
        return float(np.sqrt(self.variances).sum() ** 2)

    @property
    def predicted_energy(self) -> float:
        """Energy of the pricing state, Hartree."""
        return self.groups.terms.constant + float(self.means.sum())

    def __repr__(self) -> str:
        """Say what it costs."""
        return (
            f"PauliBaseline({self.n_groups} {self.groups.method} groups, "
            f"eps²M = {self.epsilon2_shots:.6g} Hartree² from {self.state})"
        )


def pauli_group_variances(
    groups: PauliGroups, state: FCIState, *, max_memory: float | None = None
) -> PauliBaseline:
    r"""Return mean and variance of every group in a full-CI state, exactly.

    .. math:: \mathrm{Var}(G) = \lVert (G - \langle G \rangle) \psi \rVert^2, \qquad
              P(x, z) |b\rangle = i^{|x \wedge z|} (-1)^{|z \wedge b|} |b \oplus x\rangle

    Strings with one x mask act as a single permutation behind a single diagonal, which is a sum
    of products of alpha and beta signs. Single strings leave the sector (n_alpha, n_beta), so
    images live in the space of all qubits; only the state itself stays in its sector.

    Args:
        groups: From `group_qubit_wise` or `group_fully_commuting`.
        state: A full-CI state of the same orbitals and electrons.
        max_memory: Bytes the work may take; the machine's free memory by default.

    Raises:
        InputError: A state of other orbitals or electrons, or more qubits than fit in memory.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.measurement.pauli import pauli_terms
    >>> from qlowrank.measurement.pauli_groups import group_qubit_wise
    >>> from qlowrank.states import fci_state
    >>> hamiltonian = from_example("h2")
    >>> pauli_group_variances(group_qubit_wise(pauli_terms(hamiltonian)), fci_state(hamiltonian))
    PauliBaseline(5 qubit-wise groups, eps²M = 0.136448 Hartree² from fci)
    """
    terms = groups.terms
    if (state.norb, state.nelec) != (terms.norb, terms.nelec):
        raise InputError(
            f"The state has {state.norb} orbitals and nelec {state.nelec}; the Pauli terms have "
            f"{terms.norb} and {terms.nelec}. Make the state from the same Hamiltonian."
        )
    _check_memory(state, max_memory)
    alpha, beta = _strings(state)
    image = np.zeros((1 << state.norb,) * 2)
    means, variances = np.zeros(groups.n_groups), np.zeros(groups.n_groups)
    for label, runs in _groups_by_x(groups):
        places = [np.ix_(alpha, beta)]
        for run in runs:
            x_alpha, x_beta = terms.x_masks[run[0]]
            places.append(np.ix_(alpha ^ x_alpha, beta ^ x_beta))
            image[places[-1]] += _diagonal(terms, run, alpha, beta) * state.vector
        means[label] = np.sum(state.vector * image[places[0]])
        image[places[0]] -= means[label] * state.vector
        for place in places:  # places overlap: what was counted is cleared
            part = image[place]
            variances[label] += np.sum(part**2)
            image[place] = 0.0
    return PauliBaseline(groups=groups, state=state.label, means=means, variances=variances)


def jordan_wigner_vector(state: FCIState, *, max_memory: float | None = None) -> Array:
    """Return the amplitudes of all 4**norb qubit states, alpha orbitals on the first qubits.

    A determinant is a†_α… a†_β… on the vacuum, orbitals ascending within each spin. In block order
    that is the order of the qubits as well, so no sign appears: amplitude [a + b · 2**norb] is the
    CI coefficient of alpha string a and beta string b.

    Args:
        state: A full-CI state.
        max_memory: Bytes the vector may take; the machine's free memory by default.

    Raises:
        InputError: It would not fit; the message says how much it needs.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.states import fci_state
    >>> import numpy as np
    >>> np.flatnonzero(np.abs(jordan_wigner_vector(fci_state(from_example("h2")))) > 0.1)
    array([ 5, 10])
    """
    _check_memory(state, max_memory)
    alpha, beta = _strings(state)
    vector = np.zeros((1 << state.norb,) * 2)
    vector[np.ix_(beta, alpha)] = state.vector.T
    return vector.ravel()


def _check_memory(state: FCIState, max_memory: float | None) -> None:
    """Refuse more qubits than the memory holds."""
    checks.fits(
        f"A vector of {2 * state.norb} qubits",
        8.0 * 4**state.norb + 8.0 * 6 * state.vector.size,
        max_memory,
        "Choose a smaller active space.",
    )


def _strings(state: FCIState) -> tuple[np.ndarray, np.ndarray]:
    """Occupations behind rows and columns of the CI vector as bit masks."""
    alpha, beta = (
        (occupations.astype(np.uint64) << np.arange(state.norb, dtype=np.uint64)).sum(
            axis=1, dtype=np.uint64
        )
        for occupations in state.occupations()
    )
    return alpha, beta


def _groups_by_x(groups: PauliGroups) -> Iterator[tuple[int, list[np.ndarray]]]:
    """Each group's terms, cut into runs that share their x mask."""
    terms = groups.terms
    order = np.lexsort((terms.x_masks[:, 0], terms.x_masks[:, 1], groups.labels))
    labels, x_masks = groups.labels[order], terms.x_masks[order]
    new_run = (labels[1:] != labels[:-1]) | (x_masks[1:] != x_masks[:-1]).any(axis=1)
    starts = np.flatnonzero(np.concatenate([[terms.n_terms > 0], new_run]))
    runs = np.split(order, starts[1:]) if len(starts) else []
    for label, members in groupby(runs, key=lambda run: int(groups.labels[run[0]])):
        yield label, list(members)


def _diagonal(terms: PauliSum, run: np.ndarray, alpha: np.ndarray, beta: np.ndarray) -> Array:
    """Σ_j c_j i^|x∧z| (−1)^|z∧b| over the terms of a run, shape (alpha strings, beta strings)."""
    z_masks = terms.z_masks[run]
    n_y = np.bitwise_count(terms.x_masks[run] & z_masks).sum(axis=1, dtype=np.int64)
    weights = terms.coefficients[run] * (1 - n_y % 4)
    signs_alpha, signs_beta = (
        1.0 - 2.0 * (np.bitwise_count(z_masks[:, spin, None] & strings) & 1)
        for spin, strings in enumerate((alpha, beta))
    )
    return np.asarray((weights[:, None] * signs_alpha).T @ signs_beta)
