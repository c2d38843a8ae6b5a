# SPDX-License-Identifier: Apache-2.0
"""Bond dimensions of ground states in several orbitals and orders.

States of the widest bond at a discarded weight of 1e-6.

python examples/benchmarks/site_orders.py --molecule n2-stretched h10
"""

import argparse
import time

import qlowrank as ql

CHOICES = {
    "given": ql.GivenOrbitals(),
    "given, by exchange": ql.OrderedOrbitals(),
    "given, by mutual information": ql.InformationOrdered(ql.GivenOrbitals()),
    "local, by exchange": ql.LocalOrbitals(),
    "local, by mutual information": ql.InformationOrdered(ql.LocalOrbitals()),
}


def main() -> None:
    """Print one line for each molecule and choice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--molecule", nargs="+", default=["n2-stretched"])
    parser.add_argument("--max-bond", type=int, default=1000)
    options = parser.parse_args()
    for name in options.molecule:
        hamiltonian = ql.from_example(name)
        for label, orbitals in CHOICES.items():
            start = time.perf_counter()
            state = ql.ground_state_mps(hamiltonian, max_bond=options.max_bond, orbitals=orbitals)
            found = ql.entanglement(state.mps, discarded_weight=1e-6)
            print(
                f"{name:<13} {label:<30} χ {max(found.bond_dimensions):>4}, entropy up "
                f"to {found.bond_entropies.max():.3f} nat, {time.perf_counter() - start:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
