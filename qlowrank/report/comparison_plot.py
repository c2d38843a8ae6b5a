# SPDX-License-Identifier: Apache-2.0
"""A comparison of measurements as a picture."""

from typing import TYPE_CHECKING

import numpy as np

from qlowrank.measurement.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, SECOND = "#30475e", "#d1495b"


def comparison_figure(comparison: Comparison) -> "Figure":
    """Draw shots, circuits and promised against sampled errors of each method.

    Args:
        comparison: From `ql.compare_measurements`.

    Returns:
        A matplotlib figure of three panels with the methods as shared rows; save it with
        `figure.savefig("comparison.png")`.
    """
    from matplotlib.figure import Figure

    rows = comparison.rows
    places = np.arange(len(rows))[::-1]
    figure = Figure(figsize=(10.0, 0.9 + 0.42 * len(rows)), layout="constrained")
    shots, gates, errors = figure.subplots(1, 3, sharey=True)

    shots.barh(places, [row.total_shots for row in rows], color=INK, height=0.6)
    shots.set_xscale("log")
    shots.set_xlabel(f"shots for {1e3 * comparison.precision:g} mHartree")
    shots.set_yticks(places, [f"{row.method} ({row.n_groups})" for row in rows])
    shots.set_title("methods (groups)", fontsize="medium", loc="left")

    gates.barh(places, [row.two_qubit_depth for row in rows], color=INK, height=0.6)
    gates.set_xlabel("two-qubit depth of the readout")

    errors.plot([1e3 * row.predicted_error for row in rows], places, "|", ms=16, mew=2, color=INK)
    errors.plot([1e3 * row.sampled_error for row in rows], places, "o", ms=5, color=SECOND)
    errors.set_xlabel("standard error, mHartree")
    errors.legend(["predicted", "sampled"], loc="lower left", frameon=False, fontsize="small")
    errors.set_xlim(left=0.0, right=1.3e3 * comparison.precision)
    for axes in (shots, gates, errors):
        axes.spines[["top", "right"]].set_visible(False)
    return figure
