# SPDX-License-Identifier: Apache-2.0
"""Variances of every group from an MPS, as its bond dimension grows, and against full CI.

    python examples/benchmarks/mps_variances.py --molecule h12 --bonds 25,50,100 --fci
    python examples/benchmarks/mps_variances.py --molecule n2 --bonds 50,100,200 --fci
    python examples/benchmarks/mps_variances.py --molecule h4 --basis cc-pvdz --bonds 8,16,32 --fci
    python examples/benchmarks/mps_variances.py --molecule h20 --bonds 25,50,100
    python examples/benchmarks/dmrg.py --atoms 50 --bond 100 --save h50.h5
    python examples/benchmarks/mps_variances.py --load h50.h5 --bonds 50,100

Hydrogen chains, 1 Å apart, in STO-6G; N2 at 1.1 Å in cc-pVDZ, 10 electrons in 12 orbitals. Plain
groups of double factorization with the given tolerance. CPU seconds on one thread.
"""

import argparse
import resource
import time

import numpy as np

import qlowrank as ql
from qlowrank.measurement import plain_groups


def hamiltonian_of(name: str, basis: str = "sto-6g") -> ql.Hamiltonian:
    """A chain of hydrogen atoms, or the active space of N2."""
    from pyscf import gto, mcscf, scf

    if name == "n2":
        mean_field = scf.RHF(gto.M(atom="N 0 0 0; N 0 0 1.1", basis="cc-pvdz", verbose=0)).run()
        casci = mcscf.CASCI(mean_field, 12, 10)
        casci.kernel()
        return ql.from_pyscf(casci)
    places = [("H", (0.0, 0.0, float(k))) for k in range(int(name[1:]))]
    return ql.from_pyscf(scf.RHF(gto.M(atom=places, basis=basis, verbose=0)).run())


def main() -> None:
    """Print one row for each bond dimension."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecule", default="h10")
    parser.add_argument("--basis", default="sto-6g", help="of a chain")
    parser.add_argument("--load", help="archive with Hamiltonian and MPS state")
    parser.add_argument("--bonds", default="25,50,100")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of the factors, Hartree")
    parser.add_argument("--fci", action="store_true", help="compare with the full CI vector")
    arguments = parser.parse_args()
    bonds = [int(bond) for bond in arguments.bonds.split(",")]
    if arguments.load:
        study = ql.load(arguments.load)
        hamiltonian, state = study.hamiltonian, study["mps_state"]
    else:
        hamiltonian = hamiltonian_of(arguments.molecule, arguments.basis)
        start = time.process_time()
        state = ql.ground_state_mps(hamiltonian, max_bond=bonds[-1])
        print(f"state in {time.process_time() - start:.0f} s (block2's process not counted)")
    print(f"{hamiltonian}\n{state}")
    groups = plain_groups(ql.double_factorize(hamiltonian, tolerance=arguments.tolerance))
    exact = np.zeros(0)
    if arguments.fci:
        full = ql.fci_state(hamiltonian)
        exact = np.array([full.moments(group).variance for group in groups])
        total = np.sqrt(exact).sum()
        print(f"FCI: energy {full.energy:.8f}, eps²M {total**2:.8g} Hartree²")
    before = np.zeros(0)
    for bond in bonds:
        start = time.process_time()
        found = ql.variances_by_bond(state, groups, [bond])
        seconds = time.process_time() - start
        spreads = np.sqrt(found.variances[0])
        against = exact if arguments.fci else before**2
        line = f"bond {bond:4d}: eps²M {found.epsilon2_shots[0]:.8g} Hartree²"
        line += f", state cut by {found.discarded_weights[0]:.1e}"
        if len(against):
            gap = np.abs(spreads - np.sqrt(against)).max() / spreads.sum()
            shares = np.abs(spreads**2 - against) / np.maximum(against, 1e-30)
            word = "FCI" if arguments.fci else "the row above"
            line += f"; against {word}: largest {gap:.1e} of the sum of spreads, single variances "
            line += f"median {np.median(shares):.1e}, largest {shares.max():.1e}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"{line}; {len(groups)} groups, {seconds / len(groups):.2f} s each, {peak:.2f} GB",
            flush=True,
        )
        before = spreads


if __name__ == "__main__":
    main()
