# SPDX-License-Identifier: Apache-2.0
"""Exact preparation of chains with small bonds."""

from dataclasses import dataclass

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.circuits.chain.gates import Gates, sequence
from qlowrank.circuits.chain.tensors import cut


@dataclass(frozen=True, slots=True)
class ExactSequence:
    """One gate a qubit, on as many neighbours as its bond needs; exact for bonds up to `max_bond`.

    A bond of χ states takes gates on 1 + log2 χ qubits, of about 2 χ² CNOTs each (two for χ = 2).
    Chains with larger bonds are cut first, and the fidelity says what that cost.

    Source:
        C. Schön et al., Phys. Rev. Lett. 95, 110503 (2005).
    """

    max_bond: int = 8
    """Most states of a bond."""

    def __post_init__(self) -> None:
        if checks.whole("max_bond", self.max_bond) < 1:
            raise InputError(f"max_bond must be at least 1; got {self.max_bond}.")

    def __call__(self, tensors: list[Array]) -> Gates:
        """Return the gates for a chain of qubits."""
        chain, fidelity = cut(tensors, self.max_bond)
        return Gates(sequence(chain), fidelity)
