# SPDX-License-Identifier: Apache-2.0
"""DMRG through qlowrank against block2's own driver, at the same bond dimension.

A chain of hydrogen atoms in STO-6G, 1 Å apart, in localised orbitals. Both calculations get the
same integrals; the second is written with block2's driver alone, with its own schedule.

    python examples/benchmarks/dmrg.py --atoms 50 --bond 100
"""

import argparse
import resource
import tempfile
import time

import numpy as np

import qlowrank as ql
from qlowrank.states.sites import LocalOrbitals


def chain(atoms: int) -> ql.Hamiltonian:
    """Hydrogen atoms on a line, in RHF orbitals."""
    from pyscf import gto, scf

    places = [("H", (0.0, 0.0, float(k))) for k in range(atoms)]
    mean_field = scf.RHF(gto.M(atom=places, basis="sto-6g", verbose=0))
    mean_field.conv_tol = 1e-11
    mean_field.kernel()
    return ql.from_pyscf(mean_field, tolerance=1e-8)


def drivers_energy(
    hamiltonian: ql.Hamiltonian,
    orbitals: np.ndarray,
    bond: int,
    *,
    tolerance: float,
    cutoff: float,
    threads: int,
) -> float:
    """Lowest energy of block2's driver in these orbitals, one electron a site to begin with.

    Without a cutoff of integrals its operator has 25 million terms at 50 atoms.
    """
    from pyblock2.driver.core import DMRGDriver, MPOAlgorithmTypes, SymmetryTypes

    one_body = orbitals.T @ hamiltonian.normal_ordered_one_body() @ orbitals
    factors = orbitals.T @ hamiltonian.factors @ orbitals
    two_body = np.einsum("tpq,trs->pqrs", factors, factors, optimize=True)
    n_alpha, n_beta = hamiltonian.nelec
    with tempfile.TemporaryDirectory() as scratch:
        driver = DMRGDriver(
            scratch=scratch, symm_type=SymmetryTypes.SZ, n_threads=threads, stack_mem=2_000_000_000
        )
        driver.initialize_system(hamiltonian.norb, n_alpha + n_beta, n_alpha - n_beta)
        start = time.perf_counter()
        operator = driver.get_qc_mpo(
            one_body,
            two_body,
            ecore=hamiltonian.constant,
            algo_type=MPOAlgorithmTypes.Conventional,  # nothing is cut off, and faster than others
            integral_cutoff=cutoff,
            iprint=0,
        )
        print(f"its operator {time.perf_counter() - start:.0f} s", flush=True)
        state = driver.get_random_mps(
            tag="KET", bond_dim=bond // 2, occs=np.ones(hamiltonian.norb), nroots=1
        )
        return float(
            driver.dmrg(
                operator,
                state,
                n_sweeps=40,
                bond_dims=[bond // 2] * 5 + [bond],
                noises=[1e-4] * 2 + [1e-5] * 2 + [1e-6] * 2 + [0],
                thrds=[1e-6] * 6 + [1e-9],
                tol=tolerance,
                iprint=0,
            )
        )


def peak() -> float:
    """Largest memory of this process or of a child, GB."""
    everyone = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in everyone) / 1e6


def main() -> None:
    """Run both and print their energies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=10)
    parser.add_argument("--bond", type=int, default=100)
    parser.add_argument("--stages", type=int, default=3)
    parser.add_argument("--tolerance", type=float, default=1e-8, help="between sweeps, Hartree")
    parser.add_argument("--cutoff", type=float, default=1e-10, help="of the driver's integrals")
    parser.add_argument("--threads", type=int, default=1, help="of block2, in both")
    parser.add_argument("--save", help="archive for the state")
    parser.add_argument("--load", help="archive with the state of an earlier run")
    parser.add_argument("--ours-only", action="store_true")
    parser.add_argument("--driver-only", action="store_true", help="in the default's orbitals")
    arguments = parser.parse_args()
    hamiltonian = chain(arguments.atoms)
    how = {
        "tolerance": arguments.tolerance,
        "cutoff": arguments.cutoff,
        "threads": arguments.threads,
    }
    if arguments.driver_only:
        start = time.perf_counter()
        theirs = drivers_energy(hamiltonian, LocalOrbitals()(hamiltonian), arguments.bond, **how)
        seconds = time.perf_counter() - start
        print(f"block2's driver {theirs:.8f} Hartree; {seconds:.0f} s, {peak():.1f} GB")
        return
    start = time.perf_counter()
    if arguments.load:
        state = ql.load(arguments.load)["mps_state"]
    else:
        state = ql.ground_state_mps(
            hamiltonian,
            max_bond=arguments.bond,
            method=ql.Block2DMRG(
                stages=arguments.stages,
                tolerance=arguments.tolerance,
                threads=arguments.threads,
            ),
            progress=lambda what, done, total: print(
                what, done, total, f"{time.perf_counter() - start:.0f} s", flush=True
            ),
        )
    ours = time.perf_counter() - start
    convergence = state.convergence
    print(f"{hamiltonian}\n{state}")
    for bond, energy, weight, sweeps in zip(
        convergence.bond_dimensions,
        convergence.energies,
        convergence.discarded_weights,
        convergence.sweeps,
        strict=True,
    ):
        print(f"bond {bond:5d}  {energy:.8f} Hartree  discarded {weight:.2e}  {sweeps} sweeps")
    limit = convergence.extrapolation()
    print(f"extrapolated {limit.energy:.6f} ± {limit.uncertainty:.6f} Hartree")
    print(f"{ours:.0f} s, {peak():.1f} GB", flush=True)
    if arguments.save:
        ql.save(arguments.save, hamiltonian, state, overwrite=True)
    if not arguments.ours_only:
        start = time.perf_counter()
        theirs = drivers_energy(hamiltonian, state.orbitals, arguments.bond, **how)
        seconds = time.perf_counter() - start
        gap = convergence.energies[-1] - theirs
        print(f"block2's driver {theirs:.8f} Hartree; {seconds:.0f} s; ours less theirs {gap:.1e}")


if __name__ == "__main__":
    main()
