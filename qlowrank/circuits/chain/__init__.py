# SPDX-License-Identifier: Apache-2.0
"""Circuits that prepare a chain of tensors (a matrix product state) on qubits."""

from qlowrank.circuits.chain.layers import DisentanglingLayers
from qlowrank.circuits.chain.prepare import ChainPreparation, prepare_chain
from qlowrank.circuits.chain.sequence import ExactSequence

__all__ = ["ChainPreparation", "DisentanglingLayers", "ExactSequence", "prepare_chain"]
