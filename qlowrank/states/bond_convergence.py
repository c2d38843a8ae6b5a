# SPDX-License-Identifier: Apache-2.0
"""Variances of measurement groups as the bond dimension of a state grows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.diagonal import DiagonalOperator
from qlowrank.lowrank import Progress
from qlowrank.mps.arithmetic import scale_mps
from qlowrank.mps.compress import compress_mps
from qlowrank.mps.sectors import IntArray
from qlowrank.states.mps_state import MPSState


@dataclass(frozen=True, eq=False)
class VarianceConvergence:
    """The same groups, priced by the same state cut to smaller and larger bonds."""

    bond_dimensions: IntArray = field(metadata={"units": "1", "axes": "cut"})
    """Rising, shape (n_cuts,)."""
    variances: Array = field(metadata={"units": "hartree^2", "axes": "cut,group"})
    """Var(F_g), shape (n_cuts, n_groups), Hartree²."""
    discarded_weights: Array = field(metadata={"units": "1", "axes": "cut"})
    """Squared norm of the state that each cut took away, shape (n_cuts,)."""

    def __post_init__(self) -> None:
        count, groups = np.shape(self.variances)
        variances = checks.readonly("variances", self.variances, (count, groups))
        weights = checks.readonly("discarded_weights", self.discarded_weights, (count,))
        object.__setattr__(self, "variances", variances)
        object.__setattr__(self, "discarded_weights", weights)

    @property
    def epsilon2_shots(self) -> Array:
        """(Σ_g sqrt(Var F_g))² of each cut, Hartree²."""
        return np.asarray(np.sqrt(self.variances).sum(axis=1) ** 2)

    @property
    def changes(self) -> Array:
        """Largest change of any sqrt(Var F_g) from one cut to the next, shape (n_cuts - 1,).

        As a share of Σ_g sqrt(Var F_g).
        """
        spreads = np.sqrt(self.variances)
        steps = np.abs(np.diff(spreads, axis=0)).max(axis=1, initial=0.0)
        return np.asarray(steps / np.maximum(spreads[1:].sum(axis=1), 1e-300))


def variances_by_bond(
    state: MPSState,
    groups: Sequence[DiagonalOperator],
    bond_dimensions: Sequence[int],
    *,
    progress: Progress | None = None,
) -> VarianceConvergence:
    """Price groups with a state cut to several bond dimensions.

    The images of operators are allowed to grow with the state (`Fitting.growth`), so that a change
    from one bond dimension to the next shows both what the state and what the fits leave out.

    Args:
        state: Cut to each bond dimension and normalised again.
        groups: For instance `MeasurementPlan.groups`.
        bond_dimensions: Rising.
        progress: Called after each variance.

    Raises:
        InputError: Bond dimensions that do not rise, or are below 1.

    >>> import qlowrank as ql
    >>> hamiltonian = ql.from_example("lih")
    >>> state = ql.ground_state_mps(hamiltonian)
    >>> groups = ql.plan_measurement(ql.double_factorize(hamiltonian), state).groups[:3]
    >>> found = ql.variances_by_bond(state, groups, [8, 16, 28])
    >>> bool(found.changes[0] < 5e-3), bool(found.changes[1] < 1e-5)
    (True, True)
    """
    bonds = [checks.whole("bond_dimensions", bond) for bond in bond_dimensions]
    if not bonds or bonds[0] < 1 or sorted(set(bonds)) != bonds:
        raise InputError(f"bond_dimensions must rise from at least 1; got {bonds}.")
    rows: list[list[float]] = []
    weights: list[float] = []
    for bond in bonds:
        small = compress_mps(state.mps, tolerance=0.0, max_bond=bond)
        weights.append(float(small.discarded_weights.sum()))
        cut = replace(state, mps=scale_mps(small, 1 / small.norm()))
        row: list[float] = []
        for group in groups:
            row.append(cut.moments(group).variance)
            if progress is not None:
                progress("variances", len(rows) * len(groups) + len(row), len(bonds) * len(groups))
        rows.append(row)
    return VarianceConvergence(np.array(bonds), np.array(rows), np.array(weights))
