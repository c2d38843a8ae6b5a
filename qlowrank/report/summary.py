# SPDX-License-Identifier: Apache-2.0
"""What a person reads in the terminal after a job."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from qlowrank.job import EntangledState, Outcome, peak_memory
from qlowrank.measurement import MeasurementPlan
from qlowrank.report.contract import energies, energy_bound

LABEL_WIDTH = 15


def summary(outcome: Outcome, archive: Path | None) -> str:
    """Return a page that says what came out and what it cost.

    Args:
        outcome: What the job made, or what an archive holds.
        archive: The file that holds it, if any.
    """
    lines = [title(outcome), ""]
    for label, text in rows(outcome, archive):
        lines.append(f"  {label:<{LABEL_WIDTH}} {text}")
    if outcome.failure is not None:
        lines += ["", f"  stopped: {outcome.failure}"]
    return "\n".join(lines)


def title(outcome: Outcome) -> str:
    """Return the line that says which molecule."""
    hamiltonian = outcome.hamiltonian
    molecule = hamiltonian.source.molecule
    n_alpha, n_beta = hamiltonian.nelec
    what = f"{hamiltonian.norb} orbitals, {n_alpha} alpha and {n_beta} beta electrons"
    if molecule is None:
        return f"{hamiltonian.source.name} ({hamiltonian.source.origin}): {what}"
    return f"{hamiltonian.source.name} ({molecule.formula}, {molecule.basis}): {what}"


def rows(outcome: Outcome, archive: Path | None) -> Iterator[tuple[str, str]]:
    """Yield label and text of each line, labels of continued lines empty."""
    hamiltonian = outcome.hamiltonian
    for reference in hamiltonian.source.references:
        yield reference.method, f"{reference.energy:.8f} Hartree"
    yield (
        "integrals",
        f"{hamiltonian.rank} Cholesky vectors; every (pq|rs) within "
        f"{hamiltonian.max_abs_error_bound:.1e} Hartree",
    )
    yield (
        "certificate",
        "exact energies lie above those of this Hamiltonian, by at most "
        f"{energy_bound(hamiltonian):.1e} Hartree",
    )
    if outcome.factorization is not None:
        yield "factorization", _factorization(outcome.factorization)
    if outcome.gauge is not None:
        gauge = outcome.gauge
        settled = "" if gauge.converged else "; not converged, still exact"
        start = f"one-norm from {gauge.one_norms[0]:.4f} Hartree"
        yield "gauge", f"{start} in {gauge.n_steps} steps{settled}"
    if outcome.state is not None:
        energy = energies(outcome)["lower"]
        yield "state", f"{outcome.state.label}, {energy:.8f} Hartree"
    if outcome.plan is not None:
        yield from _measurement(outcome.plan)
    if outcome.resources is not None:
        found = outcome.resources
        yield (
            "resources",
            f"{found.toffoli:,} Toffoli gates on {found.logical_qubits} logical qubits for "
            f"{1e3 * found.precision:g} mHartree; {found.toffoli_per_step:,} a step",
        )
    if outcome.entangled is not None:
        yield from _entanglement(outcome.entangled)
    if outcome.timing["total"] is not None:
        yield "time", _times(outcome.timing)
    yield "archive", str(archive) if archive else "none; add -o FILE.h5 to keep this"


def _factorization(factorization: Any) -> str:
    """Say how many leaves or points there are, and what was lost by a fit."""
    points = getattr(factorization, "n_points", None)
    what = f"{factorization.n_leaves} leaves" if points is None else f"{points} points"
    text = (
        f"{what} ({factorization.status.method}), one-norm {factorization.one_norm():.4f} Hartree"
    )
    optimizer = getattr(factorization, "optimizer", None)
    if optimizer is None:
        return text
    settled = "" if optimizer.converged else ", not converged"
    error = factorization.status.frobenius_error
    return f"{text}; all (pq|rs) within {error:.1e} in {optimizer.n_steps} steps{settled}"


def _entanglement(entangled: EntangledState) -> Iterator[tuple[str, str]]:
    """Lines about the MPS."""
    state, found = entangled.state, entangled.entropies
    yield (
        "mps",
        f"{state.energy:.8f} Hartree, bond dimension {max(state.mps.bond_dimensions, default=1)}, "
        f"{state.convergence.status}",
    )
    yield "orbitals", " ".join(map(str, entangled.orbital_order))
    yield "entropies", " ".join(f"{s:.4f}" for s in found.bond_entropies) + " nat at the bonds"


def _measurement(plan: MeasurementPlan) -> Iterator[tuple[str, str]]:
    """Lines about groups and shots."""
    if plan.fragments.method != "plain":
        settled = "" if plan.fragments.converged else "; not converged, shots are still valid"
        yield "fragments", f"{plan.fragments.method}, {plan.fragments.iterations} steps{settled}"
    yield (
        "measurement",
        f"{plan.n_groups} groups, each one orbital rotation of two-qubit depth "
        f"{plan.max_two_qubit_depth()} at most",
    )
    yield (
        "shots",
        f"{plan.total_shots:,} for a standard error of {1e3 * plan.precision:g} mHartree "
        f"(eps²M = {plan.epsilon2_shots:.6g} Hartree²)",
    )
    share = np.sort(plan.shots)[::-1].cumsum() / plan.total_shots
    yield "", f"half of them in {int(np.searchsorted(share, 0.5)) + 1} of the groups"


def _times(timing: dict[str, float | None]) -> str:
    """Seconds of the steps that were taken, and the memory they needed."""
    steps = [f"{k} {v:.2f}" for k, v in timing.items() if v is not None and k != "total"]
    return f"{timing['total']:.2f} s ({', '.join(steps)}); peak memory {peak_memory() / 1e6:.0f} MB"
