# SPDX-License-Identifier: Apache-2.0
"""The main job: one molecule in; a Hamiltonian, a factorization and a measurement plan out."""

from qlowrank.archive import Study
from qlowrank.checks import NotConvergedError
from qlowrank.factorization import DoubleFactorization, double_factorize
from qlowrank.hamiltonian import Hamiltonian
from qlowrank.job.choices import FRAGMENTS, GAUGES, STATES
from qlowrank.job.molecule import open_study, read_hamiltonian
from qlowrank.job.outcome import Outcome
from qlowrank.job.request import JobRequest
from qlowrank.job.stopwatch import Stopwatch
from qlowrank.lowrank import Progress
from qlowrank.measurement import plan_measurement
from qlowrank.states import State


def run_job(request: JobRequest, *, progress: Progress | None = None) -> Outcome:
    """Read a molecule, factorize it and plan its measurement.

    Args:
        request: What to do.
        progress: Called as long steps advance.

    Raises:
        InputError: The molecule or an option cannot be used.
        NotConvergedError: The molecule's own mean field did not converge.
    """
    watch = Stopwatch()
    study = open_study(request.molecule)
    hamiltonian = read_hamiltonian(request.molecule, study, watch, progress)
    measurement = request.measurement
    factorization = state = plan = failure = None
    if request.method is not None:
        with watch.step("factorize"):
            factorization = _factorization(hamiltonian, study, request.method)
    if factorization is not None and measurement is not None:
        with watch.step("measure"):
            try:
                state = _state(hamiltonian, study, measurement.state)
                plan = plan_measurement(
                    factorization,
                    state,
                    precision=measurement.precision,
                    fragments=FRAGMENTS[measurement.fragments](measurement.seed),
                    progress=progress,
                )
            except NotConvergedError as error:
                failure = str(error)
    return Outcome(
        hamiltonian=hamiltonian,
        factorization=factorization,
        state=state,
        plan=plan,
        timing=watch.stop(),
        failure=failure,
    )


def _factorization(
    hamiltonian: Hamiltonian, study: Study | None, method: str
) -> DoubleFactorization:
    """Factorize, or take the archive's factorization where it is the one asked for."""
    gauge = GAUGES[method]
    if study is not None and "factorization" in study:
        stored = study.factorization
        if stored.status.method == gauge.name:
            return stored
    return double_factorize(hamiltonian, gauge=gauge)


def _state(hamiltonian: Hamiltonian, study: Study | None, name: str) -> State:
    """Solve for the state, or take the archive's where it is the one asked for."""
    if study is not None and "state" in study and study.state.label == name:
        return study.state
    return STATES[name](hamiltonian)
