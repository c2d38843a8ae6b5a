# SPDX-License-Identifier: Apache-2.0
"""What has been measured so far: counts of bitstrings, group by group, as they come in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.measurement.outcomes import Bits, Counts, Outcomes, outcomes_of
from qlowrank.measurement.plan import MeasurementPlan

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import PassManager

    from qlowrank.measurement.plan import Pub


@dataclass(frozen=True, eq=False)
class Measurements:
    """Counts of every distinct outcome of every group, from one job or many.

    Begin with `Measurements.empty(plan)`, run `remaining_pubs`, `add` what comes back, in whatever
    parts and order, and save the record with `ql.save` in between; `plan.estimate` reads it. The
    counts belong to the plan's circuits: a plan with the same circuits and other shots, such as
    `ql.replan` makes, goes on with them. That all jobs prepared the same state is not seen here.

    >>> from qiskit.primitives import StatevectorSampler
    >>> from qlowrank.circuits import determinant_circuit
    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> from qlowrank.measurement import plan_measurement
    >>> from qlowrank.states import hartree_fock_state
    >>> hamiltonian = from_example("h2")
    >>> state = hartree_fock_state(hamiltonian)
    >>> plan = plan_measurement(double_factorize(hamiltonian), state, precision=0.02)
    >>> preparation = determinant_circuit(state.orbitals, state.nelec)
    >>> measured, sampler = Measurements.empty(plan), StatevectorSampler(seed=1)
    >>> while pubs := measured.remaining_pubs(plan, preparation):
    ...     measured = measured.add(sampler.run(pubs[:2]).result())  # two circuits a job
    >>> measured
    Measurements(4 groups, 103 shots, 7 distinct outcomes)
    """

    circuits: str
    """Fingerprint of the plan's circuits, `plan.circuits_id`."""
    n_groups: int = field(metadata={"units": "1"})
    """Groups of the plan."""
    groups: np.ndarray = field(metadata={"units": "1", "axes": "outcome"})
    """Number of the group of each outcome, shape (n_outcomes,), ascending."""
    bits: np.ndarray = field(metadata={"units": "1", "axes": "outcome,bit"})
    """The outcomes, booleans, bit 0 first, shape (n_outcomes, 2 norb): the occupations of the
    group's rotated orbitals, alpha then beta."""
    counts: np.ndarray = field(metadata={"units": "1", "axes": "outcome"})
    """How often each outcome was seen, shape (n_outcomes,)."""

    def __post_init__(self) -> None:
        bits = np.array(self.bits)
        if bits.dtype != bool or bits.ndim != 2 or bits.shape[1] % 2:
            raise InputError(
                "bits must be booleans, two for each orbital in every row; got "
                f"{bits.dtype} of shape {bits.shape}."
            )
        bits.flags.writeable = False
        object.__setattr__(self, "bits", bits)
        for name in ("groups", "counts"):
            object.__setattr__(self, name, checks.counts(name, getattr(self, name), bits.shape[:1]))
        last = self.groups[-1] if len(self.groups) else -1
        if (np.diff(self.groups) < 0).any() or last >= checks.whole("n_groups", self.n_groups):
            raise InputError(
                f"groups must ascend and stay below {self.n_groups}; got "
                f"{self.groups.tolist()!r:.60}."
            )

    @classmethod
    def empty(cls, plan: MeasurementPlan) -> "Measurements":
        """Return measurements of a plan's circuits before the first shot."""
        none = np.zeros(0, dtype=np.int64)
        bits = np.zeros((0, 2 * plan.norb), dtype=bool)
        return cls(plan.circuits_id, plan.n_groups, none, bits, none)

    @property
    def shots(self) -> np.ndarray:
        """Shots of each group so far, integers, shape (n_groups,)."""
        shots = np.zeros(self.n_groups, dtype=np.int64)
        np.add.at(shots, self.groups, self.counts)
        return shots

    @property
    def total_shots(self) -> int:
        """Shots of all groups so far."""
        return int(self.counts.sum())

    def of_group(self, group: int) -> tuple[Bits, Counts]:
        """Return the distinct outcomes of a group, one a row, and their counts."""
        first, end = np.searchsorted(self.groups, (group, group + 1))
        return self.bits[first:end], self.counts[first:end]

    def add(self, result: Any, *, groups: Iterable[int] | None = None) -> "Measurements":
        """Return these measurements and those of a result together.

        A result names its group and the plan's circuits in its metadata, which Qiskit's
        StatevectorSampler and BackendSamplerV2 and the SamplerV2 of qiskit-aer carry over from the
        circuits. So it may hold any part of the PUBs, in any order, with any number of shots.

        Args:
            result: What a SamplerV2 job's `result()` returned.
            groups: Number of the group of each entry, for a sampler that drops the metadata.

        Raises:
            InputError: It is no result; an entry belongs to other circuits or another group, or
                does not say to which; the register `meas` is missing or has the wrong bits.
        """
        found = outcomes_of(result, self.bits.shape[1])
        stated = [None] * len(found) if groups is None else list(groups)
        if len(stated) != len(found):
            raise InputError(
                f"groups must name the group of each of the {len(found)} results; got "
                f"{len(stated)} numbers."
            )
        owners = [
            self._owner(position, outcomes, number)
            for position, (outcomes, number) in enumerate(zip(found, stated, strict=True))
        ]
        return self.including(found, owners)

    def including(self, found: Sequence[Outcomes], owners: Sequence[int]) -> "Measurements":
        """Return these measurements and outcomes of known groups together, equal ones as one.

        Args:
            found: Outcomes from anywhere; what they say of their origin is not looked at.
            owners: Number of the group of each.
        """
        groups = [np.full(len(o.counts), g) for o, g in zip(found, owners, strict=True)]
        group = np.concatenate([self.groups, *groups]).astype(np.int64)
        bits = np.concatenate([self.bits, *(outcomes.bits for outcomes in found)])
        counts = np.concatenate([self.counts, *(outcomes.counts for outcomes in found)])
        # big-endian bytes sort as the numbers do
        keys = np.hstack([group.astype(">i8")[:, None].view(np.uint8), np.packbits(bits, axis=1)])
        width = keys.shape[1]
        rows = np.ascontiguousarray(keys).view(f"V{width}").ravel()
        _, first, place = np.unique(rows, return_index=True, return_inverse=True)
        totals = np.zeros(len(first), dtype=np.int64)
        np.add.at(totals, place, counts)
        return replace(self, groups=group[first], bits=bits[first], counts=totals)

    def remaining(self, plan: MeasurementPlan) -> np.ndarray:
        """Return the shots that each group still lacks, integers, shape (n_groups,).

        Raises:
            InputError: The plan has other circuits.
        """
        self.refuse_foreign(plan)
        return np.maximum(plan.shots - self.shots, 0)

    def remaining_pubs(
        self,
        plan: MeasurementPlan,
        preparation: "QuantumCircuit",
        *,
        pass_manager: "PassManager | None" = None,
    ) -> "list[Pub]":
        """Return PUBs for the shots that are lacking, none for groups that lack none.

        Args:
            plan: Shots that are wanted in all.
            preparation: The same circuit as before.
            pass_manager: Applied to every circuit.

        Raises:
            InputError: The plan has other circuits, or the preparation does not fit.
        """
        from qlowrank.measurement.pubs import pubs

        return pubs(plan, self.remaining(plan), preparation, pass_manager)

    def refuse_foreign(self, plan: MeasurementPlan) -> None:
        """Refuse a plan with other circuits.

        Raises:
            InputError: Its fingerprint is another.
        """
        if plan.circuits_id != self.circuits:
            raise InputError(
                f"These are counts of the circuits {self.circuits}, and the plan has the circuits "
                f"{plan.circuits_id}. Use the plan whose PUBs were run, or one made from it."
            )

    def _owner(self, position: int, outcomes: Outcomes, stated: int | None) -> int:
        """Return the group that an entry belongs to, or say why that is not known."""
        if outcomes.fingerprint is not None and outcomes.fingerprint != self.circuits:
            raise InputError(
                f"Result {position} belongs to the circuits {outcomes.fingerprint}; these are "
                f"counts of {self.circuits}. It was run for another plan."
            )
        named = outcomes.group if stated is None else checks.whole("groups", stated)
        if named is None:
            raise InputError(
                f"Result {position} does not say which group it measured: the sampler dropped the "
                "metadata of the circuits. Pass groups=[...], the group of each result in order."
            )
        if outcomes.group is not None and outcomes.group != named:
            raise InputError(
                f"Result {position} measured group {outcomes.group}, and groups says {named}. The "
                "results are in another order; leave groups out, or put them right."
            )
        if not 0 <= named < self.n_groups:
            raise InputError(f"Result {position} has group {named}; there are {self.n_groups}.")
        return named

    def __repr__(self) -> str:
        """Say how much there is."""
        return (
            f"Measurements({self.n_groups} groups, {self.total_shots} shots, "
            f"{len(self.counts)} distinct outcomes)"
        )
