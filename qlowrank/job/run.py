# SPDX-License-Identifier: Apache-2.0
"""The main job: one molecule in; a Hamiltonian, leaves, a plan and what else was asked for out."""

from collections.abc import Callable

from qlowrank.archive import Study
from qlowrank.checks import NotConvergedError
from qlowrank.hamiltonian import Hamiltonian
from qlowrank.job.choices import FRAGMENTS, STATES
from qlowrank.job.entangling import entangled_ground_state, entangled_of, requested_mps
from qlowrank.job.factorizing import check_request, factorized
from qlowrank.job.molecule import open_study, read_hamiltonian
from qlowrank.job.outcome import Outcome
from qlowrank.job.request import JobRequest, MeasurementRequest
from qlowrank.job.stopwatch import Stopwatch
from qlowrank.lowrank import Progress
from qlowrank.measurement import plan_measurement
from qlowrank.resources import resource_estimate
from qlowrank.states import MPSState, State


def run_job(
    request: JobRequest,
    *,
    progress: Progress | None = None,
    announce: Callable[[str], None] | None = None,
) -> Outcome:
    """Read a molecule, factorize it and plan its measurement.

    Args:
        request: What to do.
        progress: Called as long steps advance.
        announce: Told what a large molecule will take, before work begins.

    Raises:
        InputError: The molecule or an option cannot be used.
        NotConvergedError: The molecule's own mean field did not converge.
    """
    check_request(request)
    watch = Stopwatch()
    study = open_study(request.molecule)
    hamiltonian = read_hamiltonian(request.molecule, study, watch, progress, announce)
    measurement = request.measurement
    factorization = gauge = state = plan = failure = None
    if request.method is not None:
        with watch.step("factorize"):
            found = factorized(hamiltonian, study, request, progress)
            factorization, gauge = found.record, found.gauge
    resources = None
    if factorization is not None and request.resources is not None:
        resources = resource_estimate(factorization, precision=request.resources)
    entangled = None
    if request.entangled is not None:
        with watch.step("mps"):
            try:
                entangled = entangled_ground_state(hamiltonian, request.entangled, progress)
            except NotConvergedError as error:
                failure = str(error)
    if factorization is not None and measurement is not None:
        with watch.step("measure"):
            try:
                state = _state(hamiltonian, study, measurement, progress)
                plan = plan_measurement(
                    factorization,
                    state,
                    precision=measurement.precision,
                    fragments=FRAGMENTS[measurement.fragments](measurement.seed),
                    progress=progress,
                )
            except NotConvergedError as error:
                failure = str(error)
        if isinstance(state, MPSState):
            with watch.step("mps"):
                entangled = entangled_of(state)
    if entangled is not None:
        state = entangled.state if state is None else state
        failure = entangled.unfinished if failure is None else failure
    return Outcome(
        hamiltonian=hamiltonian,
        factorization=factorization,
        state=state,
        plan=plan,
        timing=watch.stop(),
        failure=failure,
        resources=resources,
        entangled=entangled,
        gauge=gauge,
    )


def _state(
    hamiltonian: Hamiltonian,
    study: Study | None,
    measurement: MeasurementRequest,
    progress: Progress | None,
) -> State:
    """Solve for the state, or take the archive's where it is the one asked for."""
    name = measurement.state
    if measurement.mps is not None:
        return requested_mps(hamiltonian, measurement.mps, progress)
    if study is not None and "state" in study and study.state.label == name:
        return study.state
    return STATES[name](hamiltonian)
