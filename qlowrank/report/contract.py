# SPDX-License-Identifier: Apache-2.0
"""The JSON object that pipelines read: one schema, parts that were not asked for are null."""

from pathlib import Path
from typing import Any

from qlowrank.hamiltonian import Hamiltonian
from qlowrank.job import EntangledState, Outcome, method_name, peak_memory
from qlowrank.measurement import MeasurementPlan
from qlowrank.resources import ResourceEstimate
from qlowrank.states.intervals import energy_interval

SCHEMA = 1
"""Version of the object's layout."""


def json_object(outcome: Outcome, archive: Path | None) -> dict[str, Any]:
    """Return the object that `--json` prints.

    Args:
        outcome: What the job made.
        archive: The file it was saved to, if any.
    """
    hamiltonian = outcome.hamiltonian
    molecule = hamiltonian.source.molecule
    return {
        "schema": SCHEMA,
        "molecule": {
            "name": hamiltonian.source.name,
            "formula": None if molecule is None else molecule.formula,
            "norb": hamiltonian.norb,
            "nelec": list(hamiltonian.nelec),
        },
        "hamiltonian": {
            "rank": hamiltonian.rank,
            "tolerance": hamiltonian.truncation.tolerance,
            "residual_trace": hamiltonian.residual_trace,
            "max_abs_error_bound": hamiltonian.max_abs_error_bound,
        },
        "energy": energies(outcome),
        "factorization": _factorization(outcome),
        "measurement": _measurement(outcome.plan),
        "entanglement": _entanglement(outcome.entangled),
        "resources": _resources(outcome.resources),
        "timing": outcome.timing,
        "peak_memory_bytes": peak_memory(),
        "archive": None if archive is None else str(archive),
    }


def energies(outcome: Outcome) -> dict[str, Any]:
    """Return mean-field, interval and reference energies, Hartree, null where not known.

    `lower`, `upper` and `estimate` are those of `ql.energy_interval` for the state, proven from
    what the records hold; docs/reference/json.md says which energy each kind of state encloses.
    """
    hamiltonian, state = outcome.hamiltonian, outcome.state
    references = hamiltonian.source.references
    mean_field = hamiltonian.source.reference("HF")
    other = next((r for r in references if r is not mean_field), None)
    determinant = state if state is not None and state.label == "hf" else None
    determinant = getattr(state, "determinant", determinant)
    fallback = None if determinant is None else determinant.energy
    interval = None if state is None else energy_interval(hamiltonian, state)
    return {
        "hf": fallback if mean_field is None else mean_field.energy,
        "lower": None if interval is None else interval.lower,
        "upper": None if interval is None else interval.upper,
        "estimate": None if interval is None else interval.estimate,
        "reference": None if other is None else other.energy,
        "reference_method": None if other is None else other.method,
    }


def energy_bound(hamiltonian: Hamiltonian) -> float:
    """Return electrons × residual trace: how far below the exact one any energy can lie.

    Where nothing was cut, rounding is what is left.
    """
    trace = max(hamiltonian.residual_trace, hamiltonian.max_abs_error_bound)
    return sum(hamiltonian.nelec) * trace


def _factorization(outcome: Outcome) -> dict[str, Any] | None:
    """Describe the factorization under the command line's name for its method."""
    factorization = outcome.factorization
    if factorization is None:
        return None
    points = getattr(factorization, "n_points", None)
    return {
        "method": method_name(factorization),
        "n_leaves": factorization.n_leaves if points is None else points,
        "one_norm": factorization.one_norm(),
        "frobenius_error": factorization.status.frobenius_error,
    }


def _measurement(plan: MeasurementPlan | None) -> dict[str, Any] | None:
    """Describe the measurement plan."""
    if plan is None:
        return None
    return {
        "state": plan.pricing.state,
        "n_groups": plan.n_groups,
        "epsilon2_shots": plan.epsilon2_shots,
        "precision": plan.precision,
        "total_shots": plan.total_shots,
        "max_two_qubit_depth": plan.max_two_qubit_depth(),
    }


def _resources(estimate: ResourceEstimate | None) -> dict[str, Any] | None:
    """Describe the cost of phase estimation."""
    if estimate is None:
        return None
    return {
        "one_norm": estimate.one_norm,
        "toffoli_per_step": estimate.toffoli_per_step,
        "toffoli": estimate.toffoli,
        "logical_qubits": estimate.logical_qubits,
    }


def _entanglement(entangled: EntangledState | None) -> dict[str, Any] | None:
    """Describe the MPS, bond by bond."""
    if entangled is None:
        return None
    mps, entropies = entangled.state.mps, entangled.entropies.bond_entropies
    return {
        "orbital_order": entangled.orbital_order,
        "bond_dimensions": [int(d) for d in mps.bond_dimensions],
        "max_bond_dimension": int(max(mps.bond_dimensions, default=1)),
        "bond_entropies": [float(s) for s in entropies],
        "max_bond_entropy": float(max(entropies, default=0.0)),
        "discarded_weight": float(entangled.state.convergence.discarded_weights[-1]),
    }
