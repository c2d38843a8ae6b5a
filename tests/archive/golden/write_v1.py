# SPDX-License-Identifier: Apache-2.0
"""How `v1.h5` was made. Once a version is released its file is never written again.

Run from the repository's root: `python tests/archive/golden/write_v1.py`.
"""

from pathlib import Path

import qlowrank as ql
from qlowrank.archive import RunRecord


def main() -> None:
    """Write H2 in STO-3G at 1.0 Å beside this file."""
    hamiltonian = ql.from_example("h2")
    factorization = ql.double_factorize(hamiltonian)
    state = ql.fci_state(hamiltonian)
    plan = ql.plan_measurement(factorization, state)
    run = RunRecord(command="run", parameters='{"molecule": "h2", "state": "fci"}', seed=None)
    path = Path(__file__).with_name("v1.h5")
    ql.save(path, hamiltonian, factorization, state, plan, run, overwrite=True)


if __name__ == "__main__":
    main()
