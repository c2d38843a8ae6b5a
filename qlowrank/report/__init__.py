# SPDX-License-Identifier: Apache-2.0
"""What people and pipelines read: the terminal summary, the JSON object, the page of an archive."""

from qlowrank.report.contract import json_object
from qlowrank.report.leaf_plot import draw_leaves
from qlowrank.report.page import html_report
from qlowrank.report.shot_plot import draw_shots
from qlowrank.report.summary import summary

__all__ = ["draw_leaves", "draw_shots", "html_report", "json_object", "summary"]
