# SPDX-License-Identifier: Apache-2.0
"""Hypercontraction for a low one-norm: with and without the symmetry shift.

    OMP_NUM_THREADS=1 python examples/benchmarks/hypercontraction.py
    OMP_NUM_THREADS=1 python examples/benchmarks/hypercontraction.py --molecule femoco --steps 1500
    OMP_NUM_THREADS=1 python examples/benchmarks/hypercontraction.py --weight 1e-3 --points 65

For each molecule: the error alone, the error with the one-norm, and both in the sector, where the
shift is chosen with them; then the exact mean field is given back (`ql.keep_mean_field`). One-norms
and Toffoli gates (1 mHartree) are those of the block encoding of hypercontraction. The CCSD(T)
error is that of the whole energy, on the exact operator's determinant, before and after; for femoco
it takes minutes and has to be asked for (`--ccsd-t`).
"""

import argparse
import time

import qlowrank as ql
from qlowrank.integrals.geometry import converge

WATER = [("O", (0, 0, 0)), ("H", (0, 0.7572, 0.5865)), ("H", (0, -0.7572, 0.5865))]
MOLECULES = {
    "water": (WATER, "6-31g", 65),
    "h14": ([("H", (0.0, 0.0, float(k))) for k in range(14)], "sto-3g", 56),
    "n2": ([("N", (0.0, 0.0, 0.0)), ("N", (0.0, 0.0, 1.1))], "cc-pvdz", 140),
    "femoco": (None, None, 350),
}
"""Geometry in Ångström, basis, points."""


def hamiltonian_of(name, tolerance):
    """Read it; the integrals of femoco come with OpenFermion."""
    atoms, basis, _ = MOLECULES[name]
    if atoms is None:
        return ql.from_example(name, tolerance=max(tolerance, 1e-4) if tolerance else 0)
    return ql.from_pyscf(converge(atoms, basis=basis), tolerance=tolerance)


def rows(name, options):
    """Print one row for every aim."""
    solve = name != "femoco" or options.ccsd_t
    hamiltonian = hamiltonian_of(name, 0 if solve and name == "femoco" else 1e-7)
    n_points = options.points or MOLECULES[name][2]
    determinant = ql.hartree_fock_state(hamiltonian)
    norm = (options.weight, ql.OneNorm())
    aims = {
        "error": ql.FrobeniusError(),
        "+ one-norm": ql.WeightedSum((1.0, ql.FrobeniusError()), norm),
        "+ shift": ql.WeightedSum((1.0, ql.SectorError()), norm),
    }
    for label, aim in aims.items():
        if options.aim and label not in options.aim:
            continue
        start = time.process_time()
        fit = ql.hypercontract(
            hamiltonian,
            n_points=n_points,
            objective=aim,
            optimizer=ql.QuasiNewton(max_steps=options.steps, tolerance=1e-6),
        )
        seconds = time.process_time() - start
        better = ql.keep_mean_field(fit, hamiltonian, determinant.spin_densities())
        lost = [float("nan")] * 2
        if solve:
            lost = [
                1e3 * ql.coupled_cluster_error(each, hamiltonian, determinant=determinant).error
                for each in (fit, better)
            ]
        print(
            f"{name:<7} {n_points:>6}  {label:<10} {better.one_norm():>9.2f} "
            f"{fit.status.frobenius_error:>9.1e} {lost[0]:>9.3f} {lost[1]:>9.3f} "
            f"{ql.resource_estimate(better).toffoli:>9.2e} {seconds:>7.1f}",
            flush=True,
        )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecule", choices=MOLECULES, action="append")
    parser.add_argument("--aim", choices=("error", "+ one-norm", "+ shift"), action="append")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--points", type=int)
    parser.add_argument("--weight", type=float, default=1e-4, help="of the one-norm, Hartree")
    parser.add_argument("--ccsd-t", action="store_true", help="error of femoco as well")
    options = parser.parse_args()
    print("case    points  aim         one-norm     error   CCSD(T)/mHa, kept   Toffoli   CPU s")
    for name in options.molecule or ("water", "h14", "n2"):
        rows(name, options)


if __name__ == "__main__":
    main()
