# SPDX-License-Identifier: Apache-2.0
"""What a person reads in the terminal after a job."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from qlowrank.job import EntangledState, Outcome, peak_memory
from qlowrank.measurement import MeasurementPlan
from qlowrank.mps import suggest_active_space
from qlowrank.report.contract import energy_bound
from qlowrank.states import Convergence
from qlowrank.states.intervals import energy_interval

LABEL_WIDTH = 15
TEXT_WIDTH = 84
"""Characters of a line after its label."""
NEGLIGIBLE = 1e-9
"""Largest orbital entropy that needs no active space, nats."""


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
        f"{hamiltonian.rank} {_vectors(hamiltonian)}; every (pq|rs) within "
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
        yield "state", f"{outcome.state.label}, {outcome.state.energy:.8f} Hartree"
        interval = energy_interval(hamiltonian, outcome.state)
        yield from _wrapped(
            "interval",
            f"{interval.lower:.8f} to {interval.upper:.8f} Hartree holds {interval.contains}",
        )
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


def _vectors(hamiltonian: Any) -> str:
    """Say what kind of vectors the factors are."""
    return "vectors, fitted (RI)" if "fitted" in hamiltonian.source.origin else "Cholesky vectors"


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
        f"weight {state.convergence.discarded_weights[-1]:.0e} cut off, {state.convergence.status}",
    )
    if len(state.convergence.energies) > 1:
        yield from _convergence(state.convergence)
    order = entangled.orbital_order
    listed = "mixed from the molecule's" if order is None else " ".join(map(str, order))
    yield from _wrapped("orbitals", listed)
    entropies = " ".join(f"{s:.4f}" for s in found.bond_entropies)
    yield from _wrapped("entropies", f"{entropies} nat at the bonds")
    yield from _wrapped("entanglement", found.sentence)
    if order is not None and found.orbital_entropies.max() > NEGLIGIBLE:
        space = suggest_active_space(found)
        chosen = sorted(order[site] for site in space.orbitals)
        yield from _wrapped(
            "active space",
            f"CAS({sum(space.nelec)}, {len(chosen)}) of orbitals {', '.join(map(str, chosen))}: "
            f"entropies of at least {space.share:.0%} of the largest",
        )


def _convergence(found: Convergence) -> Iterator[tuple[str, str]]:
    """Lines about the energy as the bond dimension grew."""
    stages = zip(found.bond_dimensions, found.energies, strict=True)
    yield from _wrapped("by bond", "; ".join(f"{bond}: {e:.6f}" for bond, e in stages))
    line = found.extrapolation()
    yield "extrapolated", f"{line.energy:.6f} ± {line.uncertainty:.6f} Hartree"


def _wrapped(label: str, text: str) -> Iterator[tuple[str, str]]:
    """Lines of a long text, the label before the first."""
    for number, line in enumerate(textwrap.wrap(text, TEXT_WIDTH)):
        yield (label if number == 0 else ""), line


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
    if plan.shows_too_little:
        unsure = plan.sample_error_uncertainty
        yield "", f"rare outcomes: the shots alone tell the error to ± {unsure:.0%}"


def _times(timing: dict[str, float | None]) -> str:
    """Seconds of the steps that were taken, and the memory they needed."""
    steps = [f"{k} {v:.2f}" for k, v in timing.items() if v is not None and k != "total"]
    return f"{timing['total']:.2f} s ({', '.join(steps)}); peak memory {peak_memory() / 1e6:.0f} MB"
