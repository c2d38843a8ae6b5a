# SPDX-License-Identifier: Apache-2.0
"""The measurement plan: groups, their variances in a state, and the shots each one gets."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.lowrank import Progress
from qlowrank.measurement.allocation import LEAST_SHOTS, allocate_shots
from qlowrank.measurement.fragments import FragmentMethod, FragmentStatus, PlainFragments
from qlowrank.states.state import State

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import PassManager

    from qlowrank.measurement.estimate import EnergyEstimate

PLAIN = FragmentStatus("plain", converged=True)

CHEMICAL_PRECISION = 1.6e-3
"""Hartree; about 1 kcal/mol."""


@dataclass(frozen=True, eq=False)
class Pricing:
    """Means and variances of all groups in the state that priced the plan."""

    state: str
    """Which state: "hf", "cisd", "fci"."""
    means: Array = field(metadata={"units": "hartree", "axes": "group"})
    """⟨F_g⟩, shape (n_groups,), Hartree."""
    variances: Array = field(metadata={"units": "hartree^2", "axes": "group"})
    """Var(F_g), all covariances inside a group counted, shape (n_groups,), Hartree²."""
    floor: float = field(default=0.0, metadata={"units": "1"})
    """Share of the shots that is spread evenly, because the state is only near the true one."""

    def __post_init__(self) -> None:
        shape = (len(self.means),)
        for name in ("means", "variances"):
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))
        if (self.variances < 0).any():
            raise InputError(
                f"variances must be at least 0 Hartree²; got {self.variances.min():g}."
            )


@dataclass(frozen=True, eq=False)
class MeasurementPlan:
    """Which orbital frames to measure, how often, and what standard error that buys.

    Make one with `ql.plan_measurement`.
    """

    groups: tuple[DiagonalOperator, ...]
    """H − constant, group by group; each needs one orbital rotation."""
    constant: float = field(metadata={"units": "hartree"})
    """Energy that is not measured, Hartree."""
    nelec: tuple[int, int] = field(metadata={"units": "1", "axes": "spin"})
    """(n_alpha, n_beta) of the state to be measured."""
    pricing: Pricing
    """Means and variances the shots were computed from."""
    shots: np.ndarray = field(metadata={"units": "1", "axes": "group"})
    """Repetitions of each group, integers, shape (n_groups,)."""
    precision: float = field(metadata={"units": "hartree"})
    """Standard error asked for, Hartree."""
    fragments: FragmentStatus = PLAIN
    """How the groups were chosen."""

    def __post_init__(self) -> None:
        count = len(self.groups)
        if count == 0 or len(self.pricing.means) != count or np.shape(self.shots) != (count,):
            raise InputError(
                f"A plan needs as many means, variances and shots as groups, and at least one; got "
                f"{count} groups, {len(self.pricing.means)} means, {np.shape(self.shots)} shots."
            )
        if any(group.norb != self.norb for group in self.groups):
            raise InputError(
                "All groups must have the same number of orbitals; got "
                f"{sorted({group.norb for group in self.groups})}."
            )
        object.__setattr__(self, "nelec", checks.electrons(self.nelec, self.norb))
        object.__setattr__(self, "precision", checks.positive("precision", self.precision))
        shots = np.array(self.shots, dtype=np.int64)
        if (shots < LEAST_SHOTS).any() or (shots != self.shots).any():
            raise InputError(
                f"Every group needs a whole number of shots, at least {LEAST_SHOTS}; got "
                f"{np.min(self.shots)} to {np.max(self.shots)}."
            )
        shots.flags.writeable = False
        object.__setattr__(self, "shots", shots)

    @property
    def norb(self) -> int:
        """Number of spatial orbitals."""
        return self.groups[0].norb

    @property
    def n_groups(self) -> int:
        """Number of different circuits to run."""
        return len(self.groups)

    @property
    def variances(self) -> Array:
        """Var(F_g) in the pricing state, shape (n_groups,), Hartree²."""
        return self.pricing.variances

    @property
    def total_shots(self) -> int:
        """Shots over all groups."""
        return int(self.shots.sum())

    @property
    def epsilon2_shots(self) -> float:
        """(Σ_g sqrt(Var F_g))², Hartree²: precision² times the least number of shots."""
        return float(np.sqrt(self.variances).sum() ** 2)

    @property
    def predicted_standard_error(self) -> float:
        """sqrt(Σ_g Var F_g / shots_g) in the pricing state, Hartree; at most `precision`."""
        return float(np.sqrt(np.sum(self.variances / self.shots)))

    @property
    def predicted_energy(self) -> float:
        """Energy of the pricing state, Hartree."""
        return self.constant + float(self.pricing.means.sum())

    def circuits(self, preparation: "QuantumCircuit") -> "list[QuantumCircuit]":
        """Return preparation, rotation into each group's frame and measurement, group by group.

        Bit k of a group's register is the occupation of its rotated orbital k. Orbitals that a
        group does not depend on are not separated from each other, and their bits mean nothing one
        by one.

        Args:
            preparation: Circuit on 2 × norb qubits, alpha orbitals first, without measurements.
        """
        from qlowrank.circuits import measurement_circuit

        return [
            measurement_circuit(group.frame, preparation, needed=group.needed)
            for group in self.groups
        ]

    def pubs(
        self, preparation: "QuantumCircuit", *, pass_manager: "PassManager | None" = None
    ) -> list[tuple["QuantumCircuit", None, int]]:
        """Return what a Qiskit SamplerV2 runs: (circuit, no parameters, shots) for each group.

        Args:
            preparation: Circuit on 2 × norb qubits, alpha orbitals first, without measurements.
            pass_manager: Applied to every circuit, as real backends need.

        Raises:
            InputError: The preparation has the wrong number of qubits, or measures already.
        """
        circuits = self.circuits(preparation)
        if pass_manager is not None:
            circuits = pass_manager.run(circuits)
        return [(c, None, int(n)) for c, n in zip(circuits, self.shots, strict=True)]

    def estimate(self, result: Any) -> "EnergyEstimate":
        """Return energy and standard error from the result of running `pubs`.

        Args:
            result: What a SamplerV2 job's `result()` returned for these PUBs, in their order.

        Raises:
            InputError: Results are missing, or have the wrong bits or number of shots.
        """
        from qlowrank.measurement.estimate import estimate_energy

        return estimate_energy(self, result)

    def max_two_qubit_depth(self) -> int:
        """Return the largest two-qubit depth of the groups' rotations, preparation not counted."""
        from qlowrank.circuits import readout_network

        deepest = 0
        for group in sorted(self.groups, key=lambda group: -int(group.needed.sum())):
            readout = readout_network(group.frame, needed=group.needed)
            deepest = max(deepest, readout.network.depth)
            if deepest == self.norb:  # no network is deeper
                break
        return deepest

    def __repr__(self) -> str:
        """Say what it costs."""
        return (
            f"MeasurementPlan({self.n_groups} groups, {self.total_shots} shots for "
            f"{self.precision:g} Hartree, eps²M = {self.epsilon2_shots:.6g} Hartree², variances "
            f"from {self.pricing.state})"
        )


def plan_measurement(
    factorization: DoubleFactorization,
    state: State,
    *,
    precision: float = CHEMICAL_PRECISION,
    fragments: FragmentMethod | None = None,
    floor: float = 0.0,
    progress: Progress | None = None,
) -> MeasurementPlan:
    """Plan the measurement of a Hamiltonian's energy in a state.

    Each leaf of the factorization is a group of commuting operators, read after one orbital
    rotation; the one-body part is one more. Variances come from the state, exactly, and decide the
    shots.

    Args:
        factorization: The groups.
        state: Prices the groups: `ql.hartree_fock_state`, `ql.cisd_state` or `ql.fci_state`.
        precision: Standard error of the energy asked for, Hartree.
        fragments: How groups are chosen: `PlainFragments()` (default), `MeanFieldFragments()`,
            `FluidFragments()`.
        floor: Share of the shots to spread evenly, so that a group which an approximate state
            believes to be quiet still gets some; see `allocate_shots`.
        progress: Called as the variances come.

    Raises:
        InputError: A state of another number of orbitals or electrons, or an unusable precision.

    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.states import fci_state
    >>> hamiltonian = from_example("h2")
    >>> plan = plan_measurement(double_factorize(hamiltonian), fci_state(hamiltonian))
    >>> plan.n_groups, plan.total_shots
    (4, 60410)
    """
    checks.positive("precision", precision)
    if state.norb != factorization.norb or tuple(state.nelec) != factorization.nelec:
        raise InputError(
            f"The state has {state.norb} orbitals and nelec {tuple(state.nelec)}; the "
            f"factorization has {factorization.norb} and {factorization.nelec}. They must be the "
            "same: make the state from the same Hamiltonian."
        )
    method = PlainFragments() if fragments is None else fragments
    made = method(factorization, state, progress)
    moments = []
    for done, group in enumerate(made.groups, 1):
        moments.append(state.moments(group))
        if progress is not None:
            progress("variances", done, len(made.groups))
    pricing = Pricing(
        state=state.label,
        means=np.array([m.mean for m in moments]),
        variances=np.array([m.variance for m in moments]),
        floor=float(floor),
    )
    return MeasurementPlan(
        groups=made.groups,
        constant=made.constant,
        nelec=factorization.nelec,
        pricing=pricing,
        shots=allocate_shots(pricing.variances, precision, floor=floor),
        precision=float(precision),
        fragments=made.status,
    )
