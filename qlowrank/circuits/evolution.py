# SPDX-License-Identifier: Apache-2.0
"""Time evolution by a product formula of layers, with one rotation between neighbouring ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.circuits.givens import givens_rotations
from qlowrank.circuits.layer import EvolutionLayer, append_evolution
from qlowrank.circuits.network import GivensNetwork, Indices
from qlowrank.circuits.product_formula import product_formula
from qlowrank.circuits.readout import readout_network
from qlowrank.circuits.rotation import append_rotations

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

START = -1
"""Stands for the computational orbitals, where a circuit begins and ends."""


def evolution_circuit(
    layers: Sequence[EvolutionLayer],
    *,
    time: float,
    steps: int = 1,
    order: int = 2,
    constant: float = 0.0,
) -> "QuantumCircuit":
    r"""Evolve in time by a product formula: the circuit is exactly that product, phase included.

    .. math:: e^{-iHt} \approx \Big( S_\text{order}(t / \text{steps}) \Big)^\text{steps}, \qquad
              H = c + \sum_l \mathcal{U}(U_l) \, H_l \, \mathcal{U}(U_l)^\dagger

    From one frame to the next there is one network, not two: the rotations out of the first and
    into the second are one orthogonal matrix. A layer that knows only r of its rotated orbitals
    leaves the others free, and they are left where they are: r (n - r) + r (r - 1) / 2 rotations
    of n orbitals for each spin, both spins at the same time. In a symmetric formula the way back
    runs the same networks backwards.

    Args:
        layers: Operators that are diagonal in a frame each, of equal size.
        time: Time in all, 1/Hartree; negative runs backwards.
        steps: Equal steps.
        order: 1 or an even number; see `product_formula`.
        constant: c, Hartree; a global phase.

    Returns:
        Circuit on 2 norb qubits, qubit p alpha orbital p, qubit norb + p beta orbital p
        (Jordan-Wigner), of `p`, `cp`, `xx_plus_yy` and `z` gates.

    Raises:
        InputError: No layers, layers of different size, or as for `product_formula`.

    Source:
        M. Motta et al., npj Quantum Inf. 7, 83 (2021) (arXiv:1808.02625).

    >>> hop = EvolutionLayer([[0.6, 0.8], [0.8, -0.6]], [1.0, 2.0], np.zeros((2, 2)))
    >>> repel = EvolutionLayer(np.eye(2), [0.0, 0.0], np.diag([0.5, 0.5]))
    >>> circuit = evolution_circuit([hop, repel], time=0.1)
    >>> dict(circuit.count_ops())
    {'p': 12, 'xx_plus_yy': 8, 'cp': 2}
    """
    from qiskit import QuantumCircuit

    kept = _checked(layers)
    norb = layers[0].norb
    route = _Route(kept, norb)
    circuit = QuantumCircuit(2 * norb, name="evolution")
    circuit.global_phase = -checks.finite("constant", constant) * checks.finite("time", time)
    here = START
    for there, duration in product_formula(len(kept), time=time, steps=steps, order=order):
        route.append(circuit, here, there)
        append_evolution(circuit, kept[there], duration, route.modes[there])
        here = there
    route.append(circuit, here, START)
    return circuit


def _checked(layers: Sequence[EvolutionLayer]) -> list[EvolutionLayer]:
    """Return the layers that do anything; refuse none at all, or such as do not belong together."""
    if not layers:
        raise InputError("evolution needs at least one layer; got none.")
    sizes = sorted({layer.norb for layer in layers})
    if len(sizes) > 1:
        raise InputError(f"All layers must have the same number of orbitals; got {sizes}.")
    return [layer for layer in layers if layer.needed.any()]


@dataclass(frozen=True, slots=True)
class _Turn:
    """Rotations that lead from one frame to another, first in time first, then signs."""

    modes: Indices
    angles: Array
    signs: Array

    def append(self, circuit: "QuantumCircuit") -> None:
        """Append to both spin blocks."""
        norb = len(self.signs)
        for block in (0, norb):
            append_rotations(circuit, block, self.modes, self.angles)
            for mode in np.flatnonzero(self.signs < 0):
                circuit.z(block + int(mode))


class _Route:
    """The frames in which the circuit stands, layer by layer, and the ways between them.

    In frame F, qubit k carries the orbital of F's column k, and a way from F to F' applies
    𝒰(FᵀF')†. Each frame has the needed columns of its layer, somewhere and up to signs; what else
    it has is what the frame before it had.
    """

    def __init__(self, layers: Sequence[EvolutionLayer], norb: int) -> None:
        self.frames: dict[int, Array] = {START: np.eye(norb)}
        self.modes: list[Indices] = []
        self._forward: list[GivensNetwork] = []
        for number, layer in enumerate(layers):
            before = self.frames[number - 1]
            found = readout_network(_orthonormal(before.T @ layer.frame), needed=layer.needed)
            self.frames[number] = before @ found.network.matrix()
            self._forward.append(found.network)
            self.modes.append(found.modes)

    def append(self, circuit: "QuantumCircuit", here: int, there: int) -> None:
        """Append the way between two frames."""
        self._turn(here, there).append(circuit)

    def _turn(self, here: int, there: int) -> _Turn:
        """Find the way: forwards, backwards, or across."""
        norb = len(self.frames[START])
        ones = np.ones(norb)
        if there == here + 1:
            network = self._forward[there]
            return _Turn(network.modes, -network.angles, ones)
        if here == there + 1:
            network = self._forward[here]
            return _Turn(network.modes[::-1], network.angles[::-1], ones)
        across = givens_rotations(_orthonormal(self.frames[here].T @ self.frames[there]))
        return _Turn(across.modes, -across.angles, across.signs)


def _orthonormal(matrix: Array) -> Array:
    """Square the distance from orthogonality, which products let grow step by step."""
    return np.asarray(matrix @ (3 * np.eye(len(matrix)) - matrix.T @ matrix) / 2)
