# SPDX-License-Identifier: Apache-2.0
"""Trotter circuits from leaves: each leaf evolves by phases in its own frame."""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from qlowrank.checks import Array
from qlowrank.circuits.evolution import evolution_circuit
from qlowrank.circuits.layer import EvolutionLayer

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


class Leaves(Protocol):
    """What a factorization has to say about itself to be evolved: a sum of leaves with cores."""

    @property
    def constant(self) -> float:
        """Hartree."""
        ...

    @property
    def one_body(self) -> Array:
        """One-body part beside the leaves, shape (norb, norb), symmetric, Hartree."""
        ...

    @property
    def leaves(self) -> Array:
        """U, shape (n_leaves, norb, norb), orthogonal."""
        ...

    @property
    def cores(self) -> Array:
        """Z, shape (n_leaves, norb, norb), symmetric, Hartree."""
        ...


def trotter_circuit(
    factorization: Leaves, *, time: float, steps: int = 1, order: int = 2
) -> "QuantumCircuit":
    r"""Evolve in time by a product formula of the leaves of a factorization.

    .. math:: e^{-iHt} \approx \Big( S_\text{order}(t / \text{steps}) \Big)^\text{steps}, \qquad
              H = E_0 + \hat E(\kappa) + \tfrac12 \sum_t \sum_{kl} Z^t_{kl}
              \tilde n^t_k \tilde n^t_l

    The one-body part acts first (and, in a symmetric formula, last), in the frame of its
    eigenvectors; then the leaves in their order. The error falls as the time step to the power
    `order` for a fixed time. `qlowrank.circuits.circuit_cost` counts gates and depth.

    Args:
        factorization: A `DoubleFactorization`, or another of its family.
        time: t, 1/Hartree (ħ = 1); negative runs backwards.
        steps: Equal steps.
        order: 1 or an even number.

    Returns:
        Circuit on 2 norb qubits, qubit p alpha orbital p, qubit norb + p beta orbital p
        (Jordan-Wigner), of `p`, `cp`, `xx_plus_yy` and `z` gates; its global phase is exact.

    Raises:
        InputError: A time that is not finite, no steps, or an order that is neither 1 nor even.

    Source:
        M. Motta et al., npj Quantum Inf. 7, 83 (2021) (arXiv:1808.02625); M. Suzuki, J. Math. Phys.
        32, 400 (1991).

    >>> from qlowrank.circuits import circuit_cost
    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> circuit = trotter_circuit(double_factorize(from_example("h2")), time=0.1, order=1)
    >>> circuit_cost(circuit).two_qubit_count
    17
    """
    return evolution_circuit(
        trotter_layers(factorization),
        time=time,
        steps=steps,
        order=order,
        constant=factorization.constant,
    )


def trotter_layers(factorization: Leaves) -> list[EvolutionLayer]:
    """Return the one-body part in its eigenvectors, then every leaf with its core."""
    norb = len(factorization.one_body)
    energies, frame = np.linalg.eigh(factorization.one_body)
    nothing = np.zeros(norb)
    layers = [EvolutionLayer(frame, energies, np.zeros((norb, norb)))]
    for leaf, core in zip(factorization.leaves, factorization.cores, strict=True):
        layers.append(EvolutionLayer(leaf, nothing, core))
    return layers
