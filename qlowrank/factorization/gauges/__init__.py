# SPDX-License-Identifier: Apache-2.0
"""Gauges optimised for the lowest one-norm, what else squares can be, and the floor below all."""

from qlowrank.factorization.gauges.descent import GaugeDescent, GaugeStatus
from qlowrank.factorization.gauges.encoding import SquareEncoding
from qlowrank.factorization.gauges.energy_fit import (
    EnergyFit,
    EnergyTrial,
    fit_squares_to_energy,
)
from qlowrank.factorization.gauges.fit import SquareFit, fit_squares
from qlowrank.factorization.gauges.floor import OneNormFloor, one_norm_floor
from qlowrank.factorization.gauges.local import LocalGauge
from qlowrank.factorization.gauges.optimize import GaugeResult, encode_squares, optimize_gauge

__all__ = [
    "EnergyFit",
    "EnergyTrial",
    "GaugeDescent",
    "GaugeResult",
    "GaugeStatus",
    "LocalGauge",
    "OneNormFloor",
    "SquareEncoding",
    "SquareFit",
    "encode_squares",
    "fit_squares",
    "fit_squares_to_energy",
    "one_norm_floor",
    "optimize_gauge",
]
