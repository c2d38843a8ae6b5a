# SPDX-License-Identifier: Apache-2.0
"""A picture of a plan: which groups take the shots."""

from typing import TYPE_CHECKING

import numpy as np

from qlowrank.measurement import MeasurementPlan
from qlowrank.report.style import BLUE, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_shots(axes: "Axes", plan: MeasurementPlan) -> None:
    """Draw the shots of each group, most first, and their cumulative share.

    Args:
        axes: Where to draw; a second axis is added on the right.
        plan: From `ql.plan_measurement`.
    """
    shots = np.sort(plan.shots)[::-1]
    share = 100 * shots.cumsum() / plan.total_shots
    index = np.arange(1, len(shots) + 1)
    nine_tenths = int(np.searchsorted(share, 90)) + 1

    axes.fill_between(index, shots, 1, step="mid", color=BLUE, alpha=0.8, linewidth=0)
    axes.set(xscale="log", yscale="log", ylim=(1, 3 * shots[0]))
    axes.set_xlim(1, max(len(shots), 2))
    axes.set(title="Where the shots go", xlabel="group, most shots first", ylabel="shots")
    right = axes.twinx()
    right.plot(index, share, color=ORANGE)
    right.set(ylim=(0, 105), ylabel="cumulative share / %")
    right.spines["right"].set_visible(True)
    right.plot(nine_tenths, share[nine_tenths - 1], "o", color=ORANGE, markersize=5)
    right.text(
        0.05,
        0.08,
        f"{plan.total_shots:,} shots\nfor {1e3 * plan.precision:g} mHartree;\n"
        f"90 % in {nine_tenths} of {len(shots)} groups",
        transform=right.transAxes,
        color="white",
        linespacing=1.4,
    )
