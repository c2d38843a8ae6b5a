# SPDX-License-Identifier: Apache-2.0
"""The measurement plan: groups, their variances in a state, and the shots each one gets."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.factorization.compression.record import CompressedFactorization
from qlowrank.factorization.mean_field import keeps_mean_field
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.lowrank import Progress
from qlowrank.measurement.allocation import LEAST_SHOTS, ROUNDING, allocate_shots
from qlowrank.measurement.fragments import FragmentMethod, FragmentStatus, PlainFragments
from qlowrank.measurement.groups import Leaves, check_leaves
from qlowrank.measurement.pricing import NO_BIAS, Bias, Pricing
from qlowrank.measurement.rarity import (
    estimated_kurtoses,
    sample_error_uncertainty,
    sector_moments,
    shots_for_own_error,
)
from qlowrank.measurement.selection import ShotSelection
from qlowrank.states.state import State

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import PassManager

    from qlowrank.circuits import CircuitCost
    from qlowrank.measurement.estimate import EnergyEstimate

Pub: TypeAlias = "tuple[QuantumCircuit, None, int]"
"""What a SamplerV2 runs: a circuit, no parameters, shots."""

PLAIN = FragmentStatus("plain", converged=True)

UNSURE = 0.25
"""Relative error of a sampled standard error from which on a plan says so."""

CHEMICAL_PRECISION = 1.6e-3
"""Hartree; about 1 kcal/mol."""


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
    """Repetitions of each group in all, integers, shape (n_groups,)."""
    precision: float = field(metadata={"units": "hartree"})
    """Error asked for, Hartree: sqrt(bias² + standard error²)."""
    fragments: FragmentStatus = PLAIN
    """How the groups were chosen."""
    bias: Bias = NO_BIAS
    """How far the groups may be from the Hamiltonian, where they are a truncated one."""

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
        self.bias.left_of(self.precision)
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
    def predicted_error(self) -> float:
        """sqrt(bias² + predicted standard error²), Hartree; at most `precision`."""
        return float(np.hypot(self.bias.bound, self.predicted_standard_error))

    @cached_property
    def sector_moments(self) -> tuple[Array, Array]:
        """Means and variances of every group over random outcomes, Hartree and Hartree²."""
        return sector_moments(self.groups, self.nelec)

    @property
    def kurtoses(self) -> Array:
        """Estimated kurtosis of each group, at least 3, shape (n_groups,).

        Where rare outcomes make up the variance, this is about 1 / their probability: the mean
        squared distance of the sector's outcomes from the mean, divided by the variance.
        """
        centres, variances = self.sector_moments
        distances = variances + (centres - self.pricing.means) ** 2
        return estimated_kurtoses(self.variances, distances)

    @property
    def sample_error_uncertainty(self) -> float:
        """Relative error of the standard error that these shots alone would show.

        0.1 says that samples tell the standard error to 10 %. Where it is large, rare outcomes hold
        the variance and most experiments see none: `estimate` then relies on the prediction, and
        is as good as the state that made it. `with_own_error_bar` buys independence.
        """
        return sample_error_uncertainty(self.variances, self.kurtoses, self.shots)

    @property
    def shows_too_little(self) -> bool:
        """Whether the shots alone leave the standard error uncertain by more than a quarter."""
        return self.sample_error_uncertainty > UNSURE

    @cached_property
    def circuits_id(self) -> str:
        """Fingerprint of the groups' circuits: plans that measure the same have the same."""
        summary = hashlib.sha256(repr((self.norb, self.nelec, self.n_groups)).encode())
        for group in self.groups:
            summary.update(group.frame.astype("<f8").tobytes())
            summary.update(group.needed.tobytes())
        return summary.hexdigest()[:16]

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
        from qlowrank.measurement.pubs import group_circuit

        return [group_circuit(self, group, preparation) for group in range(self.n_groups)]

    def pubs(
        self, preparation: "QuantumCircuit", *, pass_manager: "PassManager | None" = None
    ) -> list[Pub]:
        """Return what a Qiskit SamplerV2 runs: (circuit, no parameters, shots) for each group.

        Args:
            preparation: Circuit on 2 × norb qubits, alpha orbitals first, without measurements.
            pass_manager: Applied to every circuit, as real backends need.

        Raises:
            InputError: The preparation has the wrong number of qubits, or measures already.
        """
        from qlowrank.measurement.pubs import pubs

        return pubs(self, self.shots, preparation, pass_manager)

    def circuit_costs(
        self,
        preparation: "QuantumCircuit | None" = None,
        *,
        pass_manager: "PassManager | None" = None,
    ) -> "tuple[CircuitCost, ...]":
        """Return two-qubit count and depth of every group's circuit, before or after compilation.

        Args:
            preparation: Counted too; None counts rotation and measurement alone.
            pass_manager: What compiles the circuits first; None counts them as they are made.

        Raises:
            InputError: The preparation does not fit, or has gates that cannot be counted.

        >>> from qiskit.transpiler import generate_preset_pass_manager
        >>> from qlowrank.factorization import double_factorize
        >>> from qlowrank.hamiltonian.read import from_example
        >>> from qlowrank.states import fci_state
        >>> hamiltonian = from_example("h2")
        >>> plan = plan_measurement(double_factorize(hamiltonian), fci_state(hamiltonian))
        >>> [cost.two_qubit_count for cost in plan.circuit_costs()]
        [0, 0, 2, 0]
        >>> manager = generate_preset_pass_manager(1, basis_gates=["rz", "sx", "x", "cx"])
        >>> [cost.two_qubit_count for cost in plan.circuit_costs(pass_manager=manager)]
        [0, 0, 4, 0]
        """
        from qlowrank.circuits import circuit_cost, measurement_circuit

        return tuple(
            circuit_cost(
                measurement_circuit(group.frame, preparation, needed=group.needed),
                pass_manager=pass_manager,
            )
            for group in self.groups
        )

    def estimate(
        self, measured: Any, *, selection: ShotSelection | None = None
    ) -> "EnergyEstimate":
        """Return energy and standard error from what was measured; see `estimate_energy`.

        Args:
            measured: `Measurements`, or what a SamplerV2 job's `result()` returned for all PUBs.
            selection: Which shots count: `AllShots()` (default) or `PostSelected()`.

        Raises:
            InputError: Results are missing, belong to another plan, or have the wrong bits or too
                few shots; a group has no shots left that count.
        """
        from qlowrank.measurement.estimate import estimate_energy

        return estimate_energy(self, measured, selection=selection)

    def with_shots(self, shots: np.ndarray) -> "MeasurementPlan":
        """Return the same plan with these shots, and with the precision that they buy.

        For those who take what they have: `plan.with_shots(measured.shots).estimate(measured)`.

        Args:
            shots: Of each group, integers, at least 2, shape (n_groups,).

        Raises:
            InputError: Another number of groups, or fewer than two shots for one.
        """
        spent = checks.counts("shots", shots, (self.n_groups,))
        error = float(np.sqrt(np.sum(self.variances / np.maximum(spent, 1))))
        reached = float(np.hypot(self.bias.bound, error)) * (1 + ROUNDING)
        return replace(
            self,
            shots=spent,
            precision=reached or self.precision,  # 0 where nothing varies
            pricing=replace(self.pricing, spent=spent),
        )

    def with_own_error_bar(self, relative: float = 0.25) -> "MeasurementPlan":
        """Return the same plan with at least as many shots, enough to show their own error.

        Args:
            relative: What `sample_error_uncertainty` must not exceed.

        Raises:
            InputError: `relative` is not above 0.
        """
        wanted = checks.positive("relative", relative)
        shots = shots_for_own_error(self.variances, self.kurtoses, self.shots, wanted)
        return replace(self, shots=shots, pricing=replace(self.pricing, spent=shots))

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
        unsure = self.sample_error_uncertainty
        warning = f"; samples alone tell the error to ± {unsure:.0%}" * self.shows_too_little
        return (
            f"MeasurementPlan({self.n_groups} groups, {self.total_shots} shots for "
            f"{self.precision:g} Hartree, eps²M = {self.epsilon2_shots:.6g} Hartree², variances "
            f"from {self.pricing.state}{warning})"
        )


def plan_measurement(
    factorization: Leaves,
    state: State,
    *,
    precision: float = CHEMICAL_PRECISION,
    fragments: FragmentMethod | None = None,
    floor: float = 0.0,
    progress: Progress | None = None,
) -> MeasurementPlan:
    r"""Plan the measurement of a Hamiltonian's energy in a state.

    Each leaf of the factorization is a group of commuting operators, read after one orbital
    rotation; the one-body part is one more. Variances come from the state, exactly, and decide the
    shots.

    Leaves of a fit (`ql.compress`, or those of `ql.fit_squares`) do not sum to the Hamiltonian. By
    how much they miss the state's energy is the plan's `bias`: exact in the pricing state, believed
    near it. Shots then make up what it leaves of the precision, :math:`\sqrt{\epsilon^2 - b^2}`.

    Args:
        factorization: The groups: a `DoubleFactorization` or a `CompressedFactorization`; the
            latter as it stands, with `PlainFragments()` only.
        state: Prices the groups: `ql.hartree_fock_state`, `ql.cisd_state` or `ql.fci_state`.
        precision: Error of the energy asked for, Hartree: bias and standard error together.
        fragments: How groups are chosen: `PlainFragments()` (default), `MeanFieldFragments()`,
            `FluidFragments()`.
        floor: Share of the shots to spread evenly, so that a group which an approximate state
            believes to be quiet still gets some; see `allocate_shots`.
        progress: Called as the variances come.

    Raises:
        InputError: A state of another number of orbitals or electrons, an unusable precision, one
            not above the bias of a fit, or a record without leaves, or without the squares that
            the fragments need.

    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.states import fci_state
    >>> hamiltonian = from_example("h2")
    >>> plan = plan_measurement(double_factorize(hamiltonian), fci_state(hamiltonian))
    >>> plan.n_groups, plan.total_shots
    (4, 60410)
    """
    checks.positive("precision", precision)
    method = PlainFragments() if fragments is None else fragments
    check_leaves(factorization, squares=not isinstance(method, PlainFragments))
    if state.norb != factorization.norb or tuple(state.nelec) != factorization.nelec:
        raise InputError(
            f"The state has {state.norb} orbitals and nelec {tuple(state.nelec)}; the "
            f"factorization has {factorization.norb} and {factorization.nelec}. They must be the "
            "same: make the state from the same Hamiltonian."
        )
    made = method(cast("DoubleFactorization", factorization), state, progress)
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
    bias = _bias_of_fit(factorization, made.constant + float(pricing.means.sum()), state)
    error = bias.left_of(float(precision))
    return MeasurementPlan(
        groups=made.groups,
        constant=made.constant,
        nelec=factorization.nelec,
        pricing=pricing,
        shots=allocate_shots(pricing.variances, error, floor=floor),
        precision=float(precision),
        fragments=made.status,
        bias=bias,
    )


def _bias_of_fit(factorization: Leaves, energy: float, state: State) -> Bias:
    """Return by how much fitted leaves miss the state's energy; exact leaves have no bias."""
    fitted = isinstance(factorization, CompressedFactorization) or keeps_mean_field(factorization)
    return Bias(abs(energy - state.energy), state.label) if fitted else NO_BIAS
