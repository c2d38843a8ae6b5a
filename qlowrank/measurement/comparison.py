# SPDX-License-Identifier: Apache-2.0
"""Every way to measure an energy side by side: same Hamiltonian, same state, same seed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.lowrank import Progress
from qlowrank.measurement.allocation import allocate_shots
from qlowrank.measurement.fragments import (
    FluidFragments,
    FragmentMethod,
    MeanFieldFragments,
    OptimizedFragments,
    PlainFragments,
    ResplitFragments,
)
from qlowrank.measurement.pauli import PauliSum, pauli_terms
from qlowrank.measurement.pauli_groups import PauliGroups, group_fully_commuting, group_qubit_wise
from qlowrank.measurement.pauli_readout import pauli_readout
from qlowrank.measurement.pauli_simulate import simulate_pauli_measurement
from qlowrank.measurement.pauli_variances import pauli_group_variances
from qlowrank.measurement.plan import CHEMICAL_PRECISION, MeasurementPlan, plan_measurement
from qlowrank.measurement.simulate import SimulatedExperiments, simulate_measurement
from qlowrank.states.fci import FCIState

PAULI_GROUPINGS: dict[str, Callable[[PauliSum], PauliGroups]] = {
    "Pauli, qubit-wise": group_qubit_wise,
    "Pauli, qubit-wise, interleaved": lambda terms: group_qubit_wise(terms, spins="interleaved"),
    "Pauli, fully commuting": group_fully_commuting,
}
"""Baselines by name."""

MOST_AMPLITUDES = 2**26
"""Pauli groups × amplitudes of the qubit vector, beyond which their sampling is left out."""


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One way to measure the energy, and what it costs."""

    method: str
    """How the groups are chosen."""
    n_groups: int = field(metadata={"units": "1"})
    """Different circuits to run."""
    epsilon2_shots: float = field(metadata={"units": "hartree^2"})
    """(Σ_g sqrt(Var F_g))² in the state, Hartree²: precision² times the least number of shots."""
    total_shots: int = field(metadata={"units": "1"})
    """Shots that reach the precision."""
    predicted_error: float = field(metadata={"units": "hartree"})
    """sqrt(Σ_g Var F_g / shots_g) in the state, Hartree."""
    sampled_error: float = field(metadata={"units": "hartree"})
    """Spread of the energies of simulated experiments, Hartree; nan where that is out of reach."""
    two_qubit_depth: int = field(metadata={"units": "1"})
    """Longest chain of two-qubit gates of any group's readout, the preparation not counted."""
    two_qubit_gates: int = field(metadata={"units": "1"})
    """Two-qubit gates of all groups' readouts together, each counted once."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What each way to measure an energy costs. Make one with `ql.compare_measurements`."""

    rows: tuple[ComparisonRow, ...]
    """One a method, baselines first."""
    precision: float = field(metadata={"units": "hartree"})
    """Standard error that every row's shots were made for, Hartree."""
    repetitions: int = field(metadata={"units": "1"})
    """Simulated experiments behind each sampled error."""
    seed: int = field(metadata={"units": "1"})
    """Of every row's random numbers."""

    def __getitem__(self, method: str) -> ComparisonRow:
        """Return the row of a method, by its name."""
        for row in self.rows:
            if row.method == method:
                return row
        known = ", ".join(row.method for row in self.rows)
        raise InputError(f"There is no row {method!r}; there are {known}.")

    def __str__(self) -> str:
        """Lay the rows out as a table."""
        width = max(len(row.method) for row in self.rows)
        lines = [
            f"{'method':<{width}}  groups        eps²M          shots  predicted    sampled  depth"
            "   gates"
        ]
        for row in self.rows:
            sampled = "-" if np.isnan(row.sampled_error) else f"{1e3 * row.sampled_error:.4f}"
            lines.append(
                f"{row.method:<{width}} {row.n_groups:>7} {row.epsilon2_shots:>12.6g} "
                f"{row.total_shots:>14} {1e3 * row.predicted_error:>10.4f} {sampled:>10} "
                f"{row.two_qubit_depth:>6} {row.two_qubit_gates:>7}"
            )
        lines.append(
            f"eps²M in Hartree²; standard errors in mHartree, {self.repetitions} simulated "
            "experiments; two-qubit gates of the readouts"
        )
        return "\n".join(lines)


def compare_measurements(
    factorization: DoubleFactorization,
    state: FCIState,
    *,
    precision: float = CHEMICAL_PRECISION,
    repetitions: int = 1000,
    seed: int = 0,
    methods: Sequence[FragmentMethod] | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Price and simulate every way to measure the energy of one state.

    Pauli groups by sorted insertion (qubit-wise commuting in both orders of the qubits, and fully
    commuting) come first, then the leaves with each way to choose fragments. All are of the same
    operator, priced by the same state, for the same precision, and simulated with the same seed.
    Readout circuits are counted in gates on two qubits as they are made: nearest-neighbour orbital
    rotations for leaves, Clifford circuits between any two qubits for commuting Pauli groups.

    Args:
        factorization: The leaves; the Pauli strings are those of the same squares.
        state: A full-CI state of the same orbitals and electrons.
        precision: Standard error asked for, Hartree.
        repetitions: Simulated experiments for each row, at least 2.
        seed: Of the simulations and of optimised fragments.
        methods: Ways to choose fragments; by default plain, mean-field, fluid, re-split and
            optimised.
        progress: Called after each row.

    Raises:
        InputError: A state of other orbitals or electrons, or unusable numbers.

    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.states import fci_state
    >>> hamiltonian = from_example("h2")
    >>> comparison = compare_measurements(
    ...     double_factorize(hamiltonian), fci_state(hamiltonian), methods=[PlainFragments()]
    ... )
    >>> [(row.method, row.n_groups) for row in comparison.rows][-2:]
    [('Pauli, fully commuting', 2), ('plain', 4)]
    """
    checks.positive("precision", precision)
    if checks.whole("repetitions", repetitions) < 2:
        raise InputError(f"repetitions must be at least 2; got {repetitions}.")
    if not isinstance(state, FCIState):
        raise InputError(
            f"A comparison needs a full-CI state, whose Pauli variances are known; got "
            f"{type(state).__name__}. Make one with ql.fci_state."
        )
    chosen = _default_methods(seed) if methods is None else tuple(methods)
    task = _Task(factorization, state, float(precision), int(repetitions), seed)
    rows: list[ComparisonRow] = []
    for row in _rows(task, chosen):
        rows.append(row)
        if progress is not None:
            progress("comparison", len(rows), len(PAULI_GROUPINGS) + len(chosen))
    return Comparison(tuple(rows), float(precision), int(repetitions), int(seed))


@dataclass(frozen=True, slots=True)
class _Task:
    """What every row has in common."""

    factorization: DoubleFactorization
    state: FCIState
    precision: float
    repetitions: int
    seed: int


def _default_methods(seed: int) -> tuple[FragmentMethod, ...]:
    """Every way to choose fragments, the plainest first."""
    return (
        PlainFragments(),
        MeanFieldFragments(),
        FluidFragments(),
        ResplitFragments(),
        OptimizedFragments(seed=seed),
    )


def _rows(task: _Task, methods: tuple[FragmentMethod, ...]) -> Iterator[ComparisonRow]:
    """One row after the other."""
    terms = pauli_terms(task.factorization.to_hamiltonian())
    for name, group in PAULI_GROUPINGS.items():
        yield _pauli_row(name, group(terms), task)
    for method in methods:
        plan = plan_measurement(
            task.factorization, task.state, precision=task.precision, fragments=method
        )
        yield _leaf_row(plan, task)


def _pauli_row(name: str, groups: PauliGroups, task: _Task) -> ComparisonRow:
    """Price and simulate Pauli groups."""
    from qlowrank.circuits import circuit_cost

    baseline = pauli_group_variances(groups, task.state)
    shots = allocate_shots(baseline.variances, task.precision)
    sampled = float("nan")
    if groups.n_groups * 4**task.state.norb <= MOST_AMPLITUDES:
        runs = simulate_pauli_measurement(
            groups,
            shots,
            task.state,
            repetitions=task.repetitions,
            rng=np.random.default_rng(task.seed),
        )
        sampled = runs.empirical_standard_error
    costs = [circuit_cost(pauli_readout(groups, g).circuit) for g in range(groups.n_groups)]
    return ComparisonRow(
        method=name,
        n_groups=groups.n_groups,
        epsilon2_shots=baseline.epsilon2_shots,
        total_shots=int(shots.sum()),
        predicted_error=float(np.sqrt(np.sum(baseline.variances / shots))),
        sampled_error=sampled,
        two_qubit_depth=max((c.two_qubit_depth for c in costs), default=0),
        two_qubit_gates=sum(c.two_qubit_count for c in costs),
    )


def _leaf_row(plan: MeasurementPlan, task: _Task) -> ComparisonRow:
    """Simulate a plan and count its gates."""
    from qlowrank.circuits import readout_network

    runs: SimulatedExperiments = simulate_measurement(
        plan, task.state, repetitions=task.repetitions, rng=np.random.default_rng(task.seed)
    )
    networks = [readout_network(g.frame, needed=g.needed).network for g in plan.groups]
    return ComparisonRow(
        method=plan.fragments.method,
        n_groups=plan.n_groups,
        epsilon2_shots=plan.epsilon2_shots,
        total_shots=plan.total_shots,
        predicted_error=plan.predicted_standard_error,
        sampled_error=runs.empirical_standard_error,
        two_qubit_depth=max(network.depth for network in networks),
        two_qubit_gates=2 * sum(len(network.angles) for network in networks),
    )
