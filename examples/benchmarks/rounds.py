# SPDX-License-Identifier: Apache-2.0
"""Two rounds of measurement: does the second reach the precision, and at what cost?

    python examples/benchmarks/rounds.py                     LiH, plain groups
    python examples/benchmarks/rounds.py --fragments fluid

Round one is planned with the variances of a guess and a coarser precision, round two with what
round one has shown; the full-CI state is measured, by drawing from its exact distribution. Printed
for each guess: shots of round one; shots of both rounds over those of one round that knows the
exact variances; root mean square error, mean standard error and mean error of the pooled energies,
each over the precision. The last column is what the mean error of unbiased energies would stay
within, two standard errors of the average.
"""

import argparse

import numpy as np

import qlowrank as ql

FRAGMENTS = {"plain": ql.PlainFragments, "fluid": ql.FluidFragments}


def two_rounds(first, state, precision, *, repetitions, rng):
    """Return errors, standard errors and shots of repeated experiments."""
    found = np.empty((repetitions, 3))
    for row in found:
        measured = ql.simulate_counts(first, state, rng=rng)
        second = ql.replan(first, first.estimate(measured), precision=precision)
        measured = ql.simulate_counts(second, state, rng=rng, measured=measured)
        estimate = second.estimate(measured)
        row[:] = estimate.energy - state.energy, estimate.standard_error, measured.total_shots
    return found.T


def main():
    """Print one line a guess and size of round one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecule", default="lih")
    parser.add_argument("--fragments", choices=FRAGMENTS, default="plain")
    parser.add_argument("--precision", type=float, default=1.6e-3)
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng, precision = np.random.default_rng(arguments.seed), arguments.precision
    hamiltonian = ql.from_example(arguments.molecule)
    factorization = ql.double_factorize(hamiltonian, gauge=ql.EigenGauge())
    state, cisd = ql.fci_state(hamiltonian), ql.cisd_state(hamiltonian)
    determinant = ql.hartree_fock_state(hamiltonian)
    print("guess  round one    shots/best   rms/eps  stated/eps  mean/eps  within")
    for guess, floor in ((determinant, 0.2), (cisd, 0.05), (state, 0.0)):
        if arguments.fragments == "fluid" and guess is determinant:
            continue
        for factor in (8, 4, 2):
            first = ql.plan_measurement(
                factorization,
                guess,
                precision=factor * precision,
                floor=floor,
                fragments=FRAGMENTS[arguments.fragments](),
            )
            exact = sum(state.moments(group).variance ** 0.5 for group in first.groups) ** 2
            errors, stated, shots = two_rounds(
                first, state, precision, repetitions=arguments.repetitions, rng=rng
            )
            rms, cost = np.sqrt(np.mean(errors**2)), shots.mean() * precision**2 / exact
            print(
                f"{guess.label:5}  {first.total_shots:9}  {cost:12.3f}"
                f"  {rms / precision:8.3f}  {stated.mean() / precision:10.3f}"
                f"  {errors.mean() / precision:8.3f}  {2 / np.sqrt(len(errors)):6.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
