# SPDX-License-Identifier: Apache-2.0
"""Twenty molecules and states: plans keep their promises, and their energies are unbiased."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

SCRIPT = Path(__file__).parents[2] / "examples" / "benchmarks" / "calibration.py"
REPETITIONS = 4000


@pytest.mark.slow
def test_twenty_cases():
    """The spread of 4000 nearly normal energies is known to 1 / sqrt(8000) = 1.1 %.

    5 % are 4.5 of that: one case in 10^5 would fail by chance, and the seed is fixed. All spreads
    together, and all means together, are held against chi-square at 1e-4.
    """
    script = runpy.run_path(str(SCRIPT))
    rows = list(script["rows"](REPETITIONS, seed=11))

    assert len(rows) == 20
    assert len({row.name for row in rows}) == 20
    ratios = np.array([row.sampled / row.predicted for row in rows])
    assert np.abs(ratios - 1).max() < 0.05
    freedom = REPETITIONS - 1
    low, high = chi2.ppf([5e-5, 1 - 5e-5], freedom * len(rows))
    assert low < np.sum(freedom * ratios**2) < high
    assert script["unbiased"](np.array([row.deviation for row in rows])) > 1e-4
    # the error bars that experiments report for themselves: root mean square over repetitions
    assert all(row.reported == pytest.approx(row.predicted, rel=0.02) for row in rows)


def test_a_bias_is_noticed():
    """Three standard errors in each case are; one is what chance does."""
    unbiased = runpy.run_path(str(SCRIPT))["unbiased"]
    assert unbiased(np.full(20, 3.0)) < 1e-15
    assert unbiased(np.ones(20)) > 0.1
