# SPDX-License-Identifier: Apache-2.0
"""Circuits of a plan's groups, each with its name, and the PUBs that run them."""

from typing import TYPE_CHECKING

import numpy as np

from qlowrank.measurement.outcomes import CIRCUITS, GROUP
from qlowrank.measurement.plan import MeasurementPlan, Pub

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import PassManager


def group_circuit(
    plan: MeasurementPlan, group: int, preparation: "QuantumCircuit"
) -> "QuantumCircuit":
    """Return preparation, rotation and measurement of one group, labelled with its number.

    The label stands in the circuit's metadata; samplers hand it on to the result, and
    `Measurements.add` reads it there.
    """
    from qlowrank.circuits import measurement_circuit

    operator = plan.groups[group]
    circuit = measurement_circuit(operator.frame, preparation, needed=operator.needed)
    circuit.metadata = {GROUP: group, CIRCUITS: plan.circuits_id}
    return circuit


def pubs(
    plan: MeasurementPlan,
    shots: np.ndarray,
    preparation: "QuantumCircuit",
    pass_manager: "PassManager | None",
) -> list[Pub]:
    """Return (circuit, no parameters, shots) for every group that gets shots.

    Args:
        plan: Its groups are measured.
        shots: For each group, integers, shape (n_groups,).
        preparation: Circuit on 2 × norb qubits, without measurements.
        pass_manager: Applied to every circuit.
    """
    wanted = np.flatnonzero(shots).tolist()
    circuits = [group_circuit(plan, group, preparation) for group in wanted]
    if pass_manager is not None and circuits:
        circuits = pass_manager.run(circuits)
    return [(c, None, int(shots[group])) for c, group in zip(circuits, wanted, strict=True)]
