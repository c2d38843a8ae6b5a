# SPDX-License-Identifier: Apache-2.0
"""What a fault-tolerant computer would spend: one-norms, Toffoli gates, logical qubits."""

from qlowrank.resources.double_factorized import DoubleFactorizedWalk
from qlowrank.resources.encodings import (
    DoubleFactorizedEncoding,
    Encoded,
    Encoding,
    HypercontractedEncoding,
    SingleFactorizedEncoding,
    SparseEncoding,
)
from qlowrank.resources.estimate import ResourceEstimate, estimate_encoded, resource_estimate
from qlowrank.resources.hypercontracted import HypercontractedWalk
from qlowrank.resources.mean_rank import MeanRankWalk
from qlowrank.resources.norms import (
    cores_norm,
    double_factorized_norm,
    hypercontracted_norm,
    majorana_one_body,
    single_factorized_norm,
    sparse_norm,
)
from qlowrank.resources.phase_estimation import (
    PhaseEstimation,
    Qubitization,
    SpectrumAmplification,
    phase_estimation_steps,
)
from qlowrank.resources.qrom import (
    Lookup,
    PairLookup,
    lookup,
    lookup_pair,
    trailing_zeros,
    unlookup,
    unlookup_pair,
)
from qlowrank.resources.single_factorized import SingleFactorizedWalk
from qlowrank.resources.sparse import SparseWalk
from qlowrank.resources.superposition import leaf_rotation_bits, rotation_bits
from qlowrank.resources.timeline import Timeline, hypercontracted_timeline
from qlowrank.resources.walk import Walk, WalkCost, walk_cost

__all__ = [
    "DoubleFactorizedEncoding",
    "DoubleFactorizedWalk",
    "Encoded",
    "Encoding",
    "HypercontractedEncoding",
    "HypercontractedWalk",
    "Lookup",
    "MeanRankWalk",
    "PairLookup",
    "PhaseEstimation",
    "Qubitization",
    "ResourceEstimate",
    "SingleFactorizedEncoding",
    "SingleFactorizedWalk",
    "SparseEncoding",
    "SparseWalk",
    "SpectrumAmplification",
    "Timeline",
    "Walk",
    "WalkCost",
    "cores_norm",
    "double_factorized_norm",
    "estimate_encoded",
    "hypercontracted_norm",
    "hypercontracted_timeline",
    "leaf_rotation_bits",
    "lookup",
    "lookup_pair",
    "majorana_one_body",
    "phase_estimation_steps",
    "resource_estimate",
    "rotation_bits",
    "single_factorized_norm",
    "sparse_norm",
    "trailing_zeros",
    "unlookup",
    "unlookup_pair",
    "walk_cost",
]
