# SPDX-License-Identifier: Apache-2.0
"""Are the states normalised, and do they have the energies they state?"""

from collections.abc import Iterator

import numpy as np

from qlowrank.archive.check import Check, between, equal, within
from qlowrank.archive.evidence import ENERGY_TOLERANCE, EPS, Evidence, largest_value
from qlowrank.measurement.groups import plain_groups
from qlowrank.states.fci import FCIState
from qlowrank.states.mps_state import MPSState
from qlowrank.states.reference import CISDState, DeterminantState
from qlowrank.states.state import State

NORM_TOLERANCE = 1e-8
"""How far a norm or an orthogonality may be off, as the records' own constructors allow."""


def state_checks(evidence: Evidence) -> Iterator[Check]:
    """Check every state by itself, and its energy against the squares."""
    for kind, state in evidence.states.items():
        name = kind.replace("_", " ")
        yield from _norm_checks(name, state)
        yield from _energy_check(name, state, evidence)
        if isinstance(state, CISDState):
            yield from _norm_checks(f"{name}'s determinant", state.determinant)
            yield from _energy_check(f"{name}'s determinant", state.determinant, evidence)


def _norm_checks(name: str, state: State) -> Iterator[Check]:
    """Norms, orthogonality and antisymmetry."""
    if isinstance(state, FCIState):
        gap = abs(float(np.linalg.norm(state.vector)) - 1)
        yield within(f"{name}: norm", gap, NORM_TOLERANCE, "misses 1 by")
    elif isinstance(state, DeterminantState):
        overlap = state.orbitals.T @ state.orbitals
        gap = float(np.abs(overlap - np.eye(state.norb)).max(initial=0.0))
        yield within(f"{name}: orbitals orthogonal", gap, NORM_TOLERANCE, "UᵀU misses 1 by")
    elif isinstance(state, CISDState):
        gap = max(
            float(np.abs(c + c.transpose(axes)).max(initial=0.0))
            for c in state.doubles_same
            for axes in ((1, 0, 2, 3), (0, 1, 3, 2))
        )
        yield within(f"{name}: doubles antisymmetric", gap, NORM_TOLERANCE, "off by")


def _energy_check(name: str, state: State, evidence: Evidence) -> Iterator[Check]:
    """Recompute the energy group by group.

    A factorization that cut leaves may move it by electrons × trace norm of what it cut. Operators
    on an MPS leave out small singular values, of a share `Fitting.cutoff`: allowed once for each
    electron, which is twice what it was in a chain of 50 atoms.
    """
    squares = evidence.squares
    if squares is None:
        return
    if state.norb != squares.norb or tuple(state.nelec) != squares.nelec:
        yield equal(
            f"{name}: sector",
            False,
            f"{state.norb} orbitals, nelec {tuple(state.nelec)} as the integrals have "
            f"({squares.norb}, {squares.nelec})",
        )
        return
    groups = plain_groups(squares)
    energy = squares.constant + sum(evidence.mean(state, group) for group in groups)
    scale = abs(squares.constant) + sum(largest_value(group) for group in groups)
    allowed = ENERGY_TOLERANCE + sum(squares.nelec) * (evidence.lost + EPS * scale)
    if isinstance(state, MPSState):
        allowed += sum(squares.nelec) * state.fitting.cutoff
    yield between(
        f"{name}: energy",
        -allowed,
        energy - state.energy,
        allowed,
        f"{state.energy:.10f} Hartree stated, {energy - state.energy:+.1e} recomputed; allowed "
        f"{allowed:.1e}",
    )
