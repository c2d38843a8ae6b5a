# SPDX-License-Identifier: Apache-2.0
"""The ground state of a Hamiltonian as an MPS: exact where it fits, DMRG beyond."""

from qlowrank import checks
from qlowrank.checks import InputError
from qlowrank.hamiltonian.record import Hamiltonian
from qlowrank.lowrank import Progress
from qlowrank.states.dmrg.method import Block2DMRG
from qlowrank.states.exact import ExactCI, GroundState, fits_exactly
from qlowrank.states.mps_state import MPSState
from qlowrank.states.sites import SiteOrbitals
from qlowrank.states.suited_orbitals import SuitedOrbitals


def ground_state_mps(
    hamiltonian: Hamiltonian,
    *,
    max_bond: int = 200,
    method: GroundState | None = None,
    orbitals: SiteOrbitals | None = None,
    progress: Progress | None = None,
) -> MPSState:
    """Return the lowest state of the Hamiltonian's sector (n_alpha, n_beta) as an MPS.

    Up to half a million determinants the full CI vector is found and decomposed; beyond that
    block2 optimises the MPS itself (extra `dmrg`).

    Args:
        hamiltonian: The operator.
        max_bond: Most states of a bond.
        method: `ExactCI()` or `Block2DMRG()`; by default whichever the size calls for.
        orbitals: What the sites are, such as `LocalOrbitals()` or `OrderedOrbitals()`; by default
            what `SuitedOrbitals` finds, with a first state of few states a bond where DMRG is
            used. The state remembers them and takes operators in the Hamiltonian's orbitals all
            the same.
        progress: Called after each sweep.

    Returns:
        The state, with `mps` for entanglement and `convergence` for what each bond dimension gave.
        An interrupted or unconverged DMRG says so in `convergence.status`.

    Raises:
        InputError: `max_bond` below 1, block2 missing, or integrals that do not fit in memory.
        OSError: No room in the scratch folder.
        NotConvergedError: The eigensolver or block2 failed.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> state = ground_state_mps(from_example("h2"))
    >>> state
    MPSState(2 orbitals, nelec=(1, 1), bond dimension 4, energy -1.10115033 Hartree, converged)
    """
    if checks.whole("max_bond", max_bond) < 1:
        raise InputError(f"max_bond must be at least 1; got {max_bond}.")
    if method is None:
        method = ExactCI() if fits_exactly(hamiltonian) else Block2DMRG()
    if orbitals is None:
        by_dmrg = isinstance(method, Block2DMRG)  # a vector is exact in any orbitals
        orbitals = SuitedOrbitals(trial=method if by_dmrg else None)
    columns = orbitals(hamiltonian)
    solution = method(hamiltonian, int(max_bond), progress, columns)
    return MPSState(
        mps=solution.mps,
        orbitals=columns,
        energy=solution.energy,
        convergence=solution.convergence,
    )
