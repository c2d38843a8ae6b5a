# SPDX-License-Identifier: Apache-2.0
"""Time evolution of a factorized Hamiltonian."""

from qlowrank.evolution.fields import SampledAmplitude, sampled_amplitude
from qlowrank.evolution.trotter import trotter_circuit, trotter_layers

__all__ = ["SampledAmplitude", "sampled_amplitude", "trotter_circuit", "trotter_layers"]
