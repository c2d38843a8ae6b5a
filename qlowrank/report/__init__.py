# SPDX-License-Identifier: Apache-2.0
"""What people and pipelines read: the terminal summary, the JSON object, the page of an archive."""

from qlowrank.report.contract import json_object
from qlowrank.report.entanglement_plots import (
    draw_bonds,
    draw_convergence,
    draw_mutual_information,
    draw_spectra,
    entanglement_figure,
)
from qlowrank.report.leaf_plot import draw_leaves
from qlowrank.report.page import html_report
from qlowrank.report.shot_plot import draw_shots
from qlowrank.report.summary import summary

__all__ = [
    "draw_bonds",
    "draw_convergence",
    "draw_leaves",
    "draw_mutual_information",
    "draw_shots",
    "draw_spectra",
    "entanglement_figure",
    "html_report",
    "json_object",
    "summary",
]
