# SPDX-License-Identifier: Apache-2.0
"""The kinds of record an archive can hold, by the names they have in the file.

To add a kind, add one line to `KINDS`. Its fields are stored by their declared types, with the
`units` and `axes` of their metadata. Never rename a key: files have it.
"""

from typing import Any

from qlowrank.archive.run_record import RunRecord
from qlowrank.checks import InputError
from qlowrank.factorization.compression.record import CompressedFactorization
from qlowrank.factorization.gauges.descent import GaugeStatus
from qlowrank.factorization.gauges.fit import SquareFit
from qlowrank.factorization.hypercontraction.record import Hypercontraction
from qlowrank.factorization.record import DoubleFactorization
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.integrals.record import Reference
from qlowrank.measurement.estimate import EnergyEstimate
from qlowrank.measurement.measurements import Measurements
from qlowrank.measurement.plan import MeasurementPlan
from qlowrank.measurement.simulate import SimulatedExperiments
from qlowrank.mps.entanglement import Entanglement
from qlowrank.mps.record import MPS
from qlowrank.states.fci import FCIState
from qlowrank.states.mps_state import MPSState
from qlowrank.states.reference import CISDState, DeterminantState

KINDS: dict[str, type] = {
    "hamiltonian": Hamiltonian,
    "factorization": DoubleFactorization,
    "gauge_status": GaugeStatus,
    "compressed": CompressedFactorization,
    "hypercontraction": Hypercontraction,
    "square_fit": SquareFit,
    "determinant_state": DeterminantState,
    "cisd_state": CISDState,
    "fci_state": FCIState,
    "mps_state": MPSState,
    "mps": MPS,
    "entanglement": Entanglement,
    "plan": MeasurementPlan,
    "measurements": Measurements,
    "estimate": EnergyEstimate,
    "experiments": SimulatedExperiments,
    "run": RunRecord,
}
"""Name in the file and type of every record that can be saved, in the order of the file."""

STATES = ("fci_state", "mps_state", "cisd_state", "determinant_state")
"""Kinds that are states, the best first."""

FACTORIZATIONS = ("factorization", "compressed", "hypercontraction")
"""Kinds that are factorizations of the two-electron part."""

ROW_AXES: dict[type, str] = {DiagonalOperator: "group", Reference: "reference"}
"""What the leading axis of a stack of such records is called; "row" for others."""


def in_order(records: tuple[Any, ...]) -> dict[str, Any]:
    """Return the records by kind, in the order of the file.

    Raises:
        InputError: No record, one of a foreign type, or two of a kind.
    """
    names = {cls: name for name, cls in KINDS.items()}
    held: dict[str, Any] = {}
    for record in records:
        name = names.get(type(record))
        if name is None:
            known = ", ".join(cls.__name__ for cls in KINDS.values())
            raise InputError(
                f"An archive cannot hold a {type(record).__name__}; it can hold {known}."
            )
        if name in held:
            raise InputError(
                f"An archive holds at most one {type(record).__name__}; got two. Save each to a "
                "file of its own."
            )
        held[name] = record
    if not held:
        raise InputError("There is nothing to save; pass at least one record.")
    return {name: held[name] for name in KINDS if name in held}
