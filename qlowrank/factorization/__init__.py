# SPDX-License-Identifier: Apache-2.0
"""Factorizations of the two-electron part into orbital frames and cores."""

from qlowrank.factorization.double import double_factorize
from qlowrank.factorization.gauge import CholeskyGauge, EigenGauge, Gauge
from qlowrank.factorization.record import DoubleFactorization, FactorizationStatus

__all__ = [
    "CholeskyGauge",
    "DoubleFactorization",
    "EigenGauge",
    "FactorizationStatus",
    "Gauge",
    "double_factorize",
]
