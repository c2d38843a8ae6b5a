# SPDX-License-Identifier: Apache-2.0
"""Does a plan keep its promise? Predicted against sampled standard errors, twenty times.

    python examples/benchmarks/calibration.py                 every case, 10000 experiments each
    python examples/benchmarks/calibration.py --repetitions 2000 --seed 3
    python examples/benchmarks/calibration.py --rare          error bars where outcomes are rare

Each case is a molecule, a state to be measured (ground or excited, closed or open shell) and a way
to choose groups. Shots are drawn from the exact distribution of each group; a plan is carried out
many times, and the spread of its energies is compared with what it predicted. The mean of all
energies is compared with the exact one: the squares of the deviations, in units of their own
errors, are chi-square distributed over the cases if nothing is biased.

With --rare, groups are optimised until their variance sits in rare outcomes. Each experiment
states an error bar: from its shots alone, and as `estimate` does, drawn towards the plan's
prediction. Shown are the median and the middle 90 % of these, relative to the true standard error
in the full-CI state that is measured, and how many energies lie within one, two and three of them.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

import qlowrank as ql

CASES = (
    # geometry, basis, charge, spin, active space, root, fragments
    ("H 0 0 0; H 0 0 0.74", "sto-3g", 0, 0, None, 0, "plain"),
    ("H 0 0 0; H 0 0 1.8", "6-31g", 0, 0, None, 0, "fluid"),
    ("He 0 0 0; H 0 0 0.9", "6-31g", 1, 0, None, 1, "plain"),
    ("H 0 0 0; H 0 0 0.9; H 0 0.8 0.4", "6-31g", 0, 1, None, 0, "mean-field"),
    ("H 0 0 0; H 0 0 1; H 0 1 0; H 0 1 1", "sto-3g", 0, 0, None, 0, "fluid"),
    ("H 0 0 0; H 0 0 1; H 0 0 2; H 0 0 3; H 0 0 4; H 0 0 5", "sto-3g", 0, 0, None, 0, "plain"),
    ("Li 0 0 0; H 0 0 1.6", "sto-3g", 0, 0, None, 0, "fluid"),
    ("Li 0 0 0; H 0 0 3.0", "sto-3g", 0, 0, None, 1, "mean-field"),
    ("Be 0 0 0", "6-31g", 0, 0, None, 0, "plain"),
    ("Be 0 0 0; H 0 0 1.3; H 0 0 -1.3", "sto-3g", 0, 0, None, 0, "mean-field"),
    ("B 0 0 0; H 0 0 1.2", "sto-3g", 0, 0, None, 0, "resplit"),
    ("C 0 0 0", "6-31g", 0, 2, (4, 8), 0, "fluid"),
    ("C 0 0 0; H 0 0.9 0.6; H 0 -0.9 0.6", "sto-3g", 0, 2, None, 0, "plain"),
    ("N 0 0 0; H 0 0.9 0.4; H 0.8 -0.5 0.4; H -0.8 -0.5 0.4", "sto-3g", 0, 0, (6, 6), 0, "fluid"),
    ("O 0 0 0; H 0 0 0.97", "sto-3g", 0, 1, None, 0, "mean-field"),
    ("O 0 0 0; H 0 0.76 0.59; H 0 -0.76 0.59", "sto-3g", 0, 0, None, 0, "plain"),
    ("F 0 0 0; H 0 0 0.92", "6-31g", 0, 0, (6, 6), 2, "fluid"),
    ("N 0 0 0; N 0 0 1.1", "cc-pvdz", 0, 0, (6, 6), 0, "plain"),
    ("O 0 0 0; O 0 0 1.21", "sto-3g", 0, 2, (8, 6), 0, "fluid"),
    ("C 0 0 0; O 0 0 1.13", "6-31g", 0, 0, (6, 6), 0, "resplit"),
)
"""Twenty molecules and states."""

FRAGMENTS = {
    "plain": ql.PlainFragments(),
    "mean-field": ql.MeanFieldFragments(),
    "fluid": ql.FluidFragments(),
    "resplit": ql.ResplitFragments(),
}


@dataclass(frozen=True)
class Row:
    """One case: what was promised and what was found."""

    name: str
    groups: int
    shots: int
    predicted: float
    sampled: float
    reported: float
    deviation: float
    """Mean energy against the exact one, in units of the error of that mean."""


def rows(repetitions: int, seed: int) -> Iterator[Row]:
    """Carry out every case."""
    from pyscf import fci, gto, scf

    for number, (atoms, basis, charge, spin, active, root, fragments) in enumerate(CASES):
        molecule = gto.M(atom=atoms, basis=basis, charge=charge, spin=spin, verbose=0)
        kind = scf.ROHF if spin else scf.RHF
        hamiltonian = ql.from_pyscf(kind(molecule).run(conv_tol=1e-11), active=active)
        energies, vectors = fci.direct_spin1.kernel(
            hamiltonian.normal_ordered_one_body(),
            hamiltonian.two_body(),
            hamiltonian.norb,
            hamiltonian.nelec,
            nroots=root + 2,
            ecore=hamiltonian.constant,
            pspace_size=2000,
        )
        state = ql.FCIState(vectors[root], hamiltonian.norb, hamiltonian.nelec, energies[root])
        plan = ql.plan_measurement(
            ql.double_factorize(hamiltonian),
            state,
            precision=1e-3,
            fragments=FRAGMENTS[fragments],
        )
        rng = np.random.default_rng([seed, number])
        runs = ql.simulate_measurement(plan, state, repetitions=repetitions, rng=rng)
        predicted = plan.predicted_standard_error
        error_of_mean = predicted / np.sqrt(repetitions)
        yield Row(
            name=f"{hamiltonian.source.name} {basis} root {root} {fragments}",
            groups=plan.n_groups,
            shots=plan.total_shots,
            predicted=predicted,
            sampled=runs.empirical_standard_error,
            reported=float(np.sqrt(np.mean(runs.standard_errors**2))),
            deviation=(runs.energies.mean() - plan.predicted_energy) / error_of_mean,
        )


def rare_rows(repetitions: int, seed: int) -> Iterator[str]:
    """Carry out plans of optimised fragments, and report their error bars."""
    for name in ("lih", "beh2", "water"):
        hamiltonian = ql.from_example(name)
        leaves = ql.double_factorize(hamiltonian, gauge=ql.EigenGauge())
        exact = ql.fci_state(hamiltonian)
        for guide in (exact, ql.cisd_state(hamiltonian)):
            fragments = ql.OptimizedFragments(max_steps=15)
            plan = ql.plan_measurement(leaves, guide, fragments=fragments)
            variances = np.array([exact.moments(group).variance for group in plan.groups])
            true = np.sqrt(np.sum(variances / plan.shots))
            rng = np.random.default_rng(seed)
            runs = ql.simulate_measurement(plan, exact, repetitions=repetitions, rng=rng)
            yield (
                f"{name}, {guide.label}: {plan.total_shots} shots, true / predicted "
                f"{true / plan.predicted_standard_error:.3f}, spread / true "
                f"{runs.empirical_standard_error / true:.3f}, sample_error_uncertainty "
                f"{plan.sample_error_uncertainty:.2f}"
            )
            for label, errors in (
                ("shots alone", runs.sample_standard_errors),
                ("reported", runs.standard_errors),
            ):
                low, middle, high = np.percentile(errors / true, [5, 50, 95])
                away = np.abs(runs.energies - exact.energy)
                within = [100 * np.mean(away <= k * errors) for k in (1, 2, 3)]
                yield (
                    f"    {label:<12} {middle:.2f} ({low:.2f} to {high:.2f}) of the true error; "
                    f"{within[0]:.1f} %, {within[1]:.1f} %, {within[2]:.1f} % within 1, 2, 3"
                )


def unbiased(deviations: np.ndarray) -> float:
    """Return how likely deviations at least as large are by chance, if nothing is biased."""
    return float(chi2.sf(np.sum(np.square(deviations)), len(deviations)))


def main() -> None:
    """Print one line a case, and the worst of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rare", action="store_true", help="optimised fragments' error bars")
    options = parser.parse_args()
    if options.rare:
        for line in rare_rows(options.repetitions, options.seed):
            print(line, flush=True)
        return
    found = []
    print(f"{'case':<34} groups      shots  predicted  sampled/pred.  reported/pred.  deviation")
    for row in rows(options.repetitions, options.seed):
        found.append(row)
        print(
            f"{row.name:<34} {row.groups:>6} {row.shots:>10} {1e3 * row.predicted:>7.4f} mEh "
            f"{row.sampled / row.predicted:>11.4f} {row.reported / row.predicted:>15.4f} "
            f"{row.deviation:>11.2f}",
            flush=True,
        )
    worst = max(abs(row.sampled / row.predicted - 1) for row in found)
    chance = unbiased(np.array([row.deviation for row in found]))
    print(f"largest difference of sampled and predicted: {100 * worst:.2f} %")
    print(f"chi-square of the deviations: a larger one has probability {chance:.3f}")


if __name__ == "__main__":
    main()
