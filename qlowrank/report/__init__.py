# SPDX-License-Identifier: Apache-2.0
"""What people and pipelines read: the terminal summary and the JSON object."""

from qlowrank.report.contract import json_object
from qlowrank.report.summary import summary

__all__ = ["json_object", "summary"]
