# SPDX-License-Identifier: Apache-2.0
"""Chemistry-free low-rank linear algebra: factors, what a cut costs, and how well it is fixed."""

from qlowrank.lowrank.angles import SubspaceAngles, principal_angles, rotation_bound, spectral_gap
from qlowrank.lowrank.cholesky import (
    CholeskyFactors,
    DenseMatrix,
    IndefiniteError,
    PivotedCholesky,
    Progress,
    SemidefiniteMatrix,
)
from qlowrank.lowrank.groups import AffinityGroups, affinity_groups
from qlowrank.lowrank.joint_diagonal import jointly_diagonal
from qlowrank.lowrank.nonnegative import NonnegativeFactorization, NonnegativeFit
from qlowrank.lowrank.nuclear import FactoredDescent, FactoredFit, NuclearShrinkage
from qlowrank.lowrank.repivot import Repivot
from qlowrank.lowrank.small_space import (
    SmallSpace,
    low_rank_exponential,
    low_rank_power,
    symmetric_function,
)
from qlowrank.lowrank.svd import LowRank, RandomizedSVD, TruncatedSVD, range_finder
from qlowrank.lowrank.tournament import tournament
from qlowrank.lowrank.truncation import Truncation

__all__ = [
    "AffinityGroups",
    "CholeskyFactors",
    "DenseMatrix",
    "FactoredDescent",
    "FactoredFit",
    "IndefiniteError",
    "LowRank",
    "NonnegativeFactorization",
    "NonnegativeFit",
    "NuclearShrinkage",
    "PivotedCholesky",
    "Progress",
    "RandomizedSVD",
    "Repivot",
    "SemidefiniteMatrix",
    "SmallSpace",
    "SubspaceAngles",
    "TruncatedSVD",
    "Truncation",
    "affinity_groups",
    "jointly_diagonal",
    "low_rank_exponential",
    "low_rank_power",
    "principal_angles",
    "range_finder",
    "rotation_bound",
    "spectral_gap",
    "symmetric_function",
    "tournament",
]
