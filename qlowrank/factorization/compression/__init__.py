# SPDX-License-Identifier: Apache-2.0
"""Compressed double factorization: few leaves with full cores, fitted to the integrals."""

from qlowrank.factorization.compression.compress import compress
from qlowrank.factorization.compression.frobenius import FrobeniusError, SectorError
from qlowrank.factorization.compression.norms import CoreOneNorm, CoreSquares, OneNorm
from qlowrank.factorization.compression.objective import Objective, WeightedSum
from qlowrank.factorization.compression.record import CompressedFactorization
from qlowrank.factorization.compression.shots import ShotCost, VarianceSource
from qlowrank.factorization.compression.start import Continue, LargestLeaves, RandomLeaves, Start
from qlowrank.factorization.quasi_newton import QuasiNewton

__all__ = [
    "CompressedFactorization",
    "Continue",
    "CoreOneNorm",
    "CoreSquares",
    "FrobeniusError",
    "LargestLeaves",
    "Objective",
    "OneNorm",
    "QuasiNewton",
    "RandomLeaves",
    "SectorError",
    "ShotCost",
    "Start",
    "VarianceSource",
    "WeightedSum",
    "compress",
]
