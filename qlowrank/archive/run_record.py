# SPDX-License-Identifier: Apache-2.0
"""How a study was made: the command, its parameters and its seed."""

import json
from dataclasses import dataclass, field

from qlowrank.checks import InputError

LARGEST_SEED = 2**63 - 1
"""What fits into the archive's integers."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What was asked for, so that it can be asked for again.

    >>> RunRecord(command="run", parameters='{"state": "fci", "basis": "sto-3g"}', seed=7)
    RunRecord(command='run', parameters='{"basis": "sto-3g", "state": "fci"}', seed=7)
    """

    command: str
    """The verb, such as "run"."""
    parameters: str
    """A JSON object of everything that decides the result; kept with sorted keys."""
    seed: int | None = field(metadata={"units": "1"})
    """Seed of the random numbers, or None where none were drawn."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", _canonical(self.parameters))
        if self.seed is not None and not 0 <= self.seed <= LARGEST_SEED:
            raise InputError(f"seed must be from 0 to {LARGEST_SEED}; got {self.seed}.")


def _canonical(text: str) -> str:
    """Return a JSON object with its keys sorted, so that equal parameters are equal texts."""
    try:
        parameters = json.loads(text)
    except (TypeError, ValueError) as error:
        raise InputError(f"parameters must be a JSON object; got {text!r:.60}.") from error
    if not isinstance(parameters, dict):
        raise InputError(f"parameters must be a JSON object; got {text!r:.60}.")
    return json.dumps(parameters, sort_keys=True, ensure_ascii=False)
