# SPDX-License-Identifier: Apache-2.0
"""Copies of circuits for other programs: OpenQASM 3 text and Qiskit's binary QPY."""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from qlowrank.checks import InputError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

QPY_VERSION = 13
"""The QPY format written: the oldest that every Qiskit 2 writes, so that Qiskit 1.3 and all later
ones read it. It stands in the seventh byte."""


def to_qasm3(circuit: "QuantumCircuit") -> str:
    """Write a circuit as OpenQASM 3 text.

    Angles are written with all their digits. Gates that `stdgates.inc` does not have, such as
    `xx_plus_yy`, are defined in the text from those it has; a global phase is not written. Free
    parameters become `input` variables.

    Raises:
        InputError: `circuit` is no circuit, or holds what OpenQASM 3 cannot say.

    >>> from qlowrank.circuits.measurement import measurement_circuit
    >>> print(to_qasm3(measurement_circuit([[0.0, 1.0], [1.0, 0.0]])))
    OPENQASM 3.0;
    include "stdgates.inc";
    bit[4] meas;
    qubit[4] q;
    meas[0] = measure q[1];
    meas[1] = measure q[0];
    meas[2] = measure q[3];
    meas[3] = measure q[2];
    """
    from qiskit import qasm3

    _refuse_others([circuit])
    try:
        # Qiskit would otherwise write angles within 1e-9 of a fraction of pi as that fraction.
        return str(qasm3.dumps(circuit, disable_constants=True))
    except qasm3.QASM3ExporterError as error:
        raise InputError(
            f"circuit cannot be written as OpenQASM 3: {error.message}. Decompose or transpile it "
            "first."
        ) from error


def to_qpy(circuits: "QuantumCircuit | Iterable[QuantumCircuit]") -> bytes:
    """Write circuits as QPY, format `QPY_VERSION`; `qiskit.qpy.load` gives a list of them back.

    The same circuits give the same bytes with the same Qiskit: the circuits of this package have
    fixed names.

    Raises:
        InputError: Something among `circuits` is no circuit.

    >>> from io import BytesIO
    >>> from qiskit import qpy
    >>> from qlowrank.circuits.measurement import measurement_circuit
    >>> circuit = measurement_circuit([[0.6, 0.8], [0.8, -0.6]])
    >>> qpy.load(BytesIO(to_qpy(circuit))) == [circuit]
    True
    """
    from qiskit import QuantumCircuit, qpy

    listed = [circuits] if isinstance(circuits, QuantumCircuit) else list(circuits)
    _refuse_others(listed)
    file = BytesIO()
    qpy.dump(listed, file, version=QPY_VERSION)
    return file.getvalue()


def _refuse_others(circuits: list[Any]) -> None:
    """Refuse what is no circuit."""
    from qiskit import QuantumCircuit

    for circuit in circuits:
        if not isinstance(circuit, QuantumCircuit):
            raise InputError(
                f"only a qiskit.QuantumCircuit can be written; got {type(circuit).__name__}."
            )
