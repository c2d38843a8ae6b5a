# SPDX-License-Identifier: Apache-2.0
"""The verb: solve a truncated Hamiltonian and enclose an energy of the exact one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from opt_einsum import contract

from qlowrank.checks import Array, InputError
from qlowrank.hamiltonian.exact import (
    ExactIntegrals,
    exact_integrals,
    mean_over_pairs,
    residual_pairs,
)
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.hamiltonian.residual import Residual, residual_of, spread_of_pairs
from qlowrank.states.intervals.record import End, EnergyInterval
from qlowrank.states.intervals.solved import (
    CLAIMS,
    OWN,
    CorrelatedState,
    Solved,
    Solver,
    VariationalState,
)
from qlowrank.states.reference import DeterminantState

CONVERGENCE = 1e-9
"""Hartree; a state that is given is taken to be this close to the minimum of its kind."""
ENERGY_TOLERANCE = 1e-8
"""Hartree; the source's mean-field energy was rebuilt to this on import."""


def energy_interval(
    hamiltonian: Hamiltonian, solver: Solver | VariationalState, *, exact: Any = None
) -> EnergyInterval:
    r"""Enclose an energy of the exact Hamiltonian by solving the truncated one.

    .. math:: E_L \le E \le E_L + \langle \tfrac12 \hat R \rangle
              \le E_L + \tfrac{\eta}{2} \operatorname{tr}(\gamma K)

    The lower end is the solver's energy, because :math:`H_L \le H`. The upper end is the exact
    energy of the solver's state, or where the exact integrals are not at hand a bound on it. With
    the exact integrals, the truncated Hamiltonian first gets the exact mean field of the residual,
    which raises the lower end and stays below H.

    Args:
        hamiltonian: The truncated operator.
        solver: `HartreeFock()`, `CISD()`, `FCI()`, `CoupledCluster()`, any other `Solver`, or a
            state that was solved for this very Hamiltonian, such as `ql.fci_state(hamiltonian)`.
        exact: The PySCF object that the Hamiltonian was read from, or its integrals; the upper end
            is then the exact energy of the state. Only for determinants does this scale to
            hundreds of orbitals.

    Returns:
        The tightest of all ends that are proven, with what they enclose.

    Raises:
        InputError: A solver or exact integrals that do not fit the Hamiltonian.
        NotConvergedError: The solver did not converge.

    Source:
        Variational lower bounds from a positive semidefinite residual: ours, after the
        Cauchy-Schwarz bounds of H. Koch, A. Sánchez de Merás, T. B. Pedersen,
        J. Chem. Phys. 118, 9481 (2003); proofs in docs/explanations/certificate.md.

    >>> import qlowrank as ql
    >>> rough = ql.from_example("water", tolerance=1e-3)
    >>> interval = ql.energy_interval(rough, ql.FCI())
    >>> f"{interval.lower:.3f} to {interval.upper:.3f} Hartree"
    '-75.019 to -75.010 Hartree'
    >>> -75.017686 in interval  # full CI with the exact integrals
    True
    """
    door = None if exact is None else exact_integrals(exact, hamiltonian)
    residual = residual_of(hamiltonian)
    solved, shift = _solve(hamiltonian, solver, door if residual.semidefinite else None)
    rise = (
        None
        if door is None
        else _exact_rise(hamiltonian, solved.state, door)
        - shift.mean(solved.state.one_body_density())
    )
    slack = residual.rounding + solved.convergence
    lower = sorted(_lower(solved, residual, hamiltonian, door), key=lambda end: -end.energy)
    upper = sorted(_upper(solved, residual, hamiltonian, rise), key=lambda end: end.energy)
    expected = _expected_rise(solved.state, residual) if rise is None else rise
    return EnergyInterval(
        method=solved.label,
        contains=solved.claim.contains,
        lower=lower[0].energy - slack,
        upper=upper[0].energy + slack,
        estimate=solved.energy + expected,
        lower_ends=tuple(lower),
        upper_ends=tuple(upper),
        rounding=slack,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Shift:
    """A one-body operator that was added to a Hamiltonian: Ê(matrix) + constant."""

    matrix: Array
    """Shape (norb, norb), Hartree."""
    constant: float
    """Hartree."""

    def mean(self, density: Array) -> float:
        """Return the expectation value for a one-particle density, Hartree."""
        return float(np.vdot(self.matrix, density)) + self.constant


def mean_field_corrected(hamiltonian: Hamiltonian, exact: ExactIntegrals) -> Hamiltonian:
    r"""Return a higher lower bound: the exact mean field of the residual takes its place.

    .. math:: H_C = H_L + \hat J - \tfrac12 \operatorname{tr}(D J), \quad
              J_{pq} = \sum_{rs} R_{pq,rs} D_{rs}, \qquad
              H - H_C = \tfrac12 \sum_k (\hat r^k - \operatorname{tr} r^k D)^2 \ge 0

    D is the density of the determinant that fills the first orbitals.

    Args:
        hamiltonian: With a positive semidefinite residual.
        exact: Its exact integrals.
    """
    shift = _mean_field_shift(hamiltonian, exact)
    constants = hamiltonian.constants
    return replace(
        hamiltonian,
        one_body=hamiltonian.one_body + shift.matrix,
        kappa=hamiltonian.kappa + shift.matrix,
        constants=replace(constants, other=constants.other + shift.constant),
    )


def _solve(
    hamiltonian: Hamiltonian, solver: Solver | VariationalState, exact: ExactIntegrals | None
) -> tuple[Solved, _Shift]:
    """Solve the Hamiltonian, with the exact mean field of the residual where that is known."""
    nothing = _Shift(np.zeros((hamiltonian.norb,) * 2), 0.0)
    if isinstance(solver, VariationalState):
        return _given(solver, hamiltonian), nothing
    if isinstance(solver, type) or not callable(solver):
        raise InputError(
            "solver must be a method such as ql.FCI(), ql.CISD() or ql.HartreeFock(), or a state "
            f"solved for this Hamiltonian; got {solver!r:.60}."
        )
    if exact is None:
        return solver(hamiltonian), nothing
    shift = _mean_field_shift(hamiltonian, exact)
    return solver(mean_field_corrected(hamiltonian, exact)), shift


def _given(state: VariationalState, hamiltonian: Hamiltonian) -> Solved:
    """Take a state that a caller solved before."""
    shape = np.shape(state.one_body_density())
    if tuple(state.nelec) != hamiltonian.nelec or shape != (hamiltonian.norb,) * 2:
        raise InputError(
            f"The state has {tuple(state.nelec)} electrons in {shape[0]} orbitals, and the "
            f"Hamiltonian {hamiltonian.nelec} in {hamiltonian.norb}; pass a state solved for it."
        )
    claim = CLAIMS.get(type(state).__name__, OWN)
    return Solved(state.label, state.energy, state, claim, CONVERGENCE)


def _mean_field_shift(hamiltonian: Hamiltonian, exact: ExactIntegrals) -> _Shift:
    """Ĵ_R[D] − ½ tr(D J_R[D]) for the determinant that fills the first orbitals."""
    index = np.arange(hamiltonian.norb)
    density = np.diag(sum((index < n).astype(float) for n in hamiltonian.nelec))
    coulomb = _residual_coulomb(hamiltonian, exact, density)
    return _Shift(coulomb, -float(np.vdot(density, coulomb)) / 2)


def _residual_coulomb(hamiltonian: Hamiltonian, exact: ExactIntegrals, density: Array) -> Array:
    """J_R[D] = Σ_rs R_pq,rs D_rs, shape (norb, norb), Hartree."""
    kept = contract("tpq,trs,rs->pq", hamiltonian.factors, hamiltonian.factors, density)
    return exact.coulomb(density) - np.asarray(kept)


def _residual_exchange(hamiltonian: Hamiltonian, exact: ExactIntegrals, density: Array) -> Array:
    """X_R[D] = Σ_qr R_pq,rs D_qr, shape (norb, norb), Hartree."""
    kept = contract("tpq,qr,trs->ps", hamiltonian.factors, density, hamiltonian.factors)
    return exact.exchange(density) - np.asarray(kept)


def _exact_rise(hamiltonian: Hamiltonian, state: VariationalState, exact: ExactIntegrals) -> float:
    """Return ½⟨R̂⟩ of a state, from the exact integrals, Hartree."""
    density = state.one_body_density()
    mean = float(np.vdot(density, _residual_coulomb(hamiltonian, exact, density)))
    if isinstance(state, DeterminantState):
        identity = np.eye(hamiltonian.norb)
        mean += float(np.vdot(density, _residual_exchange(hamiltonian, exact, identity)))
        for spin in state.spin_densities():
            mean -= float(np.vdot(spin, _residual_exchange(hamiltonian, exact, spin)))
        return mean / 2
    if not isinstance(state, CorrelatedState):
        raise InputError(
            f"Exact integrals need the two-particle density of the state, and this {state.label} "
            "state has no one_body_covariance(). Add it, or leave `exact` out."
        )
    residual = residual_pairs(hamiltonian, exact)
    return (mean + mean_over_pairs(residual, state.one_body_covariance())) / 2


def _expected_rise(state: VariationalState, residual: Residual) -> float:
    """Return what ½⟨R̂⟩ is expected to be, from what the record knows, Hartree."""
    return float(np.vdot(state.one_body_density(), residual.exchange)) / 2


def _lower(
    solved: Solved, residual: Residual, hamiltonian: Hamiltonian, exact: ExactIntegrals | None
) -> Iterator[End]:
    """Yield every lower end."""
    energy = solved.state.energy
    if not solved.claim.bounded_below:
        yield End(-np.inf, "none")
    elif residual.semidefinite:
        yield End(energy, "sum of squares" if exact is None else "sum of squares, centred")
    else:
        yield End(energy - residual.either_way(), "trace norm")
        if exact is not None:
            below = spread_of_pairs(residual_pairs(hamiltonian, exact), hamiltonian.nelec).below
            yield End(energy - below, "split by sign")


def _upper(
    solved: Solved, residual: Residual, hamiltonian: Hamiltonian, rise: float | None
) -> Iterator[End]:
    """Yield every upper end."""
    energy = solved.state.energy
    if rise is not None:
        yield End(energy + rise, "exact energy of the state")
    elif residual.semidefinite:
        density = solved.state.one_body_density()
        yield End(energy + residual.upper_for(density), "residual exchange of the state")
        yield End(energy + residual.upper(), "residual exchange of any state")
        yield End(energy + residual.either_way(), "residual trace")
    else:
        yield End(energy + residual.either_way(), "trace norm")
    source = hamiltonian.source
    mean_field = source.reference("HF")
    whole = source.origin.startswith("PySCF") and " on " not in source.origin
    if solved.claim.below_mean_field and mean_field is not None and whole:
        yield End(mean_field.energy + ENERGY_TOLERANCE, "mean field of the source")
