# SPDX-License-Identifier: Apache-2.0
"""What `forecast` expects of alkanes in cc-pVDZ beside what they took.

python examples/benchmarks/forecasts.py 3 4     # carbon atoms
"""

import argparse
import resource
import subprocess
import sys
import time

import qlowrank as ql
from qlowrank.integrals.direct.forecast import forecast
from qlowrank.integrals.geometry import converge
from qlowrank.parallel import threads

TOLERANCE = 1e-6


def alkane(carbons):
    """A zigzag chain, Angstrom."""
    atoms = []
    for i in range(carbons):
        x, side = 1.26 * i, (-1) ** i
        atoms.append(("C", (x, 0.43 * side, 0.0)))
        atoms += [("H", (x, 1.06 * side, z)) for z in (0.88, -0.88)]
    last = (-1) ** (carbons - 1)
    ends = (-0.9, -0.2), (1.26 * (carbons - 1) + 0.9, -0.2 * last)
    return atoms + [("H", (x, y, 0.0)) for x, y in ends]


def compare(carbons):
    """Print both for one molecule."""
    mean_field = converge(alkane(carbons), basis="cc-pvdz")
    expected = forecast(mean_field.mol, tolerance=TOLERANCE)
    start = time.perf_counter()
    hamiltonian = ql.from_pyscf(mean_field, tolerance=TOLERANCE)
    ql.double_factorize(hamiltonian)
    seconds = time.perf_counter() - start
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{carbons} carbons, {hamiltonian.norb} orbitals, expected / found: "
        f"{expected.rank} / {hamiltonian.rank} vectors, "
        f"{expected.memory / 1e9:.2f} / {peak / 1e9:.2f} GB, "
        f"{expected.seconds:.1f} / {seconds:.1f} s"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("carbons", type=int, nargs="+")
    options = parser.parse_args()
    if len(options.carbons) > 1:  # a process each, for its own peak of memory
        for number in options.carbons:
            subprocess.run([sys.executable, __file__, str(number)], check=True)
    else:
        with threads(1):
            compare(options.carbons[0])
