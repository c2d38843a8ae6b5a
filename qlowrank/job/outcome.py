# SPDX-License-Identifier: Apache-2.0
"""What a job made."""

import resource
import sys
from dataclasses import dataclass
from typing import Any

from qlowrank.archive import FACTORIZATIONS, Study
from qlowrank.factorization.gauges import GaugeStatus
from qlowrank.hamiltonian import Hamiltonian
from qlowrank.job.entangling import EntangledState, entangled_in
from qlowrank.job.request import JobRequest
from qlowrank.job.stopwatch import STEPS
from qlowrank.measurement import MeasurementPlan
from qlowrank.resources import ResourceEstimate


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a job made, as far as it came."""

    hamiltonian: Hamiltonian
    """The molecule as a sum of squares."""
    factorization: Any
    """Its leaves or points, if they were asked for: a `DoubleFactorization`,
    `CompressedFactorization` or `Hypercontraction`; None otherwise."""
    state: Any
    """The state that priced the plan, or whose entanglement was asked for, if it was found."""
    plan: MeasurementPlan | None
    """The measurement plan, if it was asked for and its state converged."""
    timing: dict[str, float | None]
    """Seconds of each step; None for steps that were not taken."""
    failure: str | None
    """What did not converge, or None."""
    resources: ResourceEstimate | None = None
    """Gates of phase estimation, if they were asked for."""
    entangled: EntangledState | None = None
    """The MPS and its entropies, if they were asked for and it converged."""
    gauge: GaugeStatus | None = None
    """How the gauge of the leaves was found, if it was optimised."""

    def records(self) -> tuple[Any, ...]:
        """Return everything that can be archived."""
        entropies = None if self.entangled is None else self.entangled.entropies
        parts = (
            *(self.hamiltonian, self.factorization, self.gauge),
            *(self.state, entropies, self.plan),
        )
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
        factorization=study.held(*FACTORIZATIONS),
        state=study.held("state"),
        plan=study.held("plan"),
        timing=dict.fromkeys(STEPS),
        failure=None,
        entangled=entangled_in(study),
        gauge=study.held("gauge_status"),
    )


def peak_memory() -> int:
    """Return the most memory this process has held, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
