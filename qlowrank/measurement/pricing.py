# SPDX-License-Identifier: Apache-2.0
"""What a plan's shots are computed from: means and variances, shots spent, and a bias."""

from dataclasses import dataclass, field

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError


def no_shots() -> np.ndarray:
    """Return what stands for no shots in any group."""
    return np.zeros(0, dtype=np.int64)


def no_variances() -> Array:
    """Return what stands for no variances of any group."""
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Pricing:
    """Means and variances of all groups in the state that priced the plan."""

    state: str
    """Which state: "hf", "cisd", "fci"; "measured" where shots of an earlier round count too."""
    means: Array = field(metadata={"units": "hartree", "axes": "group"})
    """⟨F_g⟩, shape (n_groups,), Hartree."""
    variances: Array = field(metadata={"units": "hartree^2", "axes": "group"})
    """Var(F_g), all covariances inside a group counted, shape (n_groups,), Hartree²."""
    floor: float = field(default=0.0, metadata={"units": "1"})
    """Share of the shots that is spread evenly, because the state is only near the true one."""
    spent: np.ndarray = field(default_factory=no_shots, metadata={"units": "1", "axes": "group"})
    """Shots that each group had before, integers, shape (n_groups,); by default none. A plan's
    shots include them."""

    def __post_init__(self) -> None:
        shape = (len(self.means),)
        for name in ("means", "variances"):
            object.__setattr__(self, name, checks.readonly(name, getattr(self, name), shape))
        if (self.variances < 0).any():
            raise InputError(
                f"variances must be at least 0 Hartree²; got {self.variances.min():g}."
            )
        given = np.zeros(shape) if np.size(self.spent) == 0 else self.spent
        object.__setattr__(self, "spent", checks.counts("spent", given, shape))

    def __repr__(self) -> str:
        """Say whose variances these are."""
        return f"Pricing({len(self.variances)} groups, variances from {self.state})"


@dataclass(frozen=True, slots=True)
class Bias:
    """How far the energy that a plan measures may lie from the energy that was asked for."""

    bound: float = field(default=0.0, metadata={"units": "hartree"})
    """How far the measured operator is from the Hamiltonian in the states of `scope`, Hartree."""
    scope: str = "sector"
    """"sector": every state with the plan's electrons; else the label of the state it holds for."""
    dropped: int = field(default=0, metadata={"units": "1"})
    """Leaves that are not measured."""

    def __post_init__(self) -> None:
        if not checks.finite("bound", self.bound) >= 0:
            raise InputError(f"bound must be at least 0 Hartree; got {self.bound:g}.")
        if checks.whole("dropped", self.dropped) < 0:
            raise InputError(f"dropped must be at least 0; got {self.dropped}.")

    def left_of(self, precision: float) -> float:
        """Return the standard error that a precision leaves to the shots, sqrt(ε² − b²), Hartree.

        Raises:
            InputError: Nothing is left: no number of shots reaches the precision.

        >>> Bias(3e-3).left_of(5e-3)
        0.004
        """
        if precision <= self.bound:
            raise InputError(
                f"A precision of {precision:g} Hartree cannot be reached with any number of shots: "
                f"the bias may be {self.bound:.3g} Hartree, and only precisions above that can. "
                "Ask for a larger one, or truncate or fit with a smaller error."
            )
        ratio = self.bound / precision
        return precision if ratio == 0 else precision * float(np.sqrt((1 - ratio) * (1 + ratio)))


NO_BIAS = Bias()
"""Nothing was truncated."""
