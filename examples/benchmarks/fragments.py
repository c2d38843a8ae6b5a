# SPDX-License-Identifier: Apache-2.0
"""Shots of every way to choose groups, on the same state: eps²M in Hartree², FCI variances.

    python examples/benchmarks/fragments.py                       LiH, BeH2, water
    python examples/benchmarks/fragments.py --molecule n2 --steps 40       N2 at 1.0 Å (minutes)
    python examples/benchmarks/fragments.py --molecule n2 --method optimized --driver cisd
    python examples/benchmarks/fragments.py --molecule co-6-31g --molecule ch2 --molecule h6

eps²M = (Σ_g sqrt(Var_FCI(F_g)))² is precision² times the least number of shots. Leaves come from
eigenvectors and nothing is truncated. Rows marked CISD choose their coefficients by CISD variances
and are valued with FCI variances all the same, at the optimal allocation. Pauli groups are sorted
insertion after a Jordan-Wigner transform, alpha spin orbitals first. lih, beh2, water and n2 are in
STO-3G, all electrons, bonds of 1.0 Å; the others show other geometries, spins and bases.
"""

import argparse
import time

import numpy as np

import qlowrank as ql
from qlowrank import measurement

MOLECULES = {
    # atoms, basis, spin, active space
    "n2": ("N 0 0 0; N 0 0 1", "sto-3g", 0, None),
    "lih-stretched": ("Li 0 0 0; H 0 0 2.5", "sto-3g", 0, None),
    "bh": ("B 0 0 0; H 0 0 1.23", "sto-3g", 0, None),
    "hf": ("F 0 0 0; H 0 0 0.92", "sto-3g", 0, None),
    "ch2": ("C 0 0 0; H 0.99 0 0.43; H -0.99 0 0.43", "sto-3g", 2, None),
    "h6": ("H 0 0 0; H 0 0 1.3; H 0 0 2.6; H 0 0 3.9; H 0 0 5.2; H 0 0 6.5", "sto-3g", 0, None),
    "nh3": ("N 0 0 0; H 0 0.94 0.38; H 0.81 -0.47 0.38; H -0.81 -0.47 0.38", "sto-3g", 0, None),
    "h4-6-31g": ("H 0 0 0; H 0 0 1; H 0 1 0; H 0 1 1", "6-31g", 0, None),
    "co-6-31g": ("C 0 0 0; O 0 0 1.13", "6-31g", 0, (6, 6)),
    "n2-cc-pvdz": ("N 0 0 0; N 0 0 1.1", "cc-pvdz", 0, (6, 8)),
}
"""Beside the examples that come with the package."""

METHODS = ("pauli", "plain", "mean-field", "fluid", "resplit", "optimized")


def hamiltonian_of(name):
    """Return an untruncated Hamiltonian of a benchmark molecule."""
    if name not in MOLECULES:
        return ql.from_example(name, tolerance=0)
    from pyscf import gto, scf

    atoms, basis, spin, active = MOLECULES[name]
    mol = gto.M(atom=atoms, basis=basis, spin=spin, verbose=0)
    kind = scf.ROHF if spin else scf.RHF
    return ql.from_pyscf(kind(mol).run(conv_tol=1e-12), active=active, tolerance=0)


def pauli_rows(hamiltonian, exact):
    """Yield method, groups, eps²M and seconds of Pauli groups."""
    terms = measurement.pauli_terms(hamiltonian)
    for label, group in (
        ("Pauli, qubit-wise", measurement.group_qubit_wise),
        ("Pauli, fully commuting", measurement.group_fully_commuting),
    ):
        start = time.perf_counter()
        baseline = measurement.pauli_group_variances(group(terms), exact)
        yield label, baseline.n_groups, baseline.epsilon2_shots, time.perf_counter() - start


def fragment_rows(hamiltonian, exact, options):
    """Yield method, groups, eps²M and seconds of leaves."""
    proxy = ql.cisd_state(hamiltonian)
    leaves = ql.double_factorize(hamiltonian, gauge=ql.EigenGauge())
    methods = {
        "plain": ql.PlainFragments(),
        "mean-field": ql.MeanFieldFragments(),
        "fluid": ql.FluidFragments(),
        "resplit": ql.ResplitFragments(),
        "optimized": ql.OptimizedFragments(
            seed=options.seed, max_steps=options.steps, regularization=options.regularization
        ),
    }
    for label in [name for name in options.method or METHODS if name != "pauli"]:
        for driver in (exact, proxy):
            if driver.label not in (options.driver or ("fci", "cisd")):
                continue
            if label == "plain" and driver is proxy:
                continue
            start = time.perf_counter()
            fragments = methods[label](leaves, driver)
            seconds = time.perf_counter() - start
            spread = [np.sqrt(exact.moments(group).variance) for group in fragments.groups]
            suffix = ", CISD" if driver is proxy else ""
            yield label + suffix, len(fragments.groups), sum(spread) ** 2, seconds


def main():
    """Print one table a molecule."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ("h2", "lih", "beh2", "water", *MOLECULES)
    parser.add_argument("--molecule", choices=names, action="append")
    parser.add_argument("--method", choices=METHODS, action="append", help="default: all")
    parser.add_argument("--driver", choices=("fci", "cisd"), action="append", help="default: both")
    parser.add_argument("--steps", type=int, default=100, help="of optimised fragments")
    parser.add_argument("--regularization", type=float, help="of optimised fragments")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.molecule or ("lih", "beh2", "water"):
        hamiltonian = hamiltonian_of(name)
        exact = ql.fci_state(hamiltonian)
        print(f"{name:<24} groups       eps²M   seconds")
        pauli = "pauli" in (options.method or METHODS)
        rows = fragment_rows(hamiltonian, exact, options)
        for table in (pauli_rows(hamiltonian, exact) if pauli else [], rows):
            for label, groups, cost, seconds in table:
                print(f"  {label:<22} {groups:>6} {cost:>11.5f} {seconds:>9.1f}", flush=True)


if __name__ == "__main__":
    main()
