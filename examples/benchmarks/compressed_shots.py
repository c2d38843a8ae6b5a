# SPDX-License-Identifier: Apache-2.0
"""Compression for few shots: error and shots as the weight of the shots grows.

    OMP_NUM_THREADS=1 python examples/benchmarks/compressed_shots.py
    OMP_NUM_THREADS=1 python examples/benchmarks/compressed_shots.py --molecule n2 --state cisd

`leaves` and `steps` are the same in every row; shots are those of a plan for the exact ground state
(FCI), whatever state guided the fit. Rows without a guide fit the integrals alone.
"""

import argparse
import time

import qlowrank as ql
from qlowrank.integrals.geometry import converge

MOLECULES = {
    "lih": ([("Li", (0.0, 0.0, 0.0)), ("H", (0.0, 0.0, 1.6))], 12),
    "h2o": ([("O", (0, 0, 0)), ("H", (0, 0.7572, 0.5865)), ("H", (0, -0.7572, 0.5865))], 14),
    "n2": ([("N", (0.0, 0.0, 0.0)), ("N", (0.0, 0.0, 1.0))], 20),
}
"""Geometry in Ångström, number of leaves; STO-3G."""

GUIDES = {"hf": ql.hartree_fock_state, "cisd": ql.cisd_state, "fci": ql.fci_state}


def rows(name, guides, steps):
    """Print one row for every objective."""
    atoms, n_leaves = MOLECULES[name]
    hamiltonian = ql.from_pyscf(converge(atoms, basis="sto-3g"), tolerance=1e-8)
    explicit = ql.double_factorize(hamiltonian)
    exact = ql.fci_state(hamiltonian)
    for method in (ql.PlainFragments(), ql.FluidFragments()):
        plan = ql.plan_measurement(explicit, exact, fragments=method)
        label = f"explicit, {plan.fragments.method}"
        print(f"{name:<5} {plan.n_groups - 1:>6}  {label:<34} {plan.epsilon2_shots:>9.4f}")
    for error in (ql.FrobeniusError(), ql.SectorError()):
        cases = [(None, 0.0)] + [(g, w) for g in guides for w in (1e-4, 1e-3, 1e-2)]
        for guide, weight in cases:
            aim = error
            if guide is not None:
                cost = ql.ShotCost(GUIDES[guide](hamiltonian))
                aim = ql.WeightedSum((1.0, error), (weight, cost))
            start = time.process_time()
            fit = ql.compress(
                explicit,
                n_leaves=n_leaves,
                objective=aim,
                optimizer=ql.QuasiNewton(max_steps=steps),
            )
            seconds = time.process_time() - start
            shots = ql.plan_measurement(fit, exact, precision=1.0).epsilon2_shots
            print(
                f"{name:<5} {n_leaves:>6}  {aim.name:<34} {shots:>9.4f} "
                f"{fit.status.frobenius_error:>9.1e} {fit.one_norm():>8.2f} {seconds:>6.1f}",
                flush=True,
            )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecule", choices=MOLECULES, action="append")
    parser.add_argument("--state", choices=GUIDES, action="append", help="guides of the fit")
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    print("case  leaves  objective                              eps2M     error one-norm  CPU s")
    for name in options.molecule or ("lih", "h2o"):
        rows(name, options.state or list(GUIDES), options.steps)


if __name__ == "__main__":
    main()
