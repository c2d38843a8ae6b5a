# SPDX-License-Identifier: Apache-2.0
"""Repeated measurement of Pauli groups, drawn from the exact distribution of every group."""

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.measurement.pauli_groups import INTERLEAVED, PauliGroups, reordering_signs
from qlowrank.measurement.pauli_readout import pauli_readout
from qlowrank.measurement.pauli_variances import jordan_wigner_vector
from qlowrank.measurement.simulate import SimulatedExperiments, draw_means
from qlowrank.states.fci import FCIState


def simulate_pauli_measurement(
    groups: PauliGroups,
    shots: np.ndarray,
    state: FCIState,
    *,
    repetitions: int,
    rng: np.random.Generator,
) -> SimulatedExperiments:
    """Measure Pauli groups on a state, many times over, without noise.

    Each group's circuit is applied to the state's vector on all qubits, so this is for small
    molecules: `2 ** (2 norb)` amplitudes for every group.

    Args:
        groups: From `group_qubit_wise` or `group_fully_commuting`.
        shots: Of each group, at least 2, shape (n_groups,).
        state: The state being measured.
        repetitions: How many independent experiments, at least 2.
        rng: Source of all randomness.

    Raises:
        InputError: Another number of orbitals or electrons, shots that do not fit, or fewer than
            two repetitions.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.measurement.allocation import allocate_shots
    >>> from qlowrank.measurement.pauli import pauli_terms
    >>> from qlowrank.measurement.pauli_groups import group_qubit_wise
    >>> from qlowrank.measurement.pauli_variances import pauli_group_variances
    >>> from qlowrank.states import fci_state
    >>> state = fci_state(from_example("h2"))
    >>> groups = group_qubit_wise(pauli_terms(from_example("h2")))
    >>> shots = allocate_shots(pauli_group_variances(groups, state).variances, precision=1e-2)
    >>> runs = simulate_pauli_measurement(
    ...     groups, shots, state, repetitions=2000, rng=np.random.default_rng(1)
    ... )
    >>> round(runs.empirical_standard_error / 1e-2, 1)
    1.0
    """
    from qiskit.quantum_info import Statevector

    terms = groups.terms
    if checks.whole("repetitions", repetitions) < 2:
        raise InputError(f"repetitions must be at least 2; got {repetitions}.")
    if (state.norb, state.nelec) != (terms.norb, terms.nelec):
        raise InputError(
            f"The state has {state.norb} orbitals and nelec {state.nelec}; the Pauli terms have "
            f"{terms.norb} and {terms.nelec}. Make the state from the same Hamiltonian."
        )
    counts = checks.counts("shots", shots, (groups.n_groups,))
    if (counts < 2).any():
        raise InputError(f"Every group needs at least 2 shots; got {counts.min()}.")
    vector = Statevector(_qubit_vector(groups, state))
    outcomes = np.arange(len(vector.data), dtype=np.uint64)
    energies = np.full(repetitions, terms.constant)
    squared_errors = np.zeros(repetitions)
    for group, number in enumerate(counts):
        readout = pauli_readout(groups, group)
        probabilities = vector.evolve(readout.circuit).probabilities()
        likely = np.flatnonzero(probabilities > np.finfo(float).eps ** 2)
        bits = (outcomes[likely, None] >> np.arange(2 * terms.norb, dtype=np.uint64)) & np.uint64(1)
        values, weights = _merged(readout.values(bits.astype(bool)), probabilities[likely])
        means, variances = draw_means(values, weights, int(number), repetitions, rng)
        energies += means
        squared_errors += variances / number
    return SimulatedExperiments(energies=energies, standard_errors=np.sqrt(squared_errors))


def _qubit_vector(groups: PauliGroups, state: FCIState) -> Array:
    """Amplitudes of all qubit states, in the order of qubits that the groups were made in."""
    vector = jordan_wigner_vector(state)
    if groups.method != INTERLEAVED:
        return vector
    norb = state.norb
    bits = (np.arange(1 << norb)[:, None] >> np.arange(norb)) & 1
    signs = reordering_signs(bits[None, :, :], bits[:, None, :])  # [beta string, alpha string]
    tensor = (vector.reshape(signs.shape) * signs).reshape((2,) * (2 * norb))
    # axes: beta norb-1 … beta 0, alpha norb-1 … alpha 0; wanted: beta norb-1, alpha norb-1, …
    order = [axis for p in range(norb) for axis in (p, norb + p)]
    return np.ascontiguousarray(tensor.transpose(order)).ravel()


def _merged(values: Array, probabilities: Array) -> tuple[Array, Array]:
    """Add up the probabilities of outcomes with the same value, up to rounding."""
    scale = np.abs(values).max(initial=1.0) * 1e-12
    distinct, inverse = np.unique(np.round(values / scale), return_inverse=True)
    merged = np.zeros(len(distinct))
    np.add.at(merged, inverse, probabilities)
    return np.asarray(distinct * scale), merged
