# SPDX-License-Identifier: Apache-2.0
"""How an optimisation went: its history, its last gradient and why it stopped."""

from dataclasses import dataclass, field

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError


@dataclass(frozen=True, eq=False)
class OptimizerStatus:
    """What an optimiser did. The record beside it always holds the best point that was seen."""

    method: str
    """Name of the method."""
    objective: str
    """What was minimised, in words."""
    converged: bool
    """Whether the method met its own criterion."""
    message: str
    """Why it stopped, in words."""
    history: Array = field(metadata={"units": "hartree^2", "axes": "step"})
    """Objective at the start and after every step, shape (n_steps + 1,), Hartree²."""
    gradient_norm: float = field(metadata={"units": "hartree"})
    """Norm of the last gradient in the optimiser's scaled coordinates, Hartree."""
    seed: int | None
    """Seed of the starting point; None where nothing was random."""

    def __post_init__(self) -> None:
        if np.ndim(self.history) != 1 or np.size(self.history) == 0:
            raise InputError(
                "history must be a row with the objective at the start and after every step; got "
                f"shape {np.shape(self.history)}."
            )
        history = checks.readonly("history", self.history, np.shape(self.history))
        object.__setattr__(self, "history", history)

    @property
    def n_steps(self) -> int:
        """Steps taken."""
        return len(self.history) - 1

    def __repr__(self) -> str:
        """Say how it went."""
        return (
            f"OptimizerStatus({self.method}: {self.objective} from {self.history[0]:.3e} to "
            f"{self.history[-1]:.3e} in {self.n_steps} steps, gradient {self.gradient_norm:.1e}, "
            f"{'converged' if self.converged else 'not converged'}: {self.message})"
        )
