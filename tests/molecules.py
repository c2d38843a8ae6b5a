# SPDX-License-Identifier: Apache-2.0
"""Small molecules for all rooms, converged once, and their integrals the long way round.

Nothing here uses qlowrank: what it returns is an oracle. Objects are shared between tests, so
treat them as read-only; take `mean_field(name).copy()` to change one.
"""

from functools import cache

import numpy as np

MOLECULES = {
    "h": {"atom": "H 0 0 0", "basis": "sto-3g", "spin": 1},
    "h2": {"atom": "H 0 0 0; H 0 0 0.74", "basis": "sto-3g"},
    "h2-631g": {"atom": "H 0 0 0; H 0 0 0.74", "basis": "6-31g"},
    "h3": {"atom": "H 0 0 0; H 0 0 1.0; H 0 0.9 1.7", "basis": "sto-3g", "spin": 1},
    "heh": {"atom": "He 0 0 0; H 0 0 0.9", "basis": "6-31g", "spin": 1},
    "heh+": {"atom": "He 0 0 0; H 0 0 0.9", "basis": "6-31g", "charge": 1},
    "lih": {"atom": "Li 0 0 0; H 0 0 1.6", "basis": "sto-3g"},
    "beh": {"atom": "Be 0 0 0; H 0 0 1.3", "basis": "sto-3g", "spin": 1},
    "water": {"atom": "O 0 0 0; H 0 0.7572 0.5865; H 0 -0.7572 0.5865", "basis": "sto-3g"},
    "water-631g": {"atom": "O 0 0 0; H 0 0.7572 0.5865; H 0 -0.7572 0.5865", "basis": "6-31g"},
    "o2": {"atom": "O 0 0 0; O 0 0 1.208", "basis": "sto-3g", "spin": 2},
    "n2": {"atom": "N 0 0 0; N 0 0 1.1", "basis": "6-31g"},
    "cn": {"atom": "C 0 0 0; N 0 0 1.17", "basis": "sto-3g", "spin": 1},
}


def molecule(name, **changes):
    """Build PySCF's molecule."""
    from pyscf import gto

    return gto.M(verbose=0, **(MOLECULES[name] | changes))


def converged(mean_field, tolerance=1e-12):
    """Run an SCF to the end, and say so if there is none."""
    mean_field.conv_tol = tolerance
    mean_field.max_cycle = 200
    mean_field.kernel()
    assert mean_field.converged
    return mean_field


@cache
def mean_field(name):
    """RHF or ROHF, converged."""
    from pyscf import scf

    mol = molecule(name)
    return converged((scf.RHF if mol.spin == 0 else scf.ROHF)(mol))


@cache
def integrals(name):
    """(constant, h, (pq|rs), nelec) of all orbitals, by plain einsum over atomic orbitals."""
    mf = mean_field(name)
    orbitals = mf.mo_coeff
    one_body = orbitals.T @ mf.get_hcore() @ orbitals
    two_body = mf.mol.intor("int2e", aosym="s1").reshape((mf.mol.nao,) * 4)
    for _ in range(4):  # transform the first index and send it to the back
        two_body = np.einsum("pqrs,pi->qrsi", two_body, orbitals)
    return float(mf.energy_nuc()), one_body, two_body, tuple(int(n) for n in mf.mol.nelec)


def fci_energy(constant, one_body, two_body, nelec):
    """Lowest energy of a sector, by diagonalising the full CI matrix."""
    return fci_spectrum(constant, one_body, two_body, nelec)[0]


def fci_spectrum(constant, one_body, two_body, nelec):
    """All energies of a sector, ascending; dense, for a few hundred determinants."""
    from pyscf.fci import direct_spin1

    norb = len(one_body)
    if sum(nelec) == 0:
        return np.array([constant])
    _, matrix = direct_spin1.pspace(one_body, two_body, norb, nelec, np=10**6)
    return np.linalg.eigvalsh(matrix) + constant


def fock_spectrum(constant, one_body, two_body):
    """All energies of all sectors, ascending: 4**norb of them."""
    norb = len(one_body)
    sectors = [(a, b) for a in range(norb + 1) for b in range(norb + 1)]
    return np.sort(
        np.concatenate([fci_spectrum(constant, one_body, two_body, nelec) for nelec in sectors])
    )
