# SPDX-License-Identifier: Apache-2.0
"""Colours and lines that all pictures share."""

from typing import Any

INK, BLUE, ORANGE, GREEN = "#22313f", "#2c6fbb", "#d9822b", "#3a9d6e"
"""Text and axes; the first, second and third thing that is drawn."""

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2,
    "svg.hashsalt": "qlowrank",
}
"""Settings for `matplotlib.rc_context`; the salt makes equal pictures equal bytes."""
