# SPDX-License-Identifier: Apache-2.0
"""Approximate preparation by a few staircases of two-qubit gates."""

from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from scipy import linalg

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.circuits.chain.environments import Environments
from qlowrank.circuits.chain.gates import Gate, Gates, pairs, sequence
from qlowrank.circuits.chain.tensors import Chain, cut, overlap, zeros

SHAKING = 0.01
"""Angles by which gates are turned before they are improved, radians."""

RESTING = 5
"""Rounds over which the gain is looked at."""


@dataclass(frozen=True, slots=True)
class DisentanglingLayers:
    """Staircases of two-qubit gates: each takes out of the chain what two states a bond can hold.

    The best chain of bond dimension two is prepared by one staircase; undoing it leaves a chain
    with less entanglement, which the next one takes on. Then all gates are improved one after the
    other: with all others fixed, the overlap is linear in a gate, and the best orthogonal one is a
    polar factor. Symmetric states hold this iteration in saddle points, so the gates are shaken by
    a small random rotation first. Real gates of determinant one take two CNOTs each, so a layer
    takes two a bond.

    Source:
        S.-J. Ran, Phys. Rev. A 101, 032310 (2020); the improvement as in M. S. Rudolph et al.,
        Quantum Sci. Technol. 9, 015012 (2024).
    """

    n_layers: int = 4
    """Staircases."""
    sweeps: int = 50
    """Most rounds of improvement, each over all gates and back."""
    tolerance: float = 1e-3
    """Stop when five rounds lower the infidelity by less than five times this share of it."""
    seed: int = 0
    """Of the shaking."""
    max_bond: int = 64
    """Most states of a bond kept on the way; larger chains are followed approximately."""

    def __post_init__(self) -> None:
        for name, least in (("n_layers", 1), ("sweeps", 0), ("seed", 0), ("max_bond", 2)):
            if checks.whole(name, getattr(self, name)) < least:
                raise InputError(f"{name} must be at least {least}; got {getattr(self, name)}.")
        checks.positive("tolerance", self.tolerance)

    def __call__(self, tensors: list[Array]) -> Gates:
        """Return the gates for a chain of qubits."""
        target, kept = cut(tensors, self.max_bond)
        length = len(target)
        if length == 1:
            return Gates(sequence(target), kept)
        first = self._disentangle(target)
        best = first, _fidelity(target, first, self.max_bond)
        gates, reached = _shaken(first, np.random.default_rng(self.seed)), [0.0]
        for _ in range(self.sweeps):
            gates, fidelity = self._improve(target, gates)
            best = max(best, (gates, fidelity), key=itemgetter(1))
            reached.append(fidelity)
            rounds = reached[-RESTING:]
            if rounds[-1] - rounds[0] <= RESTING * self.tolerance * (1 - rounds[-1]):
                break
        return Gates(tuple(best[0]), kept * best[1])

    def _disentangle(self, target: Chain) -> list[Gate]:
        """Staircases from chains of bond dimension two, the last found first in time."""
        length = len(target)
        work = target.copy()
        gates: list[Gate] = []
        for _ in range(self.n_layers):
            small, _ = cut(work.tensors, 2)
            layer = pairs(sequence(small), length)
            for gate in reversed(layer):
                work.apply(gate.position, gate.matrix.T, self.max_bond)
            gates = [*layer, *gates]
        return gates

    def _improve(self, target: Chain, gates: list[Gate]) -> tuple[list[Gate], float]:
        """Improve every gate once from the last to the first, and once back."""
        kets = [zeros(len(target))]
        for gate in gates:
            kets.append(_applied(kets[-1], gate, self.max_bond))
        bras = [target]
        better: list[Gate] = []
        environments = Environments()
        for gate, ket in zip(reversed(gates), reversed(kets[:-1]), strict=True):
            best, _ = _best(gate, environments.at(bras[-1], ket, gate.position))
            better.append(best)
            undone = Gate(best.position, best.matrix.T)
            bras.append(_applied(bras[-1], undone, self.max_bond))
        ket, value, found = kets[0], 0.0, []
        for gate, bra in zip(reversed(better), reversed(bras[:-1]), strict=True):
            best, value = _best(gate, environments.at(bra, ket, gate.position))
            found.append(best)
            ket = _applied(ket, best, self.max_bond)
        return found, min(value**2, 1.0)


def _shaken(gates: list[Gate], rng: np.random.Generator) -> list[Gate]:
    """Turn every gate a little."""
    found = []
    for gate in gates:
        noise = SHAKING * rng.standard_normal(gate.matrix.shape)
        found.append(Gate(gate.position, gate.matrix @ linalg.expm(noise - noise.T)))
    return found


def _best(gate: Gate, environment: Array) -> tuple[Gate, float]:
    """The gate of determinant one with the largest ⟨bra|gate|ket⟩, and that value."""
    vectors, values, others = np.linalg.svd(environment)
    if np.linalg.det(vectors) * np.linalg.det(others) < 0:
        vectors[:, -1] *= -1
        values[-1] *= -1
    return Gate(gate.position, vectors @ others), float(values.sum())


def _applied(chain: Chain, gate: Gate, max_bond: int) -> Chain:
    """A copy of a chain with a gate applied."""
    copy = chain.copy()
    copy.apply(gate.position, gate.matrix, max_bond)
    return copy


def _fidelity(target: Chain, gates: list[Gate], max_bond: int) -> float:
    """|⟨target|gates|0…0⟩|²."""
    ket = zeros(len(target))
    for gate in gates:
        ket.apply(gate.position, gate.matrix, max_bond)
    return overlap(target, ket) ** 2
