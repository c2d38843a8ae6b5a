# SPDX-License-Identifier: Apache-2.0
"""Shots of every way to choose groups, on the same state: eps²M in Hartree², FCI variances.

    python examples/benchmarks/fragments.py                       LiH, BeH2, water
    python examples/benchmarks/fragments.py --molecule n2         N2 at 1.0 Å (minutes)

eps²M = (Σ_g sqrt(Var_FCI(F_g)))² is precision² times the least number of shots. Leaves come from
eigenvectors and nothing is truncated. Rows marked CISD choose their coefficients by CISD variances
and are valued with FCI variances all the same. Pauli groups are sorted insertion after a
Jordan-Wigner transform, alpha spin orbitals first. STO-3G, all electrons, bonds of 1.0 Å.
"""

import argparse
import time

import numpy as np

import qlowrank as ql
from qlowrank import measurement


def hamiltonian_of(name):
    """Return an untruncated Hamiltonian of a benchmark molecule."""
    if name != "n2":
        return ql.from_example(name, tolerance=0)
    from pyscf import gto, scf

    mol = gto.M(atom="N 0 0 0; N 0 0 1", basis="sto-3g", verbose=0)
    return ql.from_pyscf(scf.RHF(mol).run(conv_tol=1e-12), tolerance=0)


def rows(name, seed):
    """Yield method, groups, eps²M and seconds."""
    hamiltonian = hamiltonian_of(name)
    exact, proxy = ql.fci_state(hamiltonian), ql.cisd_state(hamiltonian)
    terms = measurement.pauli_terms(hamiltonian)
    for label, group in (
        ("Pauli, qubit-wise", measurement.group_qubit_wise),
        ("Pauli, fully commuting", measurement.group_fully_commuting),
    ):
        start = time.perf_counter()
        baseline = measurement.pauli_group_variances(group(terms), exact)
        yield label, baseline.n_groups, baseline.epsilon2_shots, time.perf_counter() - start
    leaves = ql.double_factorize(hamiltonian, gauge=ql.EigenGauge())
    for label, method in (
        ("plain", ql.PlainFragments()),
        ("mean field", ql.MeanFieldFragments()),
        ("fluid", ql.FluidFragments()),
        ("re-split", ql.ResplitFragments()),
        ("optimised", ql.OptimizedFragments(seed=seed)),
    ):
        for driver in (exact, proxy):
            if label == "plain" and driver is proxy:
                continue
            start = time.perf_counter()
            fragments = method(leaves, driver)
            seconds = time.perf_counter() - start
            spread = [np.sqrt(exact.moments(group).variance) for group in fragments.groups]
            suffix = ", CISD" if driver is proxy else ""
            yield label + suffix, len(fragments.groups), sum(spread) ** 2, seconds


def main():
    """Print one table a molecule."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecule", choices=("h2", "lih", "beh2", "water", "n2"), action="append")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.molecule or ("lih", "beh2", "water"):
        print(f"{name:<24} groups       eps²M   seconds")
        for label, groups, cost, seconds in rows(name, options.seed):
            print(f"  {label:<22} {groups:>6} {cost:>11.5f} {seconds:>9.1f}", flush=True)


if __name__ == "__main__":
    main()
