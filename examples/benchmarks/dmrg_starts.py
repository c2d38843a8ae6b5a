# SPDX-License-Identifier: Apache-2.0
"""Where DMRG ends, start by start: energies above full CI in canonical orbitals.

    OMP_NUM_THREADS=1 python examples/benchmarks/dmrg_starts.py --seeds 6

Point groups split such orbitals into sectors that no sweep mixes, so that a start can end in the
lowest state of a wrong sector. "O2, S_z = 0" asks for a component of the triplet, whose symmetry is
not that of the closed-shell determinant that the starts resemble.
"""

import argparse
from dataclasses import replace

import qlowrank as ql

SYSTEMS = {
    "LiF": ("Li 0 0 0; F 0 0 1.5639", "6-31g", 0, (8, 8)),
    "O2, S_z = 0": ("O 0 0 0; O 0 0 1.2075", "cc-pvdz", 2, (8, 12)),
    "N2, 2.2 Å": ("N 0 0 0; N 0 0 2.2", "cc-pvdz", 0, (8, 10)),
    "C2": ("C 0 0 0; C 0 0 1.25", "cc-pvdz", 0, (8, 8)),
}
"""Geometry in Ångström, basis, unpaired electrons of the orbitals, (orbitals, electrons)."""


def hamiltonian_of(name: str) -> ql.Hamiltonian:
    """An active space in ROHF orbitals, with as many alpha as beta electrons."""
    from pyscf import gto, mcscf, scf

    atoms, basis, unpaired, (norb, electrons) = SYSTEMS[name]
    molecule = gto.M(atom=atoms, basis=basis, spin=unpaired, verbose=0)
    hamiltonian = ql.from_pyscf(mcscf.CASCI(scf.ROHF(molecule).run(), norb, electrons))
    return replace(hamiltonian, nelec=(electrons // 2, electrons // 2))


def main() -> None:
    """Print one row for each system."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--bond", type=int, default=40)
    parser.add_argument("--system", choices=SYSTEMS, action="append")
    options = parser.parse_args()
    for name in options.system or SYSTEMS:
        hamiltonian = hamiltonian_of(name)
        exact = ql.fci_state(hamiltonian).energy
        above = []
        for seed in range(1, options.seeds + 1):
            method = ql.Block2DMRG(seed=seed, stages=2, memory=200_000_000)
            state = ql.ground_state_mps(
                hamiltonian, max_bond=options.bond, method=method, orbitals=ql.GivenOrbitals()
            )
            above.append(f"{state.energy - exact:.0e}")
        print(f"{name:<12} {' '.join(above)}", flush=True)


if __name__ == "__main__":
    main()
