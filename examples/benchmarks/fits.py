# SPDX-License-Identifier: Apache-2.0
"""How much the fits behind variances may leave out: errors against full CI, times, channels.

    OMP_NUM_THREADS=1 python examples/benchmarks/fits.py
    OMP_NUM_THREADS=1 python examples/benchmarks/fits.py --channels 50

Four plain groups of a hydrogen chain (STO-6G, 1 Å), in states cut to 30, 60 and 120 states a bond.
`--channels` counts those of the operators in localised orbitals, as `Fitting.cutoff` falls.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
from mps_variances import hamiltonian_of

import qlowrank as ql
from qlowrank.measurement import plain_groups
from qlowrank.mps.action import one_body_operator
from qlowrank.states.applied import Fitting
from qlowrank.states.exact import ExactCI
from qlowrank.states.sites import LocalOrbitals

SETTINGS = [(growth, 1e-9) for growth in (1.0, 1.5, 2.0, 4.0)]
SETTINGS += [(2.0, cutoff) for cutoff in (1e-8, 1e-6, 1e-4)]


def errors(atoms):
    """Compare variances with full CI."""
    hamiltonian = hamiltonian_of(f"h{atoms}")
    full = ql.fci_state(hamiltonian)
    groups = plain_groups(ql.double_factorize(hamiltonian, tolerance=1e-4))
    groups = [groups[k] for k in (0, 2, len(groups) // 2, len(groups) - 1)]
    exact = np.array([full.moments(group).variance for group in groups])
    for bond in (30, 60, 120):
        state = ql.ground_state_mps(hamiltonian, max_bond=bond, method=ExactCI())
        for growth, cutoff in SETTINGS:
            fitted = replace(state, fitting=Fitting(growth=growth, cutoff=cutoff))
            start = time.process_time()
            found = np.array([fitted.moments(group).variance for group in groups])
            seconds = (time.process_time() - start) / len(groups)
            share = np.abs(found / exact - 1).max()
            print(
                f"{bond:4d} states, growth {growth}, cutoff {cutoff:.0e}: largest error "
                f"{share:.1e}, {seconds:.2f} s a group",
                flush=True,
            )


def channels(atoms):
    """Count the channels of some groups."""
    hamiltonian = hamiltonian_of(f"h{atoms}")
    columns = LocalOrbitals()(hamiltonian)
    groups = plain_groups(ql.double_factorize(hamiltonian, tolerance=1e-4))
    for number in (1, 5, len(groups) // 2, len(groups) - 1):
        frame = columns.T @ groups[number].frame
        (values, *_) = groups[number].squares().directions
        matrices = np.einsum("pk,sk,qk->spq", frame, values, frame)
        for cutoff in (1e-9, 1e-8, 1e-7, 1e-6, 1e-5):
            count = one_body_operator(matrices, cutoff=cutoff).max_bond_dimension
            print(f"group {number} of {len(groups)}, cutoff {cutoff:.0e}: {count} channels")


def main():
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=10)
    parser.add_argument("--channels", type=int, metavar="ATOMS")
    options = parser.parse_args()
    if options.channels:
        channels(options.channels)
    else:
        errors(options.atoms)


if __name__ == "__main__":
    main()
