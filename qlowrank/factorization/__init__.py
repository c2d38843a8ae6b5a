# SPDX-License-Identifier: Apache-2.0
"""Factorizations of the two-electron part into orbital frames and cores."""

from qlowrank.factorization.double import double_factorize
from qlowrank.factorization.gauge import CholeskyGauge, EigenGauge, Gauge
from qlowrank.factorization.record import DoubleFactorization, FactorizationStatus
from qlowrank.factorization.shift import (
    MedianShift,
    OneNormShift,
    ShiftMethod,
    TracelessShift,
    shift_symmetry,
    unshift,
)
from qlowrank.factorization.symmetry import SymmetryShift

__all__ = [
    "CholeskyGauge",
    "DoubleFactorization",
    "EigenGauge",
    "FactorizationStatus",
    "Gauge",
    "MedianShift",
    "OneNormShift",
    "ShiftMethod",
    "SymmetryShift",
    "TracelessShift",
    "double_factorize",
    "shift_symmetry",
    "unshift",
]
