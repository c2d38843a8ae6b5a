# SPDX-License-Identifier: Apache-2.0
"""What phase estimation of a factorized Hamiltonian costs: Toffoli gates and logical qubits."""

from dataclasses import dataclass, field
from typing import Any

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.factorization.hypercontraction import Hypercontraction
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.resources.encodings import (
    DoubleFactorizedEncoding,
    Encoded,
    Encoding,
    HypercontractedEncoding,
    SingleFactorizedEncoding,
)
from qlowrank.resources.phase_estimation import (
    PhaseEstimation,
    Qubitization,
    phase_estimation_steps,
)
from qlowrank.resources.walk import Walk, WalkCost, walk_cost


@dataclass(frozen=True, slots=True)
class ResourceEstimate:
    """Cost of the energy of a Hamiltonian by phase estimation of a quantum walk.

    The state it starts from is not counted, nor are failures: the figures are for one run in an
    eigenstate.
    """

    encoding: str
    """Name of the encoding."""
    one_norm: float = field(metadata={"units": "hartree"})
    """λ, Hartree."""
    precision: float = field(metadata={"units": "hartree"})
    """ΔE, Hartree."""
    steps: int = field(metadata={"units": "1"})
    """Steps of the walk."""
    walk: Walk
    """Sizes and bits that the cost follows from."""
    step: WalkCost
    """What a step costs, part by part."""

    @property
    def toffoli_per_step(self) -> int:
        """Toffoli gates of a step."""
        return self.step.toffoli

    @property
    def toffoli(self) -> int:
        """Toffoli gates in all."""
        return self.steps * self.step.toffoli

    @property
    def logical_qubits(self) -> int:
        """Logical qubits, those that control phase estimation included."""
        return self.step.qubits + self.walk.control_qubits(self.steps)

    def __repr__(self) -> str:
        """Say what it costs."""
        return (
            f"ResourceEstimate({self.encoding}: one-norm {self.one_norm:.4f} Hartree, "
            f"{self.steps:,} steps of {self.toffoli_per_step:,} Toffoli = {self.toffoli:.3g} "
            f"Toffoli, {self.logical_qubits:,} logical qubits for {self.precision:g} Hartree)"
        )


def resource_estimate(
    factorization: Any,
    *,
    precision: float = 1e-3,
    encoding: Encoding | None = None,
    phase_estimation: PhaseEstimation | None = None,
) -> ResourceEstimate:
    r"""Count Toffoli gates and logical qubits for the energy to a precision.

    .. math:: \text{Toffoli} = \Big\lceil \frac{\pi \lambda}{2 \Delta E} \Big\rceil
              \times \text{Toffoli per step}

    Args:
        factorization: A `DoubleFactorization`, shifted or not, a `CompressedFactorization`, a
            `Hypercontraction`, or a `Hamiltonian`.
        precision: ΔE, Hartree.
        encoding: `DoubleFactorizedEncoding()`, `HypercontractedEncoding()`,
            `SingleFactorizedEncoding()` or `SparseEncoding()` of `qlowrank.resources`; by default
            the one that fits the record, single factorization for a `Hamiltonian`.
        phase_estimation: `Qubitization()` (default) or `SpectrumAmplification(gap=...)` of
            `qlowrank.resources`.

    Returns:
        The counts, and what they are made of.

    Raises:
        InputError: A precision that is not above zero, no orbitals, or a record that the encoding
            cannot take.

    Source:
        J. Lee et al., PRX Quantum 2, 030305 (2021), whose counts OpenFermion has as programs; the
        same sizes give the same numbers.

    >>> from qlowrank.factorization import double_factorize
    >>> from qlowrank.hamiltonian.read import from_example
    >>> estimate = resource_estimate(double_factorize(from_example("water")))
    >>> estimate.walk.n_leaves, estimate.walk.n_eigenvectors
    (28, 109)
    >>> estimate.toffoli == estimate.steps * estimate.toffoli_per_step
    True
    """
    precision = checks.positive("precision", precision)
    method = _default(factorization) if encoding is None else encoding
    return estimate_encoded(
        method(factorization),
        precision=precision,
        name=method.name,
        phase_estimation=phase_estimation,
    )


def estimate_encoded(
    encoded: Encoded,
    *,
    precision: float,
    name: str = "given",
    phase_estimation: PhaseEstimation | None = None,
) -> ResourceEstimate:
    """Count the cost of a walk and one-norm given as numbers, for instance from a paper.

    >>> from qlowrank.resources.double_factorized import DoubleFactorizedWalk
    >>> walk = DoubleFactorizedWalk(norb=54, n_leaves=360, n_eigenvectors=13031)
    >>> estimate_encoded(Encoded(one_norm=294.8, walk=walk), precision=1e-3).toffoli
    10073183463
    """
    method = Qubitization() if phase_estimation is None else phase_estimation
    return ResourceEstimate(
        encoding=name,
        one_norm=encoded.one_norm,
        precision=precision,
        steps=phase_estimation_steps(method, one_norm=encoded.one_norm, precision=precision),
        walk=encoded.walk,
        step=walk_cost(encoded.walk),
    )


def _default(record: Any) -> Encoding:
    """Encode leaves as leaves, and a Hamiltonian by its factors."""
    if isinstance(record, Hamiltonian):
        return SingleFactorizedEncoding()
    if isinstance(record, Hypercontraction):
        return HypercontractedEncoding()
    if hasattr(record, "leaves") and hasattr(record, "cores"):
        return DoubleFactorizedEncoding()
    if hasattr(record, "with_empty_orbital"):
        raise InputError(
            "A SquareEncoding is counted as the double factorization it is: "
            "ql.resource_estimate(encoding.with_empty_orbital()). With directions projected out it "
            "is none, and no formula here counts it."
        )
    raise InputError(
        "resource_estimate needs a factorization, or a Hamiltonian; got "
        f"{type(record).__name__}. Make one with ql.double_factorize(hamiltonian)."
    )
