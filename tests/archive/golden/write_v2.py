# SPDX-License-Identifier: Apache-2.0
"""How `v2.h5` was made. Once a version is released its file is never written again.

Run from the repository's root: `python tests/archive/golden/write_v2.py`.
"""

from pathlib import Path

import numpy as np

import qlowrank as ql
from qlowrank.archive import RunRecord


def main() -> None:
    """Write LiH in STO-3G at 1.0 Å, planned with a truncation and measured, beside this file."""
    hamiltonian = ql.from_example("lih")
    factorization = ql.double_factorize(hamiltonian)
    state = ql.fci_state(hamiltonian)
    plan = ql.plan_with_budget(factorization, state, precision=0.02)
    measured = ql.simulate_counts(plan, state, rng=np.random.default_rng(1))
    estimate = plan.estimate(measured, selection=ql.PostSelected())
    run = RunRecord(command="run", parameters='{"molecule": "lih", "state": "fci"}', seed=1)
    path = Path(__file__).with_name("v2.h5")
    ql.save(path, hamiltonian, factorization, state, plan, measured, estimate, run, overwrite=True)


if __name__ == "__main__":
    main()
