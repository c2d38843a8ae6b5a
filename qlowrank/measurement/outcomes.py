# SPDX-License-Identifier: Apache-2.0
"""What a SamplerV2 returns, result by result: whose it is, which bits, how often."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlowrank.checks import InputError

GROUP, CIRCUITS = "qlowrank_group", "qlowrank_circuits"
"""Keys of a circuit's metadata: number of its group, fingerprint of the plan's circuits."""

Bits = NDArray[np.bool_]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Outcomes:
    """One result of a sampler: distinct outcomes and their counts."""

    group: int | None
    """Number of the group it says it belongs to; None where the sampler does not say."""
    fingerprint: str | None
    """Fingerprint of the circuits it says it belongs to; None where the sampler does not say."""
    bits: Bits
    """Distinct outcomes, one a row, bit 0 first, shape (n_outcomes, n_bits)."""
    counts: Counts
    """How often each was seen, shape (n_outcomes,)."""


def outcomes_of(result: Any, n_bits: int) -> list[Outcomes]:
    """Return the outcomes of every PUB of a sampler's result.

    Args:
        result: What a SamplerV2 job's `result()` returned, or a part of it.
        n_bits: Bits of the register `meas`.

    Raises:
        InputError: It is no result, a result has no register `meas`, or the wrong number of bits.
    """
    try:
        results = list(result)
    except TypeError:
        raise InputError(
            f"Expected the result of a SamplerV2 job, one entry a group; got "
            f"{type(result).__name__}. Pass job.result()."
        ) from None
    return [_outcomes(pub, n_bits, position) for position, pub in enumerate(results)]


def _outcomes(pub: Any, n_bits: int, position: int) -> Outcomes:
    """Return the outcomes of one PUB."""
    bits = getattr(getattr(pub, "data", None), "meas", None)
    if bits is None:
        raise InputError(
            f"Result {position} has no classical register 'meas'; run the circuits of "
            "plan.pubs(...) on a SamplerV2."
        )
    if bits.num_bits != n_bits:
        raise InputError(f"Result {position} has {bits.num_bits} bits; {n_bits} were measured.")
    # Millions of shots show few outcomes: count equal rows of bytes before unpacking any.
    n_bytes = bits.array.shape[-1]
    rows = np.ascontiguousarray(bits.array.reshape(-1, n_bytes)).view(f"V{n_bytes}").ravel()
    distinct, counts = np.unique(rows, return_counts=True)
    packed = distinct.view(np.uint8).reshape(-1, n_bytes)
    table = np.unpackbits(packed, axis=1)[:, ::-1]  # bit 0 is the last of the row
    group, fingerprint = _origin(pub)
    return Outcomes(group, fingerprint, table[:, :n_bits].astype(bool), counts.astype(np.int64))


def _origin(pub: Any) -> tuple[int | None, str | None]:
    """Return group and fingerprint that the circuit's metadata name, where the result has them."""
    metadata = getattr(pub, "metadata", None)
    circuit = metadata.get("circuit_metadata") if isinstance(metadata, dict) else None
    if not isinstance(circuit, dict) or not {GROUP, CIRCUITS} <= circuit.keys():
        return None, None
    return int(circuit[GROUP]), str(circuit[CIRCUITS])
