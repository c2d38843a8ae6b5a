# SPDX-License-Identifier: Apache-2.0
"""Slater determinants: the shortest Givens network that prepares one, and its circuit."""

from typing import TYPE_CHECKING, Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array
from qlowrank.circuits.elimination import clear
from qlowrank.circuits.frames import orthogonal
from qlowrank.circuits.network import GivensNetwork, network_in_layers
from qlowrank.circuits.rotation import append_rotations
from qlowrank.circuits.staircase import staircase

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def determinant_circuit(orbitals: Any, nelec: tuple[int, int]) -> "QuantumCircuit":
    r"""Prepare the Slater determinant of the first columns of `orbitals`.

    .. math::
        |\Phi\rangle = \prod_{k < n_\alpha} \tilde a^\dagger_{k\alpha}
        \prod_{k < n_\beta} \tilde a^\dagger_{k\beta} |\text{vac}\rangle, \qquad
        \tilde a^\dagger_{k\sigma} = \sum_p C_{pk} a^\dagger_{p\sigma}

    X gates on the first n_alpha and n_beta qubits of the two spin blocks, then for each spin the
    rotations that `determinant_rotations` finds. The sign of the state is kept (as a global
    phase). If the first columns are the first computational orbitals, in any mixture among
    themselves, X gates are all there is.

    Args:
        orbitals: C, shape (norb, norb), orthogonal, the same for both spins.
        nelec: (n_alpha, n_beta).

    Returns:
        Circuit on 2 norb qubits, qubit p alpha orbital p, qubit norb + p beta orbital p
        (Jordan-Wigner), of `x` and `xx_plus_yy` gates.

    Raises:
        InputError: `orbitals` is not orthogonal, or the electrons do not fit.

    >>> circuit = determinant_circuit([[0.6, -0.8], [0.8, 0.6]], (1, 0))
    >>> dict(circuit.count_ops())
    {'x': 1, 'xx_plus_yy': 1}
    """
    from qiskit import QuantumCircuit

    orbitals = orthogonal("orbitals", orbitals)
    norb = len(orbitals)
    circuit = QuantumCircuit(2 * norb, name="determinant")
    for block, n_occupied in zip((0, norb), checks.electrons(nelec, norb), strict=True):
        network = determinant_rotations(orbitals, n_occupied)
        for qubit in range(block, block + n_occupied):
            circuit.x(qubit)
        if network.signs.prod() < 0:
            circuit.global_phase += np.pi
        append_rotations(circuit, block, network.modes[::-1], network.angles[::-1])
    return circuit


def determinant_rotations(orbitals: Array, n_occupied: int) -> GivensNetwork:
    r"""Find the network that carries the first modes into the space of the first orbitals.

    A determinant knows the space of its orbitals only, and a sign. So they are first mixed among
    themselves to a staircase of zeros; the sign is put back at the end:

    .. code-block:: text

        x x        each column is then cleared, first column first, from the bottom of its
        x x        stair up to its row on the diagonal
        x x
        0 x

    This takes n (norb - n) rotations in norb - 1 layers for n orbitals in general position, and
    fewer where the stair is lower, down to none for the space of the first n modes.

    Args:
        orbitals: C, shape (norb, norb), orthogonal.
        n_occupied: How many columns are occupied.

    Returns:
        The network V. Its first `n_occupied` columns are those of C up to a mixture of
        determinant +1, so V makes the same determinant; only the first sign is ever -1.

    Source:
        Z. Jiang et al., Phys. Rev. Appl. 9, 044036 (2018); the staircase is a Schubert cell, and
        the rotations as many as its dimension.
    """
    occupied = orbitals[:, :n_occupied]
    rest = staircase(occupied)
    rotations: list[tuple[int, float]] = []
    for column in range(n_occupied):
        for row in range(len(rest) - 1, column, -1):
            rotations += clear(rest, row, against=row - 1, column=column)
    plus = network_in_layers(rotations, np.ones(len(orbitals)))
    if np.linalg.det(plus.matrix()[:, :n_occupied].T @ occupied) > 0:
        return plus
    signs = np.where(np.arange(len(orbitals)) == 0, -1.0, 1.0)
    return GivensNetwork(modes=plus.modes, angles=plus.angles, signs=signs)
