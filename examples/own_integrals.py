# SPDX-License-Identifier: Apache-2.0
"""Integrals of your own: a Hubbard ring of six sites, doped with one hole, as plain arrays."""

import numpy as np

import qlowrank as ql

SITES, HOPPING, REPULSION = 6, 1.0, 4.0

one_body = np.zeros((SITES, SITES))
two_body = np.zeros((SITES,) * 4)
for site in range(SITES):
    neighbour = (site + 1) % SITES
    one_body[site, neighbour] = one_body[neighbour, site] = -HOPPING
    two_body[site, site, site, site] = REPULSION

hamiltonian = ql.from_integrals(0.0, one_body, two_body, nelec=(3, 2))
print(hamiltonian)

state = ql.fci_state(hamiltonian)
plan = ql.plan_measurement(ql.double_factorize(hamiltonian), state, precision=0.01)
print(f"ground state {state.energy:.6f}")
print(plan)

hamiltonian.to_fcidump("hubbard.fcidump", overwrite=True)
again = ql.from_fcidump("hubbard.fcidump")
print(f"written and read back: {ql.fci_state(again).energy:.6f}")
