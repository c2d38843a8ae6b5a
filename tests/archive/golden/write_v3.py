# SPDX-License-Identifier: Apache-2.0
"""How `v3.h5` was made. Once a version is released its file is never written again.

Run from the repository's root: `python tests/archive/golden/write_v3.py`.
"""

from pathlib import Path

import numpy as np

import qlowrank as ql
from qlowrank.archive import RunRecord


def main() -> None:
    """Write H2 in STO-3G at 1.0 Å, measured with few shots and simulated, beside this file."""
    hamiltonian = ql.from_example("h2")
    factorization = ql.double_factorize(hamiltonian)
    state = ql.fci_state(hamiltonian)
    plan = ql.plan_measurement(factorization, state, precision=0.05)
    rng = np.random.default_rng(1)
    measured = ql.simulate_counts(plan, state, rng=rng)
    estimate = plan.estimate(measured)
    experiments = ql.simulate_measurement(plan, state, repetitions=20, rng=rng)
    run = RunRecord(command="run", parameters='{"molecule": "h2", "state": "fci"}', seed=1)
    records = (hamiltonian, factorization, state, plan, measured, estimate, experiments, run)
    ql.save(Path(__file__).with_name("v3.h5"), *records, overwrite=True)


if __name__ == "__main__":
    main()
