# SPDX-License-Identifier: Apache-2.0
"""Tensor hypercontraction: one set of orbitals that need not be orthogonal, one core."""

from qlowrank.factorization.hypercontraction.hypercontract import hypercontract
from qlowrank.factorization.hypercontraction.points import (
    GridPoints,
    LeafPoints,
    PointMethod,
    RandomPoints,
)
from qlowrank.factorization.hypercontraction.record import Hypercontraction

__all__ = [
    "GridPoints",
    "Hypercontraction",
    "LeafPoints",
    "PointMethod",
    "RandomPoints",
    "hypercontract",
]
