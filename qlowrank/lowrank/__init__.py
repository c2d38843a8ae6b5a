# SPDX-License-Identifier: Apache-2.0
"""Chemistry-free low-rank linear algebra: cuts, what they cost, pivoted Cholesky."""

from qlowrank.lowrank.cholesky import (
    CholeskyFactors,
    DenseMatrix,
    PivotedCholesky,
    Progress,
    SemidefiniteMatrix,
)
from qlowrank.lowrank.repivot import Repivot
from qlowrank.lowrank.truncation import Truncation

__all__ = [
    "CholeskyFactors",
    "DenseMatrix",
    "PivotedCholesky",
    "Progress",
    "Repivot",
    "SemidefiniteMatrix",
    "Truncation",
]
