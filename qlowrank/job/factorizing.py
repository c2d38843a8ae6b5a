# SPDX-License-Identifier: Apache-2.0
"""From a Hamiltonian to leaves or points, by the method that was asked for by name."""

from dataclasses import dataclass
from typing import Any

from qlowrank.archive import Study
from qlowrank.checks import InputError
from qlowrank.factorization import double_factorize, shift_symmetry
from qlowrank.factorization.compression import (
    FrobeniusError,
    LargestLeaves,
    OneNorm,
    SectorError,
    WeightedSum,
    compress,
)
from qlowrank.factorization.gauges import GaugeDescent, GaugeStatus, optimize_gauge
from qlowrank.factorization.hypercontraction import LeafPoints, hypercontract
from qlowrank.hamiltonian import Hamiltonian
from qlowrank.job.choices import GAUGES, KIND_OF_METHOD, method_name
from qlowrank.job.request import JobRequest
from qlowrank.lowrank import Progress

LEAVES_PER_ORBITAL = 2
"""Leaves of a compression that was not told how many."""
POINTS_PER_ORBITAL = 5
"""Points of a hypercontraction that was not told how many."""
SHIFTED_POINTS = WeightedSum((1.0, SectorError()), (1e-4, OneNorm()))
"""What a hypercontraction is fitted for that may shift: an error of 0.01 Hartree is worth half a
Hartree of the one-norm."""


@dataclass(frozen=True, eq=False, slots=True)
class Factorized:
    """A factorization and, where it has no place in it, how its optimisation went."""

    record: Any
    """`DoubleFactorization`, `CompressedFactorization` or `Hypercontraction`."""
    gauge: GaugeStatus | None = None
    """How the gauge was found, if it was optimised."""


def check_request(request: JobRequest) -> None:
    """Refuse choices that do not go together, before work begins.

    Raises:
        InputError: A plan for thc, fragments of squares for compressed leaves, or a
            number of leaves for a method that has no choice; or a negative seed.
    """
    method = request.method
    if request.seed is not None and request.seed < 0:
        raise InputError(f"--seed must be at least 0; got {request.seed}.")
    if request.n_leaves is not None and method not in {"compressed", "thc"}:
        raise InputError(
            f"--leaves goes with --method compressed or thc; {method} has as many leaves as the "
            "integrals have vectors. Leave it out."
        )
    if method == "thc" and request.measurement is not None:
        raise InputError(
            "--method thc has no leaves, so there are no groups to measure. Use `qlowrank "
            "factorize` or `resources` with it, or another method for a plan."
        )
    wanted = None if request.measurement is None else request.measurement.fragments
    if method == "compressed" and wanted not in {None, "plain"}:
        raise InputError(
            f"--fragments {wanted} moves parts between squares, and leaves of --method compressed "
            "are none. Use --fragments plain, or another method."
        )


def factorized(
    hamiltonian: Hamiltonian, study: Study | None, request: JobRequest, progress: Progress | None
) -> Factorized:
    """Factorize, or take the archive's factorization where it is the one asked for."""
    method, seed = request.method or "df", request.seed or 0
    stored = _stored(study, method, request)
    if stored is not None:
        return stored
    if method == "gauge":
        found = optimize_gauge(
            hamiltonian,
            shift=request.shift is not False,
            method=GaugeDescent(seed=seed),
            progress=progress,
        )
        return Factorized(found.factorization, found.optimizer)
    pairs = hamiltonian.norb * (hamiltonian.norb + 1) // 2
    if method == "thc":
        points = min(POINTS_PER_ORBITAL * hamiltonian.norb, pairs)
        points = points if request.n_leaves is None else request.n_leaves
        return Factorized(
            hypercontract(
                hamiltonian,
                n_points=points,
                points=LeafPoints(seed=seed),
                objective=SHIFTED_POINTS if request.shift else FrobeniusError(),
                progress=progress,
            )
        )
    limit = request.molecule.max_memory
    explicit = double_factorize(
        hamiltonian, gauge=GAUGES.get(method), max_memory=None if limit is None else limit / 3
    )
    if method == "compressed":
        leaves = min(LEAVES_PER_ORBITAL * hamiltonian.norb, pairs)
        fit = compress(
            explicit,
            n_leaves=leaves if request.n_leaves is None else request.n_leaves,
            objective=SectorError() if request.shift else FrobeniusError(),
            start=LargestLeaves(seed=seed),
            progress=progress,
        )
        return Factorized(fit)
    return Factorized(shift_symmetry(explicit) if request.shift else explicit)


def _stored(study: Study | None, method: str, request: JobRequest) -> Factorized | None:
    """Return the archive's own factorization, if it is the one that is asked for."""
    kind = KIND_OF_METHOD[method]
    if study is None or kind not in study or request.n_leaves is not None:
        return None
    record = study[kind]
    shifted = getattr(record, "shift", None) is not None
    asked = request.shift is not False if method == "gauge" else bool(request.shift)
    if method_name(record) != method or (kind == "factorization" and shifted != asked):
        return None
    shifting = {"compressed": SectorError().name, "hypercontraction": SHIFTED_POINTS.name}
    if kind in shifting and asked != (record.optimizer.objective == shifting[kind]):
        return None
    gauge = study.held("gauge_status")
    optimizer = gauge if method == "gauge" else getattr(record, "optimizer", None)
    if optimizer is not None and request.seed not in {None, optimizer.seed}:
        return None
    return Factorized(record, gauge)
