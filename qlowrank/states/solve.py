# SPDX-License-Identifier: Apache-2.0
"""States of a Hamiltonian, solved by PySCF from the sum of squares."""

from dataclasses import replace
from math import comb
from typing import Any

import numpy as np

from qlowrank import checks
from qlowrank.checks import Array, NotConvergedError
from qlowrank.hamiltonian.record import Hamiltonian, packed_two_body
from qlowrank.states.fci import FCIState
from qlowrank.states.mean_field import (
    mean_field_of,
    occupation_of,
    on_determinant,
    orbital_gradient,
)
from qlowrank.states.reference import CISDState, DeterminantState

STATIONARY = 1e-5
"""Orbital gradient, Hartree, below which the first orbitals already are the mean field's."""

DAVIDSON_VECTORS = 44
"""Vectors of the FCI space that PySCF's eigensolver holds at a time for two states, as measured:
twice its `max_space` of 16, and a few."""


def hartree_fock_state(hamiltonian: Hamiltonian) -> DeterminantState:
    """Return the restricted (open-shell) Hartree-Fock determinant.

    Where the Hamiltonian's first orbitals already are stationary (as those of a converged mean
    field are), they are kept as they stand; else PySCF's ROHF is converged from them, by DIIS or,
    failing that, by Newton steps. Where the mean field has several solutions, the start decides
    which one is found.

    Args:
        hamiltonian: Its factors give Coulomb and exchange; no four-index tensor is formed.

    Raises:
        InputError: More beta than alpha electrons.
        NotConvergedError: The SCF did not converge; `best` holds its last determinant.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> round(hartree_fock_state(from_example("h2")).energy, 6)
    -1.066109
    """
    mean_field = mean_field_of(hamiltonian)
    norb, nelec = hamiltonian.norb, hamiltonian.nelec
    occupation = occupation_of(norb, nelec)
    if orbital_gradient(hamiltonian) <= STATIONARY:
        energy = float(mean_field.energy_tot(mean_field.make_rdm1(np.eye(norb), occupation)))
        return DeterminantState(orbitals=np.eye(norb), nelec=nelec, energy=energy)
    start = mean_field.make_rdm1(np.eye(norb), occupation)
    mean_field.kernel(start)
    if not mean_field.converged:
        second_order = mean_field.newton()
        second_order.kernel(mean_field.mo_coeff, mean_field.mo_occ)
        mean_field = second_order
    order = np.argsort(-mean_field.mo_occ, kind="stable")
    state = DeterminantState(
        orbitals=mean_field.mo_coeff[:, order], nelec=nelec, energy=float(mean_field.e_tot)
    )
    if not mean_field.converged:
        raise NotConvergedError(
            "Hartree-Fock in these orbitals did not converge, neither by DIIS nor by Newton steps "
            f"(last energy {state.energy:.8f} Hartree). Start from orbitals of a converged mean "
            "field.",
            best=state,
        )
    return state


def lowest_determinant(hamiltonian: Hamiltonian) -> DeterminantState:
    """Return what Hartree-Fock comes to, converged or not, whichever spin is in the majority.

    Its energy is an upper bound of the ground state's in any case. With more beta than alpha
    electrons it is the determinant of the swapped spins, whose energy is the same.
    """
    n_alpha, n_beta = hamiltonian.nelec
    swapped = replace(hamiltonian, nelec=(max(n_alpha, n_beta), min(n_alpha, n_beta)))
    try:
        return hartree_fock_state(swapped)
    except NotConvergedError as error:
        best: DeterminantState = error.best
        return best


def cisd_state(hamiltonian: Hamiltonian, *, max_memory: float | None = None) -> CISDState:
    """Return the CISD ground state on the Hartree-Fock determinant.

    Args:
        hamiltonian: The operator.
        max_memory: Bytes the integrals may take; the machine's free memory by default.

    Raises:
        InputError: The integrals of a CISD would not fit, or more beta than alpha electrons.
        NotConvergedError: SCF or CISD did not converge.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> round(cisd_state(from_example("h2")).energy, 6)
    -1.10115
    """
    norb, (n_alpha, n_beta) = hamiltonian.norb, hamiltonian.nelec
    checks.fits(
        f"CISD of {norb} orbitals",
        8 * 3 * (norb * (norb + 1) / 2) ** 2,
        max_memory,
        "Choose a smaller active space, or the state hf.",
    )
    determinant = hartree_fock_state(hamiltonian)
    if n_alpha + n_beta == 0 or (n_alpha == norb and n_beta == norb):
        return _without_excitations(determinant)
    closed = n_alpha == n_beta
    solver = _configuration_interaction(hamiltonian, determinant, closed)
    correlation, vector = solver.kernel()
    if not np.all(solver.converged):
        raise NotConvergedError(
            f"CISD did not converge in {solver.max_cycle} cycles (last correlation energy "
            f"{float(correlation):.8f} Hartree). Use the state hf, or a smaller active space."
        )
    reference, singles, doubles = solver.cisdvec_to_amplitudes(vector)
    if closed:
        exchanged = doubles - doubles.transpose(1, 0, 2, 3)
        singles, doubles = (singles, singles), (exchanged, doubles, exchanged)
    return _normalised(determinant, reference, singles, doubles, float(solver.e_tot))


def fci_state(hamiltonian: Hamiltonian, *, max_memory: float | None = None) -> FCIState:
    """Return the lowest full-CI state of the Hamiltonian's sector (n_alpha, n_beta).

    The two lowest states are converged, and the lower one is returned: where they are nearly
    degenerate, an eigensolver for one state may stop at the upper.

    Args:
        hamiltonian: The operator.
        max_memory: Bytes the eigensolver may take; the machine's free memory by default.

    Raises:
        InputError: The FCI space would not fit; the message says how large it is.
        NotConvergedError: The eigensolver did not converge.

    >>> from qlowrank.hamiltonian.read import from_example
    >>> round(fci_state(from_example("h2")).energy, 6)
    -1.10115
    """
    from pyscf import fci

    norb, nelec = hamiltonian.norb, hamiltonian.nelec
    determinants = comb(norb, nelec[0]) * comb(norb, nelec[1])
    checks.fits(
        f"FCI of {nelec} electrons in {norb} orbitals ({determinants:.3g} determinants)",
        8.0 * DAVIDSON_VECTORS * determinants,
        max_memory,
        "Choose a smaller active space, or the state cisd.",
    )
    solver = fci.direct_spin1.FCI()
    solver.conv_tol = 1e-13
    solver.max_cycle = 1000
    solver.verbose = 0
    integrals = hamiltonian.normal_ordered_one_body(), packed_two_body(hamiltonian)
    diagonal = solver.make_hdiag(*integrals, norb, nelec).ravel()
    energies, vectors = solver.kernel(
        *integrals,
        norb,
        nelec,
        ci0=_start(diagonal),
        nroots=min(2, determinants),
        ecore=hamiltonian.constant,
    )
    energies = np.atleast_1d(energies)
    lowest = int(np.argmin(energies))
    energy, vector = (
        float(energies[lowest]),
        np.asarray(vectors).reshape(len(energies), comb(norb, nelec[0]), comb(norb, nelec[1]))[
            lowest
        ],
    )
    if not np.all(solver.converged):
        raise NotConvergedError(
            f"FCI did not converge in {solver.max_cycle} cycles (last energy {energy:.8f} "
            "Hartree). Use the state cisd, or a smaller active space."
        )
    vector = np.asarray(vector) / np.linalg.norm(vector)
    peak = np.unravel_index(np.argmax(np.abs(vector)), vector.shape)
    return FCIState(vector=vector * np.sign(vector[peak]), norb=norb, nelec=nelec, energy=energy)


def _start(diagonal: Array) -> list[Array]:
    """Return vectors to start the eigensolver from: the lowest determinant, and some of everything.

    Krylov vectors never leave the symmetry of their start, and the ground state need not share
    that of the lowest determinant. The second vector has none.
    """
    lowest = np.zeros(len(diagonal))
    lowest[np.argmin(diagonal)] = 1.0
    mixture = np.cos(np.arange(len(diagonal))) / (0.1 + diagonal - diagonal.min())
    return [lowest, mixture / np.linalg.norm(mixture)]


def _configuration_interaction(
    hamiltonian: Hamiltonian, determinant: DeterminantState, closed: bool
) -> Any:
    """PySCF's CISD object on the determinant."""
    from pyscf import ci

    mean_field = on_determinant(hamiltonian, determinant.orbitals, determinant.energy)
    solver = ci.RCISD(mean_field) if closed else ci.UCISD(mean_field.to_uhf())
    solver.conv_tol = 1e-11
    solver.max_cycle = 200
    solver.verbose = 0
    return solver


def _normalised(
    determinant: DeterminantState, reference: float, singles: Any, doubles: Any, energy: float
) -> CISDState:
    """Bring PySCF's amplitudes to norm one and a positive reference coefficient."""
    same, opposite = (doubles[0], doubles[2]), doubles[1]
    weight = float(reference) ** 2 + sum(float(np.sum(c**2)) for c in singles)
    weight += sum(float(np.sum(c**2)) / 4 for c in same) + float(np.sum(opposite**2))
    scale = np.copysign(1.0 / np.sqrt(weight), reference)
    return CISDState(
        determinant=determinant,
        singles=(scale * singles[0], scale * singles[1]),
        doubles_same=(scale * same[0], scale * same[1]),
        doubles_opposite=scale * opposite,
        energy=energy,
    )


def _without_excitations(determinant: DeterminantState) -> CISDState:
    """The CISD state of a sector with one determinant."""
    norb, (n_alpha, n_beta) = determinant.norb, determinant.nelec
    virtual = (norb - n_alpha, norb - n_beta)
    return CISDState(
        determinant=determinant,
        singles=(np.zeros((n_alpha, virtual[0])), np.zeros((n_beta, virtual[1]))),
        doubles_same=(
            np.zeros((n_alpha, n_alpha, *virtual[:1] * 2)),
            np.zeros((n_beta, n_beta, *virtual[1:] * 2)),
        ),
        doubles_opposite=np.zeros((n_alpha, n_beta, *virtual)),
        energy=determinant.energy,
    )
