# SPDX-License-Identifier: Apache-2.0
"""The main job on the molecules of the README: what comes out, and what it takes.

    python examples/benchmarks/main_job.py

Each row is one `qlowrank run ... --json` in a fresh process; the table is Markdown.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = (
    ("water, STO-3G", "water --method df-eigen --state fci --tolerance 0"),
    ("water, cc-pVDZ", "water --basis cc-pvdz --state cisd"),
    ("N2 at 1.1 Å, CAS(10, 8)", "n2 --state fci"),
    ("N2 at 2.2 Å, CAS(10, 8)", "n2-stretched --state fci"),
    ("triplet O2, STO-3G", "o2 --state fci"),
    ("H10 chain, STO-6G", "h10 --state fci"),
    ("FeMoCo, 54 orbitals", "femoco --state hf --tolerance 1e-4"),
    ("LiH, written to FCIDUMP and read back", "{folder}/lih.fcidump --state fci"),
)


def qlowrank(*arguments):
    """Run the command line and return its standard output."""
    command = [sys.executable, "-m", "qlowrank.cli", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    """Print the table."""
    print("| molecule | orbitals | Cholesky vectors | one-norm | state | groups | eps²M | s | MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        qlowrank("convert", "lih", "-o", str(Path(folder, "lih.fcidump")), "--quiet")
        for name, arguments in ROWS:
            words = arguments.format(folder=folder).split()
            answer = json.loads(qlowrank("run", *words, "--json", "--quiet"))
            plan, leaves = answer["measurement"], answer["factorization"]
            print(
                f"| {name} | {answer['molecule']['norb']} | {answer['hamiltonian']['rank']} "
                f"| {leaves['one_norm']:.2f} | {plan['state']} | {plan['n_groups']} "
                f"| {plan['epsilon2_shots']:.6g} | {answer['timing']['total']:.1f} "
                f"| {answer['peak_memory_bytes'] / 1e6:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
