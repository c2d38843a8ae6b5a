# SPDX-License-Identifier: Apache-2.0
"""Measurement plans of molecules whose full-CI space is out of reach: CISD drives, CISD prices.

    python examples/benchmarks/large_plans.py                          methane and N2, cc-pVDZ
    python examples/benchmarks/large_plans.py --molecule ethylene      48 orbitals
    python examples/benchmarks/large_plans.py --molecule water --mix 15    factors mixed, too

Nothing larger than the CISD amplitudes and the one-body covariance, norb⁴ numbers each, is formed.
Peak memory is the process's, imports included.
"""

import argparse
import resource
import time
from math import comb

import qlowrank as ql

MOLECULES = {
    "methane": (
        "C 0 0 0; H 0.629 0.629 0.629; H -0.629 -0.629 0.629; H -0.629 0.629 -0.629; "
        "H 0.629 -0.629 -0.629",
        "cc-pvdz",
    ),
    "water": ("O 0 0 0; H 0 0.757 0.587; H 0 -0.757 0.587", "cc-pvdz"),
    "n2": ("N 0 0 0; N 0 0 1.1", "cc-pvdz"),
    "ethylene": (
        "C 0 0 0.667; C 0 0 -0.667; H 0 0.923 1.238; H 0 -0.923 1.238; H 0 0.923 -1.238; "
        "H 0 -0.923 -1.238",
        "cc-pvdz",
    ),
}

METHODS = [ql.PlainFragments(), ql.MeanFieldFragments(), ql.FluidFragments()]


def main():
    """Print one line a molecule and way to choose fragments."""
    from pyscf import gto, scf

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecule", choices=MOLECULES, action="append")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--mix", type=int, metavar="STEPS", help="mix factors, too")
    options = parser.parse_args()
    methods = METHODS + ([ql.MixedFragments(max_steps=options.mix)] if options.mix else [])
    print("molecule   orbitals  determinants  groups  fragments     eps²M  seconds   peak MB")
    for name in options.molecule or ("methane", "n2"):
        atoms, basis = MOLECULES[name]
        mean_field = scf.RHF(gto.M(atom=atoms, basis=basis, verbose=0)).run(conv_tol=1e-11)
        hamiltonian = ql.from_pyscf(mean_field, tolerance=options.tolerance)
        leaves = ql.double_factorize(hamiltonian)
        start = time.perf_counter()
        state = ql.cisd_state(hamiltonian)
        solved = time.perf_counter() - start
        norb, (n_alpha, n_beta) = hamiltonian.norb, hamiltonian.nelec
        size = comb(norb, n_alpha) * comb(norb, n_beta)
        for method in methods:
            start = time.perf_counter()
            plan = ql.plan_measurement(leaves, state, fragments=method)
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{name:<10} {norb:>8} {size:>13.2e} {plan.n_groups:>7}  "
                f"{plan.fragments.method:<10} {plan.epsilon2_shots:>8.3f} {seconds:>8.1f} "
                f"{peak:>9.0f}",
                flush=True,
            )
        print(f"{'':<10} CISD itself: {solved:.1f} s")


if __name__ == "__main__":
    main()
