# SPDX-License-Identifier: Apache-2.0
"""The main job as a function: what the command line does, without the command line."""

from qlowrank.job.checkpoint import JobCheckpoint
from qlowrank.job.choices import FRAGMENTS, GAUGES, KIND_OF_METHOD, STATES, method_name
from qlowrank.job.entangling import EntangledState
from qlowrank.job.outcome import Outcome, outcome_of, peak_memory
from qlowrank.job.request import JobRequest, MeasurementRequest, MoleculeRequest, MPSRequest
from qlowrank.job.run import run_job

__all__ = [
    "FRAGMENTS",
    "GAUGES",
    "KIND_OF_METHOD",
    "STATES",
    "EntangledState",
    "JobCheckpoint",
    "JobRequest",
    "MPSRequest",
    "MeasurementRequest",
    "MoleculeRequest",
    "Outcome",
    "method_name",
    "outcome_of",
    "peak_memory",
    "run_job",
]
