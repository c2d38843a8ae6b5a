# SPDX-License-Identifier: Apache-2.0
"""What a job made."""

import resource
import sys
from dataclasses import dataclass
from typing import Any

from qlowrank.archive import Study
from qlowrank.factorization import DoubleFactorization
from qlowrank.hamiltonian import Hamiltonian
from qlowrank.job.request import JobRequest
from qlowrank.job.stopwatch import STEPS
from qlowrank.measurement import MeasurementPlan


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a job made, as far as it came."""

    hamiltonian: Hamiltonian
    """The molecule as a sum of squares."""
    factorization: DoubleFactorization | None
    """Its leaves, if they were asked for."""
    state: Any
    """The state that priced the plan, if one was asked for and converged."""
    plan: MeasurementPlan | None
    """The measurement plan, if it was asked for and its state converged."""
    timing: dict[str, float | None]
    """Seconds of each step; None for steps that were not taken."""
    failure: str | None
    """What did not converge, or None."""

    def records(self) -> tuple[Any, ...]:
        """Return everything that can be archived."""
        parts = (self.hamiltonian, self.factorization, self.state, self.plan)
        return tuple(part for part in parts if part is not None)

    def holds(self, request: JobRequest) -> bool:
        """Tell whether everything that was asked for is there."""
        return (request.method is None or self.factorization is not None) and (
            request.measurement is None or self.plan is not None
        )


def outcome_of(study: Study) -> Outcome:
    """Return what an archive holds, in the terms of a job."""
    return Outcome(
        hamiltonian=study.hamiltonian,
        factorization=study.factorization if "factorization" in study else None,
        state=study.state if "state" in study else None,
        plan=study.plan if "plan" in study else None,
        timing=dict.fromkeys(STEPS),
        failure=None,
    )


def peak_memory() -> int:
    """Return the most memory this process has held, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
