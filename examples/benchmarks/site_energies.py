# SPDX-License-Identifier: Apache-2.0
"""Energies of DMRG with few states in several orbitals, and the pairs that local ones sever.

OMP_NUM_THREADS=1 python examples/benchmarks/site_energies.py
OMP_NUM_THREADS=1 python examples/benchmarks/site_energies.py --molecule ring ladder
"""

import argparse
import math

import qlowrank as ql
from qlowrank.states.solve import lowest_determinant
from qlowrank.states.suited_orbitals import severed_pairs

CHOICES = {
    "molecule's": ql.OrderedOrbitals(),
    "split": ql.SplitLocalOrbitals(),
    "local": ql.LocalOrbitals(),
}
RADIUS = 0.5 / math.sin(math.pi / 12)  # of a ring of twelve, 1 Å apart
BUTADIENE = """
C  0.609  1.747 0; C  0.609  0.407 0; C -0.609 -0.407 0; C -0.609 -1.747 0
H  1.546  2.288 0; H -0.32   2.3   0; H  1.55  -0.13  0; H -1.55   0.13  0
H -1.546 -2.288 0; H  0.32  -2.3   0
"""
MOLECULES = {
    "chain": ([("H", (0, 0, k)) for k in range(12)], "sto-6g", None),
    "stretched": ([("H", (0, 0, 2 * k)) for k in range(10)], "sto-6g", None),
    "ring": (
        [
            ("H", (RADIUS * math.cos(k * math.pi / 6), RADIUS * math.sin(k * math.pi / 6), 0))
            for k in range(12)
        ],
        "sto-6g",
        None,
    ),
    "ladder": ([("H", (0, j, k)) for k in range(6) for j in (0, 1)], "sto-6g", None),
    "n2": ("N 0 0 0; N 0 0 1.1", "cc-pvdz", (12, 10)),
    "n2-stretched": ("N 0 0 0; N 0 0 2.2", "cc-pvdz", (10, 10)),
    "water": ("O 0 0 0; H 0 0 .96; H .93 0 -.24", "6-31g", (12, 8)),
    "c2": ("C 0 0 0; C 0 0 1.25", "cc-pvdz", (10, 8)),
    "butadiene": (BUTADIENE, "6-31g", (14, 10)),
}
"""Atoms, Å; basis; orbitals and electrons of an active space, or all."""


def hamiltonian_of(name: str) -> ql.Hamiltonian:
    """In RHF orbitals."""
    from pyscf import gto, mcscf, scf

    atoms, basis, space = MOLECULES[name]
    mean_field = scf.RHF(gto.M(atom=atoms, basis=basis, verbose=0)).run()
    return ql.from_pyscf(mean_field if space is None else mcscf.CASCI(mean_field, *space))


def main() -> None:
    """Print one line for each molecule and choice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecule", nargs="+", choices=MOLECULES, default=list(MOLECULES))
    parser.add_argument("--bond", type=int, default=50)
    options = parser.parse_args()
    method = ql.Block2DMRG(stages=2, tolerance=1e-6, starts=1)
    for name in options.molecule:
        hamiltonian = hamiltonian_of(name)
        density = lowest_determinant(hamiltonian).spin_densities()
        for label, orbitals in CHOICES.items():
            columns = orbitals(hamiltonian)
            found = method(hamiltonian, options.bond, None, columns)
            print(
                f"{name:<13} {label:<11} severs up to {severed_pairs(density, columns).max():.2f} "
                f"pairs, {found.energy:.5f} Hartree, {found.convergence.status}",
                flush=True,
            )


if __name__ == "__main__":
    main()
