# SPDX-License-Identifier: Apache-2.0
"""The CI vector behind a state, and how far it may be trusted."""

from dataclasses import dataclass
from math import comb

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, InputError
from qlowrank.measurement.fragments.completion import completed
from qlowrank.states.fci import FCIState
from qlowrank.states.mps_state import MPSState
from qlowrank.states.reference import CISDState
from qlowrank.states.state import State

EXACT_REGULARIZATION = 1e-7
"""Variance added to every feature for an exact state: keeps covariances positive definite."""


@dataclass(frozen=True, eq=False)
class Guide:
    """What fragments are lowered for."""

    vector: Array
    """CI vector, PySCF's order, (n_alpha_strings, n_beta_strings)."""
    missing: float
    """Estimated weight of what the exact state has and this vector lacks."""


def guide(state: State, *, max_memory: float | None = None) -> Guide:
    r"""Return a state's CI vector and the estimated weight of what it lacks.

    An FCI vector lacks nothing, and an MPS what its bonds cut off. A CISD state lacks excitations
    beyond doubles, which `completed` adds as if pairs were excited independently of each other.
    With the weight x = (1 − c_0²) / c_0² in single pairs, two pairs at once have the weight x² / 2
    and all of it is exp(x). What pairs do to each other is taken for a part of the same size:

    .. math:: 1 - (1 + x) e^{-x} \approx x^2 / 2

    Args:
        state: An FCI, CISD or MPS state.
        max_memory: Bytes the vector may take; the machine's free memory by default.

    Raises:
        InputError: Another kind of state, or a vector that does not fit.
    """
    if isinstance(state, FCIState):
        return Guide(vector=state.vector, missing=0.0)
    if not isinstance(state, CISDState | MPSState):
        raise InputError(
            f"Frames are optimised for an FCI, CISD or MPS state; got the state {state.label}. In "
            "one determinant too many operators have no variance at all: use a CISD state, or "
            "fragments 'mean-field'."
        )
    size = comb(state.norb, state.nelec[0]) * comb(state.norb, state.nelec[1])
    checks.fits(
        f"The {state.label} state as a CI vector of {size:.3g} determinants",
        8.0 * 4 * size,
        max_memory,
        "Use fragments 'fluid', which needs no CI vector, or a smaller active space.",
    )
    if isinstance(state, MPSState):
        cut = float(state.mps.discarded_weights.sum())
        return Guide(_in_orbitals(state.mps.to_ci(), state.nelec, state.orbitals), missing=cut)
    weight = state.reference_coefficient**2
    ratio = (1 - weight) / weight if weight > 0 else np.inf
    return Guide(
        vector=_in_orbitals(completed(state), state.nelec, state.determinant.orbitals),
        missing=float(1 - (1 + ratio) * np.exp(-ratio)),
    )


def _in_orbitals(vector: Array, nelec: tuple[int, int], orbitals: Array) -> Array:
    """Carry a CI vector over columns of `orbitals` to the basis in which these are written."""
    from pyscf.fci import addons

    rotated = addons.transform_ci(vector, nelec, np.array(orbitals.T))
    return np.asarray(rotated / np.linalg.norm(rotated))
